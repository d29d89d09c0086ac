#include "host/data/check_values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "host/config/likelihood_traits.hpp"
#include "host/data/each_value.hpp"
#include "host/data/match_columns.hpp"
#include "vaecuda/error.hpp"

namespace vaecuda {
namespace {

constexpr float kGreatestByte = 255.0f;

/// A threshold makes 0 or 1 of any value; a probability to draw from must be one, whatever the likelihood.
bool needs_unit_range(const Preparation& preparation, Likelihood likelihood) {
  if (preparation.binarize == Binarize::threshold) return false;
  return traits_of(likelihood).unit_targets || preparation.binarize == Binarize::stochastic;
}

[[noreturn]] void refuse_value(const std::string& name, const std::vector<std::string>& columns,
                               std::int64_t row, std::int64_t column, float value, bool drawn,
                               const std::string& advice) {
  throw FileError(fmt::format("{}: row {}, {}: the value {} lies outside [0,1], where {} must lie; {}", name,
                              row, data::column_name(columns, column), value,
                              drawn ? "the probabilities of --binarize stochastic" : "Bernoulli targets",
                              advice));
}

/// What fits values that may be counts, measurements or greys: the greatest tells which are no greys.
std::string advice_for(const Dataset& data, const Preparation& preparation) {
  bool may_be_grey = preparation.scale == 1.0f;
  for_each_value(data, 1.0f, [&](std::int64_t, std::int64_t, float value) {
    may_be_grey = may_be_grey && value >= 0.0f && value <= kGreatestByte;
    return may_be_grey;
  });
  std::string advice =
      preparation.binarize == Binarize::stochastic
          ? "give probabilities, or use --binarize threshold"
          : "use --likelihood gaussian (with --standardize for a table), or --binarize threshold";
  if (may_be_grey) advice += "; for grey values from 0 to 255 use --scale 255";
  return advice;
}

/// What to do with a row that a model with this scale cannot take.
std::string advice_for(float scale) {
  if (scale == 1.0f) {
    return "give values in the units of the training data, which the model takes as they are: pictures of "
           "bytes "
           "divided by 255";
  }
  return fmt::format("give values in the units of the training data: the model multiplies them by {}", scale);
}

}  // namespace

void check_values(const Dataset& data, const Preparation& preparation, Likelihood likelihood) {
  if (!needs_unit_range(preparation, likelihood)) return;
  if (data.type() == ElementType::u8 && preparation.scale <= 1.0f / kGreatestByte) return;
  for_each_value(data, preparation.scale, [&](std::int64_t row, std::int64_t column, float value) {
    if (value >= 0.0f && value <= 1.0f) return true;
    refuse_value(data.name(), data.column_names(), row, column, value,
                 preparation.binarize == Binarize::stochastic, advice_for(data, preparation));
  });
}

void check_values(const NamedRows& rows, const Preparation& preparation, Likelihood likelihood,
                  data::ValueMeter& meter) {
  const bool unit = needs_unit_range(preparation, likelihood);
  const float scale = preparation.scale;
  const data::ValueMeter::Extent extent = meter.add(rows.values);
  const float most = unit ? 1.0f : std::numeric_limits<float>::max();
  if (extent.largest * scale <= most && !(unit && extent.is_negative)) return;

  const auto is_fit = [=](float raw) {
    const float value = raw * scale;
    return std::abs(value) <= most && (!unit || value >= 0.0f);
  };
  const auto found = std::find_if_not(rows.values.begin(), rows.values.end(), is_fit);
  const std::int64_t index = found - rows.values.begin();
  const std::int64_t row = rows.first + index / rows.columns;
  const std::int64_t column = index % rows.columns;
  if (!std::isfinite(*found) || !unit) {
    throw FileError(fmt::format("{}: row {}, {}: the value is {}; every value must be finite", rows.name, row,
                                data::column_name(rows.column_names, column), *found));
  }
  refuse_value(rows.name, rows.column_names, row, column, *found * scale,
               preparation.binarize == Binarize::stochastic, advice_for(scale));
}

void require_finite(const Dataset& data) {
  for_each_value(data, 1.0f, [&](std::int64_t row, std::int64_t column, float value) {
    if (std::isfinite(value)) return true;
    throw FileError(fmt::format("{}: row {}, {}: the value {} is not finite", data.name(), row,
                                data::column_name(data.column_names(), column), value));
  });
}

}  // namespace vaecuda
