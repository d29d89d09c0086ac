#include "host/config/text_forms.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <span>
#include <system_error>

#include "host/config/limits.hpp"
#include "host/config/parse.hpp"
#include "host/config/split.hpp"
#include "vaecuda/error.hpp"
#include "vaecuda/options.hpp"

namespace vaecuda::config {

ImageShape parse_image(std::string_view text, std::string_view where) {
  const auto sizes = split(text, 'x');
  if (sizes.size() != 2 && sizes.size() != 3) refuse(where, text, kImageRange);
  for (const std::string_view size : sizes) {
    if (size.empty()) refuse(where, text, kImageRange);
  }
  ImageShape shape;
  shape.height = parse_integer(sizes[0], kDimension, where);
  shape.width = parse_integer(sizes[1], kDimension, where);
  shape.channels = sizes.size() == 3 ? parse_integer(sizes[2], kDimension, where) : 1;
  // Divided, not multiplied: three sizes at their limit overflow 64 bits.
  if (shape.height * shape.width > kDimension.max / shape.channels) refuse(where, text, kImageRange);
  return shape;
}

std::string format_image(const std::optional<ImageShape>& image) {
  return image ? fmt::format("{}x{}x{}", image->height, image->width, image->channels) : std::string{};
}

void parse_sigma(ModelConfig& model, std::string_view text, std::string_view where) {
  const auto words = std::span(kSigmaSources).subspan(1);
  const auto word = std::find(words.begin(), words.end(), text);
  if (word != words.end()) {
    model.sigma_source = static_cast<SigmaSource>(1 + (word - words.begin()));
    model.sigma = kDefaultSigma;
    return;
  }
  try {
    model.sigma = parse_real(text, kSigma, where);
    model.sigma_source = SigmaSource::fixed;
  } catch (const ConfigError&) {
    const std::string nearest = nearest_name(text, words);
    refuse(where, text, sigma_range(),
           nearest.empty() ? std::string{} : fmt::format("did you mean {}?", nearest));
  }
}

namespace {

/// Without signs and leading zeros, which config.toml would not preserve.
std::optional<std::uint64_t> whole_number(std::string_view text) {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  const bool is_whole = stop == end && error == std::errc{} && std::to_string(number) == text;
  return is_whole ? std::optional(number) : std::nullopt;
}

}  // namespace

std::uint64_t parse_seed(std::string_view text, std::string_view where) {
  const std::optional<std::uint64_t> seed = whole_number(text);
  if (!seed) refuse(where, text, kSeedRange);
  return *seed;
}

bool exceeds_toml(std::string_view text) {
  constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  const std::optional<std::uint64_t> number = whole_number(text);
  return number && *number > kMost;
}

std::string_view sigma_range() {
  static const std::string kText = fmt::format("{}, learned or head", describe(kSigma));
  return kText;
}

std::string format_sigma(const ModelConfig& model) {
  if (model.sigma_source == SigmaSource::fixed) return format_real(model.sigma);
  const auto source = static_cast<std::size_t>(model.sigma_source.value());
  return source < kSigmaSources.size() ? std::string(kSigmaSources[source])
                                       : fmt::format("source {}", source);
}

std::string parse_device(std::string_view text, std::string_view where) {
  constexpr std::string_view kIndexed = "cuda:";
  constexpr IntegerRange kIndex{0, 1023};
  if (text.substr(0, kIndexed.size()) == kIndexed && text.size() > kIndexed.size()) {
    static_cast<void>(parse_integer(text.substr(kIndexed.size()), kIndex, where));
  } else if (text != "auto" && text != "cpu" && text != "cuda") {
    refuse(where, text, kDeviceRange);
  }
  return std::string(text);
}

}  // namespace vaecuda::config
