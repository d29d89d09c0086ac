// From a configuration to the rows that training, validation and test see.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "host/data/preparation.hpp"
#include "host/plan/value_statistics.hpp"
#include "vaecuda/config.hpp"
#include "vaecuda/dataset.hpp"
#include "vaecuda/trainer.hpp"

namespace vaecuda {

/// The view of the data that a model has already: rows are brought to it.
struct DataView {
  std::string owner;                   ///< what messages call the model
  std::int64_t columns = 0;            ///< 0: no model; rows have the columns that they have
  std::vector<std::string> names;      ///< of the columns; empty where they have none
  std::optional<float> scale;          ///< the factor on raw values; absent: chosen by the training rows
  std::int64_t label_vector_size = 0;  ///< 0: it is told none
  std::vector<std::string> label_vector_names;  ///< of their numbers; empty where they have none
  std::optional<ValueSizes> sizes;  ///< of the rows that the model was trained on, where they are known
  bool scale_by_type = false;       ///< bytes are divided by 255 whatever they hold, as older runs have it
};

/// The rows of a run, as the files hold them, and how they are prepared for the model.
struct PreparedData {
  Dataset train;
  std::optional<Dataset> valid;
  std::optional<Dataset> test;
  Preparation preparation;
  ScaleMode scale = ScaleMode::none;         ///< the answer that preparation.scale stands for
  std::optional<ValueSizes> sizes;           ///< of the raw training rows; absent where all are 0
  double row_sum = 0.0;                      ///< of counts: the mean over the training rows
  std::int64_t condition_dim = 0;            ///< C of --conditional: classes or numbers of a label vector
  std::vector<std::string> condition_names;  ///< of the classes; empty for label vectors
  std::vector<std::string> notes;            ///< one line each: how rows were taken
  std::vector<std::string> warnings;         ///< one line each
};

/// Who measures the training rows, once they have been chosen: a device that has them; null: the host. The
/// answer changes no bit.
using MeasuredRows = std::function<const ValueStatistics*(const Dataset& train)>;

/// Reads, splits and filters the rows, brings held-out rows to the columns and the type of the training rows,
/// chooses the scale, takes the standardization from the training rows, and checks that every value suits the
/// likelihood. \throws as load_dataset, and FileError with file, row and column for a value that does not,
/// for columns that are missing, and for held-out rows of another type and scale; ConfigError for requests
/// that the data cannot meet.
[[nodiscard]] PreparedData prepare_data(const RunConfig& config, const DataView& view = {},
                                        const MeasuredRows& measured = {});
/// The same for rows in memory, which must be finite.
[[nodiscard]] PreparedData prepare_data(const RunConfig& config, RunData rows, const DataView& view = {},
                                        const MeasuredRows& measured = {});

/// The mean of every column over the prepared rows, in double precision.
[[nodiscard]] std::vector<double> prepared_means(const Dataset& data, const Preparation& preparation);

}  // namespace vaecuda
