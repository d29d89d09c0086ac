#include "host/config/text_forms.hpp"

#include <fmt/format.h>

#include "host/config/limits.hpp"
#include "host/config/parse.hpp"
#include "host/config/split.hpp"

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
