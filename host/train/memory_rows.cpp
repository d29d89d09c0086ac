#include "host/train/memory_rows.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/config/utf8.hpp"
#include "host/data/label_builder.hpp"
#include "host/data/message.hpp"
#include "vaecuda/array.hpp"
#include "vaecuda/error.hpp"

namespace vaecuda {
namespace {

void check_texts(const Dataset& data, std::string_view what, const std::vector<std::string>& names) {
  const auto refuse = [&](const std::string& name, const char* why) {
    throw ConfigError(fmt::format("{}: the {} {} {}", data.name(), what, config::quoted(name), why));
  };
  for (const std::string& name : names) {
    if (name.find('\0') != std::string::npos)
      refuse(name, "holds a zero byte, which no name can; write it without");
    if (!config::is_utf8(name)) refuse(name, "is no UTF-8, as which a model keeps it; convert it");
  }
}

/// Names that a model keeps as they are, and classes that can be told apart, as in a file.
void check_names(const Dataset& data) {
  const auto count = static_cast<std::int64_t>(data.column_names().size());
  if (count != 0 && count != data.columns()) {
    throw ConfigError(fmt::format("{}: {} for {}; expected one for each column, or none", data.name(),
                                  data::counted(count, "column name"),
                                  data::counted(data.columns(), "column")));
  }
  check_texts(data, "column name", data.column_names());
  check_texts(data, "class", data.label_names());
  check_texts(data, "name of a label vector's number", data.label_vector_names());
  data::LabelBuilder labels;
  for (const std::string& name : data.label_names()) labels.add(name);
  std::map<std::int32_t, const std::string&> classes;
  const std::vector<std::int32_t> class_of = std::move(labels).finish().values;
  for (std::size_t i = 0; i < class_of.size(); ++i) {
    const std::string& name = data.label_names()[i];
    const auto [first, is_new] = classes.emplace(class_of[i], name);
    if (is_new) continue;
    throw ConfigError(
        fmt::format("{}: the classes {} and {} are one class; give every class a name of its own",
                    data.name(), config::quoted(first->second), config::quoted(name)));
  }
}

}  // namespace

void enter_rows(RunConfig& config, RunData& rows) {
  const auto enter = [](std::string& path, const char* key, Dataset* data) {
    if (!path.empty() && path != kMemory) {
      throw ConfigError(
          fmt::format("{} names '{}', but the rows of this run are in memory: leave it unset, and load that "
                      "file into memory as well if its rows are to be used",
                      key, path));
    }
    if (data == nullptr) return;
    if (data->columns() > 0) check_names(*data);
    path = kMemory;
    if (data->name() == Dataset{}.name()) data->set_name(fmt::format("memory ({})", key));
  };
  enter(config.data.train.path, "data.path", &rows.train);
  enter(config.data.valid_path, "data.valid", rows.valid ? &*rows.valid : nullptr);
  enter(config.data.test_path, "data.test", rows.test ? &*rows.test : nullptr);
}

void apply_file_options(const DataSource& asked, RunData& rows) {
  if (!asked.labels_path.empty()) {
    if (!rows.train.labels().empty() || !rows.train.label_vectors().empty()) {
      throw ConfigError(
          fmt::format("data.labels names '{}', but the rows of this run, which are in memory, have labels "
                      "already: choose one",
                      asked.labels_path));
    }
    load_labels(rows.train, asked.labels_path);
  }
  const bool is_taken = asked.label_column == "none" || asked.label_column == rows.train.label_column();
  if (!asked.label_column.empty() && !is_taken) {
    throw ConfigError(fmt::format(
        "data.label_column is '{}', which is for CSV files, and the rows of this run are in memory: give "
        "their labels beside them (set_labels of the data set, in Python labels=), without the column",
        asked.label_column));
  }
  if (asked.header != HeaderMode::automatic) {
    throw ConfigError(
        "data.header is for CSV files, and the rows of this run are in memory: leave it unset, and name "
        "their columns where they have names");
  }
  if (!asked.image) return;
  rows.train.set_image(asked.image);
  for (std::optional<Dataset>* held : {&rows.valid, &rows.test}) {
    if (*held) (*held)->set_image(asked.image);
  }
}

}  // namespace vaecuda
