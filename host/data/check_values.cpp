#include "host/data/check_values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "host/data/count_values.hpp"
#include "host/data/each_value.hpp"
#include "host/data/host_values.hpp"
#include "host/data/match_columns.hpp"
#include "host/data/message.hpp"
#include "vaecuda/error.hpp"

namespace vaecuda {
namespace {

constexpr float kGreatestByte = 255.0f;

/// A threshold makes 0 or 1 of any value; a probability to draw from must be one, whatever the likelihood.
bool needs_unit_range(const Preparation& preparation, ValueDomain domain) {
  if (preparation.binarize == Binarize::threshold) return false;
  return domain == ValueDomain::unit || preparation.binarize == Binarize::stochastic;
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
  for_each_stored_value(data, 1.0f, [&](std::int64_t, std::int64_t, float value) {
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
           "bytes divided by 255";
  }
  return fmt::format("give values in the units of the training data: the model multiplies them by {}", scale);
}

}  // namespace

void check_values(const Dataset& data, const Preparation& preparation, ValueDomain domain) {
  check_values(data, data::HostValues(data), preparation, domain);
}

void check_values(const Dataset& data, const ValueStatistics& values, const Preparation& preparation,
                  ValueDomain domain) {
  if (domain == ValueDomain::count) return check_counts(data);
  if (!needs_unit_range(preparation, domain)) return;
  if (data.type() == ElementType::u8 && preparation.scale <= 1.0f / kGreatestByte) return;
  const std::optional<std::int64_t> found = values.first_outside(preparation.scale, 0.0f, 1.0f);
  if (!found) return;
  const std::int64_t row = *found / data.columns();
  const std::int64_t column = *found % data.columns();
  std::vector<float> raw(static_cast<std::size_t>(data.columns()));
  data.copy_row(row, raw);
  refuse_value(data.name(), data.column_names(), row, column,
               raw[static_cast<std::size_t>(column)] * preparation.scale,
               preparation.binarize == Binarize::stochastic, advice_for(data, preparation));
}

void check_values(const NamedRows& rows, const Preparation& preparation, ValueDomain domain,
                  data::ValueMeter& meter) {
  const bool unit = needs_unit_range(preparation, domain);
  const float scale = preparation.scale;
  const data::ValueMeter::Extent extent = meter.add(rows.values);
  if (domain == ValueDomain::count) {
    return check_counts(rows);
  }
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

void check_source(const RowSource& source) {
  const std::int64_t count = source.columns();
  const auto names = static_cast<std::int64_t>(source.column_names().size());
  if (count < 1) {
    throw FileError(fmt::format("{}: a source of {} columns; expected at least 1", source.name(), count));
  }
  if (names == 0 || names == count) return;
  throw FileError(fmt::format("{}: the source has {} for {}; expected one for each column, or none",
                              source.name(), data::counted(names, "column name"),
                              data::counted(count, "column")));
}

void check_block(const RowSource& source, std::span<const float> block, std::int64_t first,
                 std::int64_t most) {
  const std::string& name = source.name();
  const auto width = static_cast<std::size_t>(source.columns());
  if (block.size() % width != 0) {
    throw FileError(
        fmt::format("{}: the source gave {} values from row {} on, which cannot be cut into rows of {}", name,
                    block.size(), first, width));
  }
  const std::size_t rows = block.size() / width;
  if (rows > static_cast<std::size_t>(most)) {
    throw FileError(
        fmt::format("{}: the source gave {} rows where at most {} were requested; next() must not return "
                    "more, and rows() must not be smaller than the number of rows",
                    name, rows, most));
  }
  const auto require = [&](std::size_t count, std::size_t each, const char* what) {
    if (count == rows * each) return;
    throw FileError(fmt::format("{}: the source gave {} {} for {} from row {} on; expected {}", name, count,
                                what, data::counted(static_cast<std::int64_t>(rows), "row"), first,
                                rows * each));
  };
  const std::span<const std::int32_t> labels = source.labels();
  if (source.has_labels()) require(labels.size(), 1, "labels");
  const std::size_t classes = source.label_names().size();
  const auto has_name = [classes](std::int32_t label) {
    return label >= 0 && static_cast<std::size_t>(label) < classes;
  };
  if (const auto bad = std::find_if_not(labels.begin(), labels.end(), has_name); bad != labels.end()) {
    throw FileError(fmt::format("{}: row {} has the label index {}, but the source names {}", name,
                                first + (bad - labels.begin()), *bad,
                                data::counted(static_cast<std::int64_t>(classes), "label")));
  }
  const std::span<const float> vectors = source.label_vectors();
  if (vectors.size() % rows != 0)
    require(vectors.size(), vectors.size() / rows + 1, "numbers of label vectors");
  const std::size_t factors = source.factor_names().size();
  if (factors > 0) require(source.factors().size(), factors, "factor values");
}

void require_finite(const Dataset& data) {
  for_each_stored_value(data, 1.0f, [&](std::int64_t row, std::int64_t column, float value) {
    if (std::isfinite(value)) return true;
    throw FileError(fmt::format("{}: row {}, {}: the value {} is not finite", data.name(), row,
                                data::column_name(data.column_names(), column), value));
  });
}

}  // namespace vaecuda
