// Rows given for validation or for the test, brought to the form of the training rows.
#pragma once

#include <string>
#include <vector>

#include "vaecuda/config.hpp"
#include "vaecuda/dataset.hpp"

namespace vaecuda::data {

/// Reads them from `path`; `part` is what is meant where it is a folder with two parts. Labels are those of
/// the training rows' column, where there is such a one.
[[nodiscard]] Dataset load_held_out(const RunConfig& config, const Dataset& train, const std::string& path,
                                    DataPart part);

/// Gives `held` the training rows' columns, in their order and by their names, and their element type; notes
/// go to `notes`. True if the type was another one. \throws FileError for columns that are missing or cannot
/// be told apart, another number of columns, and floats beside bytes that are no bytes
bool meet_training_rows(const Dataset& train, Dataset& held, std::vector<std::string>& notes);

}  // namespace vaecuda::data
