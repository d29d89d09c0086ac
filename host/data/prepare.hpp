// From a configuration to the rows that training, validation and test see.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "host/plan/builder.hpp"
#include "vaecuda/config.hpp"
#include "vaecuda/dataset.hpp"
#include "vaecuda/trainer.hpp"

namespace vaecuda {

/// The rows of a run, as the files hold them, and how they are prepared for the model.
struct PreparedData {
  Dataset train;
  std::optional<Dataset> valid;
  std::optional<Dataset> test;
  Preparation preparation;
  std::int64_t condition_dim = 0;            ///< C of --conditional: classes or numbers of a label vector
  std::vector<std::string> condition_names;  ///< of the classes; empty for label vectors
  std::vector<std::string> warnings;         ///< one line each
};

/// Reads, splits and filters the rows, takes the standardization from the training rows, and checks that
/// every value suits the likelihood. \throws as load_dataset, and FileError with file, row and column for a
/// value that does not, ConfigError for requests that the data cannot meet.
[[nodiscard]] PreparedData prepare_data(const RunConfig& config);
/// The same for rows in memory, which must be finite.
[[nodiscard]] PreparedData prepare_data(const RunConfig& config, RunData rows);

/// Rows of a block, and what messages call them.
struct NamedRows {
  std::span<const float> values;  ///< raw, row-major
  std::int64_t columns = 0;
  std::int64_t first = 0;  ///< index of the first row
  const std::string& name;
  const std::vector<std::string>& column_names;
};
/// The same for rows that no loader has seen: values must also be finite.
void check_values(const NamedRows& rows, const Preparation& preparation, Likelihood likelihood);

/// The mean of every column over the prepared rows, in double precision.
[[nodiscard]] std::vector<double> prepared_means(const Dataset& data, const Preparation& preparation);

/// Throws FileError, with file, row and column, if a value of `data` cannot be used under this preparation
/// and likelihood.
void check_values(const Dataset& data, const Preparation& preparation, Likelihood likelihood);

}  // namespace vaecuda
