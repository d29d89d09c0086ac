#include "host/data/prepare.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "host/config/likelihood_traits.hpp"
#include "host/data/label_builder.hpp"
#include "kernels/math/permutation.h"
#include "vaecuda/error.hpp"

namespace vaecuda {
namespace {

using Rows = std::vector<std::int64_t>;

/// "column 'age' (3)" where columns have names, else "column 3".
std::string column_name(const std::vector<std::string>& names, std::int64_t column) {
  const auto index = static_cast<std::size_t>(column);
  if (index < names.size()) return fmt::format("column '{}' ({})", names[index], column);
  return fmt::format("column {}", column);
}

Dataset load_test(const RunConfig& config) {
  DataSource source = config.data.train;
  source.path = config.data.test_path;
  source.labels_path.clear();
  return load_dataset(source, has_test_part(source) ? DataPart::test : DataPart::train);
}

Dataset load_valid(const RunConfig& config) {
  DataSource source = config.data.train;
  source.path = config.data.valid_path;
  source.labels_path.clear();
  return load_dataset(source);
}

struct Split {
  Rows train, valid, test;
};

/// Holds rows out by a keyed permutation, so that the choice depends on the seed and N alone.
Split split_rows(const Dataset& data, const RunConfig& config) {
  const std::int64_t n = data.rows();
  const auto share = [n](double fraction) {
    return static_cast<std::int64_t>(std::llround(fraction * static_cast<double>(n)));
  };
  const std::int64_t test = share(config.data.test_fraction);
  const std::int64_t valid = share(config.data.valid_fraction);
  const auto refuse = [&](const char* option, double fraction) {
    throw ConfigError(fmt::format("{} {} of the {} rows of {} is no row at all: choose a larger share",
                                  option, fraction, n, data.name()));
  };
  if (config.data.test_fraction > 0.0 && test == 0) refuse("--test-fraction", config.data.test_fraction);
  if (config.data.valid_fraction > 0.0 && valid == 0) refuse("--valid-fraction", config.data.valid_fraction);
  if (test + valid >= n) {
    throw ConfigError(fmt::format("holding out {} of the {} rows of {} leaves none to train on", test + valid,
                                  n, data.name()));
  }
  const math::PermutationKeys keys = math::permutation_keys(config.train.seed, math::RandomPurpose::split, 0);
  Split split;
  for (std::int64_t i = 0; i < n; ++i) {
    const auto place = static_cast<std::int64_t>(
        math::permute(keys, static_cast<std::uint64_t>(i), static_cast<std::uint64_t>(n)));
    (place < test ? split.test : place < test + valid ? split.valid : split.train).push_back(i);
  }
  return split;
}

void keep_normal(const Dataset& data, const std::string& label, Rows& rows) {
  const auto& names = data.label_names();
  if (data.labels().empty()) {
    throw ConfigError(fmt::format("--normal-label {} needs labels, and {} has {}", label, data.name(),
                                  data.label_vectors().empty()
                                      ? "none: give --labels or --label-column, or labels with rows in memory"
                                      : "vectors, which are no classes: give a file with one label per row"));
  }
  const std::optional<std::int32_t> index = data::find_class(names, label);
  if (!index) {
    std::string known;
    for (std::size_t i = 0; i < std::min<std::size_t>(names.size(), 10); ++i)
      known += (i > 0 ? ", " : "") + names[i];
    throw ConfigError(fmt::format("--normal-label {}: {} has no such label; it has {}{}", label, data.name(),
                                  known, names.size() > 10 ? ", …" : ""));
  }
  std::erase_if(rows,
                [&](std::int64_t row) { return data.labels()[static_cast<std::size_t>(row)] != *index; });
}

/// Calls `use(row, column, value)` for every scaled value until it returns false.
template <typename Use>
void for_each_value(const Dataset& data, float scale, Use&& use) {
  const std::int64_t columns = data.columns();
  const auto walk = [&](const auto& values) {
    for (std::int64_t row = 0; row < data.rows(); ++row) {
      for (std::int64_t column = 0; column < columns; ++column) {
        const auto raw = static_cast<float>(values[static_cast<std::size_t>(row * columns + column)]);
        if (!use(row, column, raw * scale)) return;
      }
    }
  };
  data.type() == ElementType::u8 ? walk(data.u8()) : walk(data.f32());
}

float scale_of(const Dataset& data, ScaleMode mode) {
  if (mode == ScaleMode::none) return 1.0f;
  if (data.type() == ElementType::u8) return 1.0f / 255.0f;
  if (mode == ScaleMode::automatic) return 1.0f;
  float largest = 0.0f;
  for (const float value : data.f32()) largest = std::max(largest, std::abs(value));
  return largest > 0.0f ? 1.0f / largest : 1.0f;
}

/// Mean and deviation per column over the training rows, in two passes in double precision.
void standardize(const Dataset& data, PreparedData& prepared) {
  const auto columns = static_cast<std::size_t>(data.columns());
  const auto rows = static_cast<double>(data.rows());
  std::vector<double> mean(columns, 0.0);
  std::vector<double> square(columns, 0.0);
  const float scale = prepared.preparation.scale;
  for_each_value(data, scale, [&](std::int64_t, std::int64_t c, float v) {
    mean[static_cast<std::size_t>(c)] += static_cast<double>(v);
    return true;
  });
  for (double& m : mean) m /= rows;
  for_each_value(data, scale, [&](std::int64_t, std::int64_t c, float v) {
    const double difference = static_cast<double>(v) - mean[static_cast<std::size_t>(c)];
    square[static_cast<std::size_t>(c)] += difference * difference;
    return true;
  });
  std::int64_t constant = 0;
  std::string first;
  for (std::size_t c = 0; c < columns; ++c) {
    const double deviation = std::sqrt(square[c] / rows);
    // Rounding leaves a constant column a deviation in the last bits of its value.
    const bool varies = deviation > 1e-7 * std::abs(mean[c]) &&
                        deviation > static_cast<double>(std::numeric_limits<float>::min());
    if (!varies && constant++ == 0) first = column_name(data.column_names(), static_cast<std::int64_t>(c));
    prepared.preparation.mean.push_back(static_cast<float>(mean[c]));
    prepared.preparation.inverse_deviation.push_back(varies ? static_cast<float>(1.0 / deviation) : 1.0f);
  }
  if (constant > 0) {
    prepared.warnings.push_back(
        fmt::format("{}: {} of {} columns do not vary over the training rows (the first is {}); "
                    "they are centred but not scaled",
                    data.name(), constant, columns, first));
  }
}

RunData load_rows(const RunConfig& config) {
  RunData rows;
  rows.train = load_dataset(config.data.train);
  if (!config.data.test_path.empty()) {
    rows.test = load_test(config);
  } else if (config.data.test_fraction == 0.0 && has_test_part(config.data.train)) {
    rows.test = load_dataset(config.data.train, DataPart::test);
  }
  if (!config.data.valid_path.empty()) rows.valid = load_valid(config);
  return rows;
}

/// Rows of a file were checked when they were read.
void require_finite(const Dataset& data) {
  for_each_value(data, 1.0f, [&](std::int64_t row, std::int64_t column, float value) {
    if (std::isfinite(value)) return true;
    throw FileError(fmt::format("{}: row {}, {}: the value {} is not finite", data.name(), row,
                                column_name(data.column_names(), column), value));
  });
}

/// Class indices of held-out rows count other files' classes: they become those of the training rows.
void take_classes_of(const Dataset& train, Dataset& held) {
  const std::vector<std::string>& names = train.label_names();
  std::vector<std::int32_t> index;
  for (const std::string& name : held.label_names()) {
    index.push_back(data::find_class(names, name).value_or(-1));
  }
  std::vector<std::int32_t> labels(held.labels().begin(), held.labels().end());
  for (std::size_t row = 0; row < labels.size(); ++row) {
    const auto old = static_cast<std::size_t>(labels[row]);
    labels[row] = index[old];
    if (labels[row] >= 0) continue;
    throw FileError(
        fmt::format("{}: row {} has the label {}, which no row of {} has: a conditional model "
                    "cannot be told it",
                    held.name(), row, held.label_names()[old], train.name()));
  }
  held.set_labels(std::move(labels), names);
}

/// What the labels of a conditional model are, the same in every part of the data.
void prepare_conditions(PreparedData& prepared) {
  const auto require_labels = [](const Dataset& data) {
    if (!data.labels().empty() || !data.label_vectors().empty()) return;
    throw ConfigError(
        fmt::format("--conditional needs a label for every row, and {} has none: give --labels or "
                    "--label-column, or labels with rows in memory, or hold "
                    "rows out of the training data (--test-fraction, --valid-fraction)",
                    data.name()));
  };
  const Dataset& train = prepared.train;
  require_labels(train);
  prepared.condition_names = train.label_names();
  prepared.condition_dim = train.label_vectors().empty()
                               ? static_cast<std::int64_t>(prepared.condition_names.size())
                               : train.label_vector_size();
  for (std::optional<Dataset>* held : {&prepared.valid, &prepared.test}) {
    if (!*held) continue;
    require_labels(**held);
    if ((*held)->label_vector_size() != train.label_vector_size()) {
      throw FileError(fmt::format("{}: label vectors of {} numbers, but those of {} have {}", (*held)->name(),
                                  (*held)->label_vector_size(), train.name(), train.label_vector_size()));
    }
    if (train.label_vectors().empty()) take_classes_of(train, **held);
  }
}

}  // namespace

std::vector<double> prepared_means(const Dataset& data, const Preparation& preparation) {
  const auto columns = static_cast<std::size_t>(data.columns());
  std::vector<double> mean(columns, 0.0);
  for_each_value(data, preparation.scale, [&](std::int64_t, std::int64_t column, float value) {
    const auto c = static_cast<std::size_t>(column);
    if (!preparation.mean.empty()) value = (value - preparation.mean[c]) * preparation.inverse_deviation[c];
    // A value that is drawn has its probability as its mean.
    if (preparation.binarize == Binarize::threshold) value = value > 0.5f ? 1.0f : 0.0f;
    mean[c] += static_cast<double>(value);
    return true;
  });
  for (double& m : mean) m /= static_cast<double>(data.rows());
  return mean;
}

namespace {

void require_columns(const Dataset& data, const Dataset& train) {
  if (data.columns() == train.columns()) return;
  throw FileError(fmt::format("{}: rows have {} columns, but those of {} have {}", data.name(),
                              data.columns(), train.name(), train.columns()));
}

/// A threshold makes 0 or 1 of any value; a probability to draw from must be one, whatever the likelihood.
bool needs_unit_range(const Preparation& preparation, Likelihood likelihood) {
  if (preparation.binarize == Binarize::threshold) return false;
  return traits_of(likelihood).unit_targets || preparation.binarize == Binarize::stochastic;
}

[[noreturn]] void refuse_value(const std::string& name, const std::vector<std::string>& columns,
                               std::int64_t row, std::int64_t column, float value, bool drawn,
                               const std::string& advice) {
  throw FileError(fmt::format("{}: row {}, {}: the value {} lies outside [0,1], where {} must lie; {}", name,
                              row, column_name(columns, column), value,
                              drawn ? "the probabilities of --binarize stochastic" : "Bernoulli targets",
                              advice));
}

}  // namespace

void check_values(const Dataset& data, const Preparation& preparation, Likelihood likelihood) {
  if (!needs_unit_range(preparation, likelihood)) return;
  if (data.type() == ElementType::u8 && preparation.scale <= 1.0f / 255.0f) return;
  for_each_value(data, preparation.scale, [&](std::int64_t row, std::int64_t column, float value) {
    if (value >= 0.0f && value <= 1.0f) return true;
    const bool drawn = preparation.binarize == Binarize::stochastic;
    refuse_value(data.name(), data.column_names(), row, column, value, drawn,
                 drawn ? "scale the data with --scale unit, or use --binarize threshold"
                       : "use --likelihood gaussian (with --standardize for a table), --scale unit or "
                         "--binarize threshold");
  });
}

void check_values(const NamedRows& rows, const Preparation& preparation, Likelihood likelihood) {
  const bool unit = needs_unit_range(preparation, likelihood);
  const float scale = preparation.scale;
  const auto is_fit = [=](float raw) {
    const float value = raw * scale;
    return unit ? value >= 0.0f && value <= 1.0f : std::abs(value) <= std::numeric_limits<float>::max();
  };
  const auto found = std::find_if_not(rows.values.begin(), rows.values.end(), is_fit);
  if (found == rows.values.end()) return;
  const std::int64_t index = found - rows.values.begin();
  const std::int64_t row = rows.first + index / rows.columns;
  const std::int64_t column = index % rows.columns;
  if (!std::isfinite(*found) || !unit) {
    throw FileError(fmt::format("{}: row {}, {}: the value is {}; every value must be finite", rows.name, row,
                                column_name(rows.column_names, column), *found));
  }
  refuse_value(
      rows.name, rows.column_names, row, column, *found * scale, preparation.binarize == Binarize::stochastic,
      fmt::format("give values in the units of the training data: the model multiplies them by {}", scale));
}

namespace {

PreparedData prepare_rows(const RunConfig& config, RunData rows) {
  PreparedData prepared;
  Dataset all = std::move(rows.train);
  prepared.test = std::move(rows.test);
  prepared.valid = std::move(rows.valid);
  if (prepared.valid && !config.data.normal_label.empty()) {
    Rows normal(static_cast<std::size_t>(prepared.valid->rows()));
    std::iota(normal.begin(), normal.end(), 0);
    keep_normal(*prepared.valid, config.data.normal_label, normal);
    prepared.valid = prepared.valid->select(normal);
  }

  const bool splits = config.data.test_fraction > 0.0 || config.data.valid_fraction > 0.0;
  if (splits || !config.data.normal_label.empty()) {
    Split split = split_rows(all, config);
    if (!config.data.normal_label.empty()) {
      // Validation steers training, so it sees normal rows alone; the test keeps every row.
      keep_normal(all, config.data.normal_label, split.train);
      keep_normal(all, config.data.normal_label, split.valid);
      if (split.train.empty()) {
        throw ConfigError(
            fmt::format("{}: no training row has the label {}", all.name(), config.data.normal_label));
      }
    }
    if (config.data.test_fraction > 0.0) prepared.test = all.select(split.test);
    if (config.data.valid_fraction > 0.0) {
      if (split.valid.empty())
        throw ConfigError(
            fmt::format("{}: no validation row has the label {}", all.name(), config.data.normal_label));
      prepared.valid = all.select(split.valid);
    }
    prepared.train = all.select(split.train);
  } else {
    prepared.train = std::move(all);
  }
  if (prepared.test) require_columns(*prepared.test, prepared.train);
  if (prepared.valid) require_columns(*prepared.valid, prepared.train);
  for (std::optional<Dataset>* held : {&prepared.test, &prepared.valid}) {
    if (*held && (*held)->type() != prepared.train.type()) {
      throw FileError(fmt::format("{} holds {}, but {} holds {}: both must have the same element type",
                                  (*held)->name(), (*held)->type() == ElementType::u8 ? "bytes" : "floats",
                                  prepared.train.name(),
                                  prepared.train.type() == ElementType::u8 ? "bytes" : "floats"));
    }
  }

  if (config.model.conditional) prepare_conditions(prepared);
  prepared.preparation.scale = scale_of(prepared.train, config.data.scale);
  switch (config.data.binarize) {
    case BinarizeMode::none:
      prepared.preparation.binarize = Binarize::none;
      break;
    case BinarizeMode::threshold:
      prepared.preparation.binarize = Binarize::threshold;
      break;
    case BinarizeMode::stochastic:
      prepared.preparation.binarize = Binarize::stochastic;
      break;
  }
  if (config.data.standardize) standardize(prepared.train, prepared);
  for (const Dataset* data : {&prepared.train, prepared.valid ? &*prepared.valid : nullptr,
                              prepared.test ? &*prepared.test : nullptr}) {
    if (data != nullptr) check_values(*data, prepared.preparation, config.model.likelihood);
  }
  return prepared;
}

}  // namespace

PreparedData prepare_data(const RunConfig& config) {
  return prepare_rows(config, load_rows(config));
}

PreparedData prepare_data(const RunConfig& config, RunData rows) {
  for (const Dataset* data :
       {&rows.train, rows.valid ? &*rows.valid : nullptr, rows.test ? &*rows.test : nullptr}) {
    if (data != nullptr) require_finite(*data);
  }
  if (rows.train.rows() == 0) throw ConfigError("no rows to train on");
  return prepare_rows(config, std::move(rows));
}

}  // namespace vaecuda
