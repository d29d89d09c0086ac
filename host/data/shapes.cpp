#include "host/data/shapes.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "vaecuda/error.hpp"

namespace vaecuda {
namespace {

constexpr std::int64_t kSmallestSide = 16;
constexpr std::int64_t kLargestSide = 512;
constexpr std::int64_t kMostRows = 100'000'000;
constexpr std::int64_t kDefaultRows = 20'000;

struct Request {
  ImageShape image{32, 32, 1};
  std::int64_t rows = kDefaultRows;
};

[[noreturn]] void refuse(std::string_view spec, const std::string& what) {
  throw ConfigError(
      fmt::format("data set 'shapes{}': {}; write shapes, shapes:HxW, shapes:HxWxC, shapes:n=ROWS or "
                  "shapes:HxWxC,n=ROWS with H and W from {} to {}, C 1 or 3, ROWS from 1 to {}",
                  spec, what, kSmallestSide, kLargestSide, kMostRows));
}

// A plain decimal number: no sign, no leading zero (which some would read as octal), nothing after it.
std::optional<std::int64_t> parse_number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || text.front() == '-') return std::nullopt;
  if (text.front() == '0' && text.size() > 1) return std::nullopt;
  return value;
}

std::optional<std::int64_t> parse_number_in(std::string_view text, std::int64_t least, std::int64_t most) {
  const std::optional<std::int64_t> value = parse_number(text);
  return value && *value >= least && *value <= most ? value : std::nullopt;
}

ImageShape parse_image(std::string_view spec, std::string_view part) {
  std::vector<std::string_view> sides;
  for (std::string_view rest = part;;) {
    const std::size_t cross = rest.find('x');
    sides.push_back(rest.substr(0, cross));
    if (cross == std::string_view::npos) break;
    rest.remove_prefix(cross + 1);
  }
  if (sides.size() < 2 || sides.size() > 3) refuse(spec, fmt::format("'{}' is no part that it knows", part));
  const auto height = parse_number_in(sides[0], kSmallestSide, kLargestSide);
  const auto width = parse_number_in(sides[1], kSmallestSide, kLargestSide);
  const auto channels = sides.size() == 3 ? parse_number_in(sides[2], 1, 3) : 1;
  if (!height || !width || !channels || *channels == 2) {
    refuse(spec, fmt::format("'{}' is no picture shape that it can draw", part));
  }
  return {*height, *width, *channels};
}

Request parse_spec(std::string_view spec) {
  Request request;
  if (spec.empty()) return request;
  if (spec.front() != ':') refuse(spec, "a ':' must follow the name");
  bool image_given = false;
  bool rows_given = false;
  for (std::string_view rest = spec.substr(1);;) {
    const std::size_t joint = rest.find_first_of(":,");
    const std::string_view part = rest.substr(0, joint);
    if (part.empty()) refuse(spec, "a part is empty");
    if (part.substr(0, 2) == "n=") {
      const auto rows = parse_number_in(part.substr(2), 1, kMostRows);
      if (!rows) refuse(spec, fmt::format("'{}' is no number of rows that it can make", part));
      if (std::exchange(rows_given, true)) refuse(spec, "the number of rows is given twice");
      request.rows = *rows;
    } else {
      request.image = parse_image(spec, part);
      if (std::exchange(image_given, true)) refuse(spec, "the picture shape is given twice");
    }
    if (joint == std::string_view::npos) return request;
    rest.remove_prefix(joint + 1);
  }
}

// Linux grants memory that it does not have and ends the process on first touch; asking before is the clear
// way.
void require_memory(const std::string& name, std::int64_t bytes) {
  const std::int64_t installed = std::int64_t{sysconf(_SC_PHYS_PAGES)} * sysconf(_SC_PAGESIZE);
  if (bytes <= installed) return;
  throw OutOfMemoryError(
      fmt::format("data set '{}' takes {} MiB, but this machine has {} MiB of memory; ask for fewer rows "
                  "(n=ROWS) or smaller pictures",
                  name, bytes >> 20, installed >> 20));
}

// A bijection of [0, size): rounds of invertible mixing on the next power of two, walked until inside.
std::int64_t shuffled(std::int64_t index, std::int64_t size) {
  int bits = 1;
  while ((std::int64_t{1} << bits) < size) ++bits;
  const std::uint64_t mask = (std::uint64_t{1} << bits) - 1;
  auto value = static_cast<std::uint64_t>(index);
  do {
    for (const std::uint64_t odd : {0x9e3779b97f4a7c15U, 0xbf58476d1ce4e5b9U, 0x94d049bb133111ebU}) {
      value = (value * odd + (odd >> 32)) & mask;
      value ^= value >> (bits / 2);
    }
  } while (value >= static_cast<std::uint64_t>(size));
  return static_cast<std::int64_t>(value);
}

Dataset draw_rows(const Request& request, const std::string& name) {
  const std::int64_t columns = request.image.size();
  require_memory(name,
                 request.rows * (columns + (kShapeFactorCount + 1) * std::int64_t{sizeof(std::int32_t)}));
  std::vector<std::uint8_t> values(static_cast<std::size_t>(request.rows * columns));
  std::vector<std::int32_t> labels;
  std::vector<std::int32_t> factors;
  labels.reserve(static_cast<std::size_t>(request.rows));
  factors.reserve(static_cast<std::size_t>(request.rows * kShapeFactorCount));

  ShapeRasterizer rasterizer(request.image);
  const std::span<std::uint8_t> all(values);
  for (std::int64_t row = 0; row < request.rows; ++row) {
    const ShapeFactors of_row = shape_factors(row, request.image.channels);
    rasterizer.draw(of_row,
                    all.subspan(static_cast<std::size_t>(row * columns), static_cast<std::size_t>(columns)));
    labels.push_back(of_row.shape);
    factors.insert(factors.end(),
                   {of_row.shape, of_row.scale, of_row.rotation, of_row.x, of_row.y, of_row.colour});
  }

  Dataset dataset(std::move(values), request.rows, columns);
  dataset.set_name(name);
  dataset.set_image(request.image);
  dataset.set_labels(std::move(labels), shape_names());
  dataset.set_factors(std::move(factors), shape_factor_names());
  return dataset;
}

}  // namespace

ShapeFactors shape_factors(std::int64_t row, std::int64_t channels) {
  const auto counts = shape_factor_counts(channels);
  std::int64_t combinations = 1;
  for (const std::int32_t count : counts) combinations *= count;

  std::int64_t rest = shuffled(row % combinations, combinations);
  std::array<std::int32_t, kShapeFactorCount> digits{};
  for (std::size_t i = 0; i < counts.size(); ++i) {
    digits[i] = static_cast<std::int32_t>(rest % counts[i]);
    rest /= counts[i];
  }
  return {.shape = digits[0],
          .scale = digits[1],
          .rotation = digits[2],
          .x = digits[3],
          .y = digits[4],
          .colour = digits[5]};
}

bool is_shapes(std::string_view path) {
  return path == kShapesName || path.substr(0, kShapesName.size() + 1) == "shapes:";
}

Dataset make_shapes(std::string_view spec) {
  const Request request = parse_spec(spec);
  const ImageShape& image = request.image;
  const std::string name =
      fmt::format("shapes:{}x{}x{},n={}", image.height, image.width, image.channels, request.rows);
  try {
    return draw_rows(request, name);
  } catch (const std::bad_alloc&) {
    throw OutOfMemoryError(
        fmt::format("data set '{}' does not fit in memory; ask for fewer rows (n=ROWS)", name));
  }
}

}  // namespace vaecuda
