// Options with a text form of their own: a picture's shape, σ of a likelihood, a device and a seed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "host/config/enumerators.hpp"
#include "vaecuda/config.hpp"

namespace vaecuda::config {

inline constexpr std::string_view kImageRange =
    "HxWxC or HxW with sizes from 1 to 16777216 and at most 16777216 values in all";
inline constexpr std::string_view kSeedRange = "a whole number from 0 to 18446744073709551615";
inline constexpr std::string_view kDeviceRange = "auto, cpu, cuda or cuda:N with N from 0 to 1023";

/// \throws ConfigError
[[nodiscard]] ImageShape parse_image(std::string_view text, std::string_view where);
[[nodiscard]] std::string format_image(const std::optional<ImageShape>& image);
/// Returns the text itself if it names a device, present or not. \throws ConfigError
[[nodiscard]] std::string parse_device(std::string_view text, std::string_view where);

/// All 64 bits; other whole numbers are signed. \throws ConfigError
[[nodiscard]] std::uint64_t parse_seed(std::string_view text, std::string_view where);
/// Whether a text is a whole number beyond the signed integers of TOML, which is written in quotes there.
[[nodiscard]] bool exceeds_toml(std::string_view text);

/// The sources of σ, in the order of SigmaSource: the first is written as the number itself.
inline constexpr auto kSigmaSources = enumerator_texts<SigmaSource>();
/// The allowed texts in words: a number, "learned" or "head".
[[nodiscard]] std::string_view sigma_range();
/// \throws ConfigError
void parse_sigma(ModelConfig& model, std::string_view text, std::string_view where);
[[nodiscard]] std::string format_sigma(const ModelConfig& model);

}  // namespace vaecuda::config
