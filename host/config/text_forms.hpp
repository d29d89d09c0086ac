// Options whose text has a form of its own: a picture's shape and a device.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "vaecuda/dataset.hpp"

namespace vaecuda::config {

inline constexpr std::string_view kImageRange =
    "HxWxC or HxW with sizes from 1 to 16777216 and at most 16777216 values in all";
inline constexpr std::string_view kDeviceRange = "auto, cpu, cuda or cuda:N with N from 0 to 1023";

/// \throws ConfigError
[[nodiscard]] ImageShape parse_image(std::string_view text, std::string_view where);
[[nodiscard]] std::string format_image(const std::optional<ImageShape>& image);
/// Returns the text itself if it names a device, present or not. \throws ConfigError
[[nodiscard]] std::string parse_device(std::string_view text, std::string_view where);

}  // namespace vaecuda::config
