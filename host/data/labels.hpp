// Labels that lie in a file of their own, and what a request for labels must fit.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "host/data/label_builder.hpp"
#include "vaecuda/dataset.hpp"

namespace vaecuda::data {

/// A file of labels: one per row, or a vector per row in place of it.
struct LabelFile {
  Labels labels;
  std::optional<Dataset> vectors;
  std::vector<std::string> warnings;  ///< of what was read
};

/// Opens the file once, so that it may be a pipe. Rows of several numbers are vectors, an index of the rows
/// as pandas writes it left out; a text file with one cell a line and one line more than `rows` begins with a
/// header. `columns` as DataSource::label_vector_columns. \throws FileError
[[nodiscard]] LabelFile read_labels(const std::string& path, std::int64_t rows,
                                    const std::vector<std::string>& columns);

/// The vectors as floats, row-major. \throws FileError unless there is one for each of the `rows` rows at
/// `data_path`
[[nodiscard]] std::vector<float> take_label_vectors(const Dataset& vectors, const std::string& labels_path,
                                                    const std::string& data_path, std::int64_t rows);

/// \throws FileError unless there is one label for each of the `rows` rows at `data_path`.
void check_label_count(const Labels& labels, const std::string& labels_path, const std::string& data_path,
                       std::int64_t rows);

/// What may be wrong with the classes that a conditional model is told, where hardly one of them has two
/// rows, with the remedy; empty where there is no doubt. \throws FileError for numbers with decimals, which
/// are no classes then
[[nodiscard]] std::string doubt_classes(const Dataset& training_rows);

/// \throws ConfigError for a label column where the data is no table, and for two sources of labels.
void check_label_request(const DataSource& source, bool is_table);

}  // namespace vaecuda::data
