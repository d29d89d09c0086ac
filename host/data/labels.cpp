#include "host/data/labels.hpp"

#include "host/data/bytes.hpp"
#include "host/data/format.hpp"
#include "host/data/message.hpp"

namespace vaecuda::data {

LabelFile read_labels(const std::string& path, std::int64_t rows, const std::vector<std::string>& columns) {
  ByteSource source(path);
  const Format& format = detect_format(source);
  if (format.read_labels == nullptr) {
    fail(path, "is {}; expected labels: {}", format.name, names_of_formats(&Format::labels_name));
  }
  return format.read_labels(source, rows, columns);
}

std::vector<float> take_label_vectors(const Dataset& vectors, const std::string& labels_path,
                                      const std::string& data_path, std::int64_t rows) {
  if (vectors.rows() != rows) {
    fail(labels_path, "holds {} of labels, but {} has {}; expected one label per row",
         counted(vectors.rows(), "row"), data_path, counted(rows, "row"));
  }
  std::vector<float> values(static_cast<std::size_t>(rows * vectors.columns()));
  const auto width = static_cast<std::size_t>(vectors.columns());
  for (std::int64_t row = 0; row < rows; ++row)
    vectors.copy_row(row, std::span(values).subspan(static_cast<std::size_t>(row) * width, width));
  return values;
}

void check_label_count(const Labels& labels, const std::string& labels_path, const std::string& data_path,
                       std::int64_t rows) {
  const auto count = static_cast<std::int64_t>(labels.values.size());
  if (count == rows) return;
  fail(labels_path, "holds {}, but {} has {}; expected one label per row", counted(count, "label"), data_path,
       counted(rows, "row"));
}

std::string doubt_classes(const Dataset& training_rows) {
  constexpr std::int64_t kEnoughRows = 20;
  const std::vector<std::string>& names = training_rows.label_names();
  const auto classes = static_cast<std::int64_t>(names.size());
  const std::int64_t rows = training_rows.rows();
  if (rows < kEnoughRows || 2 * classes <= rows) return {};
  const std::string found = fmt::format("{}: its labels are {} classes for {} training rows, the first {}",
                                        training_rows.name(), classes, rows, in_quotes(names.front()));
  if (has_decimals(names)) {
    throw FileError(found +
                    ": they seem to be measurements. Give those as label vectors of two or more numbers per "
                    "row (pad a single number with zeros)");
  }
  return found +
         ": a class of a row or two teaches little; if the labels number the rows, train without "
         "--conditional";
}

void check_label_request(const DataSource& source, bool is_table) {
  if (source.label_column.empty() || source.label_column == "none") return;
  if (!source.labels_path.empty()) {
    throw ConfigError(
        fmt::format("{}: labels are asked for twice, from the file {} and from column {}; choose one",
                    source.path, source.labels_path, in_quotes(source.label_column)));
  }
  if (is_table || source.label_column_may_lack) return;
  throw ConfigError(
      fmt::format("{}: label column {} was asked for, but only {} has columns to take labels from; give the "
                  "labels as a file of their own (--labels)",
                  source.path, in_quotes(source.label_column), names_of_formats(&Format::table_name)));
}

}  // namespace vaecuda::data
