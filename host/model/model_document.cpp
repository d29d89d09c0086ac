#include "host/model/model_document.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include "host/config/likelihood_traits.hpp"
#include "host/config/limits.hpp"
#include "host/config/parse.hpp"
#include "host/config/text_forms.hpp"
#include "host/config/utf8.hpp"
#include "host/model/json_scanner.hpp"
#include "vaecuda/error.hpp"
#include "vaecuda/options.hpp"

namespace vaecuda {
namespace {

constexpr std::string_view kActivationKey = "model.activation";
constexpr std::string_view kLogvarHeadKey = "model.logvar_head";
constexpr std::string_view kInitKey = "model.init";
constexpr std::string_view kLatentKey = "model.latent";
constexpr std::string_view kLikelihoodKey = "model.likelihood";
constexpr std::string_view kOutputBiasKey = "model.output_bias";
constexpr std::string_view kObjectiveKey = "objective.kind";
constexpr std::string_view kBetaScheduleKey = "objective.beta_schedule";
constexpr std::string_view kReduceKey = "objective.reduce";
constexpr std::string_view kBinarizeKey = "data.binarize";

void read_choice(JsonScanner& scanner, RunConfig& config, std::string_view key) {
  const std::string_view text = scanner.string();
  try {
    find_option_by_key(key)->set(config, text, key);
  } catch (const ConfigError& error) {
    scanner.fail(error.what());
  }
}

void read_sigma_source(JsonScanner& scanner, ModelConfig& model) {
  const std::string_view text = scanner.string();
  try {
    model.sigma_source =
        static_cast<SigmaSource>(config::parse_choice(text, config::kSigmaSources, "model.sigma_source"));
  } catch (const ConfigError& error) {
    scanner.fail(error.what());
  }
}

void read_model(JsonScanner& scanner, RunConfig& config) {
  // Older files lack the keys behind "sigma" and mean the defaults.
  static constexpr std::array<std::string_view, 14> kKeys = {
      "activation", "hidden",        "init",        "input_dim",   "latent_dim",
      "likelihood", "sigma",         "latent",      "logvar_head", "codebook_size",
      "codebooks",  "condition_dim", "output_bias", "sigma_source"};
  ModelConfig& model = config.model;
  model.hidden.clear();
  const auto read = [&](std::size_t key) {
    switch (key) {
      case 0:
        return read_choice(scanner, config, kActivationKey);
      case 1:
        return scanner.each_element(static_cast<std::size_t>(config::kLayers.max),
                                    [&] { model.hidden.push_back(scanner.natural()); });
      case 2:
        return read_choice(scanner, config, kInitKey);
      case 3:
        model.input_dim = scanner.natural();
        return;
      case 4:
        model.latent_dim = scanner.natural();
        return;
      case 5:
        return read_choice(scanner, config, kLikelihoodKey);
      case 6:
        model.sigma = scanner.real();
        return;
      case 7:
        return read_choice(scanner, config, kLatentKey);
      case 8:
        return read_choice(scanner, config, kLogvarHeadKey);
      case 9:
        model.codebook_size = scanner.natural();
        return;
      case 10:
        model.codebooks = scanner.natural();
        return;
      case 11:
        model.condition_dim = scanner.natural();
        model.conditional = model.condition_dim > 0;
        return;
      case 12:
        return read_choice(scanner, config, kOutputBiasKey);
      default:
        return read_sigma_source(scanner, model);
    }
  };
  scanner.object(kKeys, read, 7);
}

float read_float(JsonScanner& scanner, std::string_view key) {
  const double value = scanner.real();
  // The comparison also refuses what would become infinite; a float that is a double is itself again.
  if (!(std::abs(value) <= static_cast<double>(std::numeric_limits<float>::max())) ||
      static_cast<double>(static_cast<float>(value)) != value) {
    scanner.fail(fmt::format("{} is {}; expected a number that fp32 holds exactly", key, value));
  }
  return static_cast<float>(value);
}

void read_data(JsonScanner& scanner, RunConfig& config, ModelDocument& document) {
  // Older files have the first three alone.
  static constexpr std::array<std::string_view, 5> kKeys = {"binarize", "scale", "standardize", "exponent",
                                                            "largest"};
  ValueSizes sizes;
  const auto read = [&](std::size_t key) {
    switch (key) {
      case 0:
        return read_choice(scanner, config, kBinarizeKey);
      case 1:
        document.file.preparation.scale = read_float(scanner, "data.scale");
        return;
      case 2:
        document.standardize = scanner.boolean();
        return;
      case 3:
        sizes.exponent = scanner.real();
        return;
      default:
        sizes.largest = read_float(scanner, "data.largest");
        return;
    }
  };
  scanner.object(kKeys, read, 3);
  if (sizes != ValueSizes{}) document.file.trained_on = sizes;
}

void read_objective(JsonScanner& scanner, RunConfig& config) {
  // Older files have beta alone.
  static constexpr std::array<std::string_view, 10> kKeys = {
      "beta",     "latent_l2",      "samples",   "commitment", "beta_schedule",
      "capacity", "capacity_steps", "free_bits", "kind",       "reduce"};
  ObjectiveConfig& objective = config.objective;
  const auto read = [&](std::size_t key) {
    switch (key) {
      case 0:
        objective.beta = scanner.real();
        return;
      case 1:
        objective.latent_l2 = scanner.real();
        return;
      case 2:
        objective.samples = scanner.natural();
        return;
      case 3:
        objective.commitment = scanner.real();
        return;
      case 4:
        return read_choice(scanner, config, kBetaScheduleKey);
      case 5:
        objective.capacity = scanner.real();
        return;
      case 6:
        objective.capacity_steps = scanner.natural();
        return;
      case 7:
        objective.free_bits = scanner.real();
        return;
      case 8:
        return read_choice(scanner, config, kObjectiveKey);
      default:
        return read_choice(scanner, config, kReduceKey);
    }
  };
  scanner.object(kKeys, read, 1);
}

std::optional<ImageShape> read_image(JsonScanner& scanner) {
  if (scanner.accept_null()) return std::nullopt;
  ImageShape image;
  scanner.expect('[');
  image.height = scanner.natural();
  scanner.expect(',');
  image.width = scanner.natural();
  scanner.expect(',');
  image.channels = scanner.natural();
  scanner.expect(']');
  return image;
}

std::uint64_t read_seed(JsonScanner& scanner) {
  const std::string_view text = scanner.string();
  std::uint64_t seed = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seed);
  if (error != std::errc{} || end != text.data() + text.size() || text != std::to_string(seed)) {
    scanner.fail(fmt::format("seed is {}; expected a whole number from 0 to 18446744073709551615 in quotes",
                             config::quoted(text)));
  }
  return seed;
}

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

std::string find_objective_fault(const ObjectiveConfig& objective) {
  const std::array<std::pair<std::string_view, double>, 5> weights = {{
      {"objective.beta", objective.beta},
      {"objective.latent_l2", objective.latent_l2},
      {"objective.commitment", objective.commitment},
      {"objective.capacity", objective.capacity},
      {"objective.free_bits", objective.free_bits},
  }};
  for (const auto& [key, value] : weights) {
    if (outside(value, config::kWeight)) return complaint(key, value, config::kWeight);
  }
  if (outside(objective.samples, config::kSamples)) {
    return complaint("objective.samples", objective.samples.value(), config::kSamples);
  }
  if (outside(objective.capacity_steps, config::kCapacitySteps)) {
    return complaint("objective.capacity_steps", objective.capacity_steps.value(), config::kCapacitySteps);
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

ModelDocument read_model_document(std::span<char> text, const std::string& place) {
  static constexpr std::array<std::string_view, 9> kKeys = {
      "column_names",      "data", "image", "model", "objective", "seed", "steps", "condition_names",
      "label_vector_names"};
  // Older files lack the keys behind "steps" and mean the defaults.
  ModelDocument document;
  ModelFile& file = document.file;
  RunConfig config;
  JsonScanner scanner(text, place);
  const auto read = [&](std::size_t key) {
    switch (key) {
      case 0:
        document.column_names = scanner.skip_strings();
        return;
      case 1:
        return read_data(scanner, config, document);
      case 2:
        file.image = read_image(scanner);
        return;
      case 3:
        return read_model(scanner, config);
      case 4:
        return read_objective(scanner, config);
      case 5:
        file.seed = read_seed(scanner);
        return;
      case 6:
        file.steps = scanner.natural();
        return;
      case 7:
        document.condition_names = scanner.skip_strings();
        return;
      default:
        document.label_vector_names = scanner.skip_strings();
        return;
    }
  };
  scanner.object(kKeys, read, 7);
  scanner.expect_end();
  file.model = config.model;
  file.objective = config.objective;
  file.preparation.binarize = static_cast<Binarize>(config.data.binarize);
  return document;
}

std::vector<std::string> read_names(std::span<char> text, std::string_view key, std::int64_t count,
                                    const std::string& place) {
  std::vector<std::string> names;
  if (text.empty()) return names;
  const auto most = static_cast<std::size_t>(count);
  JsonScanner scanner(text, fmt::format("{} {}", place, key));
  scanner.each_element(most, [&] {
    if (names.empty()) names.reserve(most);
    names.emplace_back(scanner.string());
    if (names.back().find('\0') != std::string::npos) scanner.fail("a name holds the character of code 0");
  });
  if (!names.empty() && names.size() != most) {
    scanner.fail(fmt::format("{} names; expected none, or {}", names.size(), count));
  }
  return names;
}

std::string find_fault(const ModelFile& file) {
  const ModelConfig& model = file.model;
  if (outside(model.input_dim, config::kDimension)) {
    return complaint("model.input_dim", model.input_dim, config::kDimension);
  }
  constexpr config::IntegerRange kConditions{0, config::kDimension.max};
  if (outside(model.condition_dim, kConditions)) {
    return complaint("model.condition_dim", model.condition_dim, kConditions);
  }
  if (outside(model.latent_dim, config::kDimension)) {
    return complaint("model.latent_dim", model.latent_dim, config::kDimension);
  }
  if (outside(model.codebook_size, config::kDimension)) {
    return complaint("model.codebook_size", model.codebook_size.value(), config::kDimension);
  }
  if (outside(model.codebooks, config::kDimension)) {
    return complaint("model.codebooks", model.codebooks.value(), config::kDimension);
  }
  const auto layers = static_cast<std::int64_t>(model.hidden.size());
  if (outside(layers, config::kLayers)) return complaint("model.hidden's length", layers, config::kLayers);
  for (const std::int64_t width : model.hidden) {
    if (outside(width, config::kDimension)) return complaint("model.hidden", width, config::kDimension);
  }
  if (outside(model.sigma, config::kSigma))
    return complaint("model.sigma", model.sigma.value(), config::kSigma);
  if (model.sigma_source != SigmaSource::fixed && !traits_of(model.likelihood).has_sigma) {
    return "model.sigma_source is not fixed; expected fixed for a likelihood without a deviation";
  }
  if (std::string fault = find_objective_fault(file.objective); !fault.empty()) return fault;
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
