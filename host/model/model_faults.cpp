// What a sound model is: find_fault().
#include <fmt/format.h>

#include <array>
#include <cmath>

#include "host/config/likelihood_traits.hpp"
#include "host/config/limits.hpp"
#include "host/config/parse.hpp"
#include "host/model/model_document.hpp"
#include "vaecuda/error.hpp"
#include "vaecuda/options.hpp"

namespace vaecuda {
namespace {

bool outside(std::int64_t value, const config::IntegerRange& range) {
  return value < range.min || value > range.max;
}
bool outside(double value, const config::RealRange& range) {
  return !(value >= range.min && value <= range.max);  // true for nan
}

template <class Value, class Range>
std::string complaint(std::string_view key, Value value, const Range& range) {
  return fmt::format("{} is {}; expected {}", key, value, config::describe(range));
}

/// The first of the stored options whose value its row does not allow.
std::string find_option_fault(const ModelFile& file) {
  RunConfig config;
  config.model = file.model;
  config.objective = file.objective;
  for (const Option& option : options()) {
    if (!option.is_stored_in_model) continue;
    const std::string value = option.get(config);
    RunConfig read;
    try {
      option.set(read, value, option.key);
    } catch (const ConfigError&) {
      return fmt::format("{} is {}; expected {}", option.key, value, option.range);
    }
  }
  return "";
}

std::string find_image_fault(const ImageShape& image, std::int64_t input_dim) {
  for (const std::int64_t size : {image.height, image.width, image.channels}) {
    if (outside(size, config::kDimension)) return complaint("image", size, config::kDimension);
  }
  // Each is at most 2^24, so that two of them can be multiplied but not three.
  const std::int64_t area = image.height * image.width;
  if (area > input_dim || area * image.channels != input_dim) {
    return fmt::format("image is {}x{}x{}; expected as many values as a row has, {}", image.height,
                       image.width, image.channels, input_dim);
  }
  return "";
}

}  // namespace

std::string find_fault(const ModelFile& file) {
  const ModelConfig& model = file.model;
  if (outside(model.input_dim, config::kDimension)) {
    return complaint("model.input_dim", model.input_dim, config::kDimension);
  }
  constexpr config::IntegerRange kConditions{0, config::kDimension.max};
  if (outside(model.condition_dim, kConditions)) {
    return complaint("model.condition_dim", model.condition_dim, kConditions);
  }
  if (std::string fault = find_option_fault(file); !fault.empty()) return fault;
  if (outside(model.sigma, config::kSigma))
    return complaint("model.sigma", model.sigma.value(), config::kSigma);
  if (model.sigma_source != SigmaSource::fixed && !traits_of(model.likelihood).has_sigma) {
    return "model.sigma_source is not fixed; expected fixed for a likelihood without a deviation";
  }
  const bool has_counts = traits_of(model.likelihood).domain == ValueDomain::count;
  if (has_counts ? !(model.row_sum >= 0.0) || !std::isfinite(model.row_sum) : model.row_sum != 0.0) {
    return fmt::format(
        "model.row_sum is {}; expected the mean of the rows' sums, for a likelihood of counts alone",
        model.row_sum);
  }
  const float scale = file.preparation.scale;
  if (!(scale > 0.0F) || !std::isfinite(scale)) {
    return fmt::format("data.scale is {}; expected a positive finite number", scale);
  }
  if (file.trained_on) {
    const ValueSizes& sizes = *file.trained_on;
    if (!(sizes.largest > 0.0F)) {
      return fmt::format("data.largest is {}; expected a positive finite number", sizes.largest);
    }
    constexpr double kWidest = 128.0;
    if (!(std::abs(sizes.exponent) <= kWidest)) {
      return fmt::format("data.exponent is {}; expected a number from -128 to 128", sizes.exponent);
    }
  }
  constexpr config::IntegerRange kStepsTaken{0, config::kSteps.max};
  if (outside(file.steps, kStepsTaken)) return complaint("steps", file.steps, kStepsTaken);
  return file.image ? find_image_fault(*file.image, model.input_dim) : "";
}

}  // namespace vaecuda
