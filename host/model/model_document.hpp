// The configuration of a model as the JSON document that its file carries, and what a sound model is.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/model/model_file.hpp"

namespace vaecuda {

/// Everything of the file but its arrays; whether the data are standardized is said, the numbers are tensors.
/// Sorted keys, numbers that read back as the same value.
[[nodiscard]] std::string write_model_document(const ModelFile& file);

/// A document as read, not yet held against ranges or tensors.
struct ModelDocument {
  ModelFile file;            ///< arrays and column names are empty
  bool standardize = false;  ///< the file has tensors with means and deviations
  // Their JSON text: names are read when their number is known to fit the tensors.
  std::span<char> column_names;
  std::span<char> condition_names;
  std::span<char> label_vector_names;
};

/// `text` is decoded in place. `place` is what messages call it.
/// \throws FileError for unknown, missing or repeated keys, wrong types and unknown choices
[[nodiscard]] ModelDocument read_model_document(std::span<char> text, const std::string& place);

/// Reads the array of `text`, which holds no name or `count` of them; `key` is what messages call it.
[[nodiscard]] std::vector<std::string> read_names(std::span<char> text, std::string_view key,
                                                  std::int64_t count, const std::string& place);

/// Why the configuration cannot be a model's: key, value and range. Empty if it can.
[[nodiscard]] std::string find_fault(const ModelFile& file);

}  // namespace vaecuda
