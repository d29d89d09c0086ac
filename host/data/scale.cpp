#include "host/data/scale.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

namespace vaecuda::data {
namespace {

constexpr float kByte = 1.0f / 255.0f;
/// As powers of 2: pictures in [0, 1] and bytes lie 8 apart, percent and shares between 6 and 7.
constexpr double kFarApart = 6.0;
/// Fewer values may be unlike the others without being of another scale.
constexpr std::int64_t kFewValues = 16;

constexpr int kExponentShift = 23;
constexpr std::int32_t kExponentBias = 127;
constexpr std::int32_t kMagnitude = 0x7fffffff;

std::string times(double exponent) {
  return fmt::format("{:.0f}", std::exp2(std::abs(exponent)));
}

}  // namespace

ValueMeter::Extent ValueMeter::add(std::span<const float> values) {
  // In whole numbers, which compilers turn into vector instructions; a sum of so many exponents fits.
  constexpr std::size_t kChunk = std::size_t{1} << 20;
  Extent extent;
  std::int32_t largest = 0;
  for (std::size_t begin = 0; begin < values.size(); begin += kChunk) {
    std::int32_t negatives = 0;
    std::int32_t exponents = 0;
    std::int32_t count = 0;
    for (const float value : values.subspan(begin, std::min(kChunk, values.size() - begin))) {
      const auto bits = std::bit_cast<std::int32_t>(value);
      const std::int32_t magnitude = bits & kMagnitude;
      const std::int32_t is_other = magnitude != 0 ? 1 : 0;
      largest = magnitude > largest ? magnitude : largest;
      negatives |= (bits < 0 ? 1 : 0) & is_other;
      exponents += magnitude >> kExponentShift;
      count += is_other;
    }
    extent.is_negative = extent.is_negative || negatives != 0;
    exponents_ += std::int64_t{exponents} - std::int64_t{count} * kExponentBias;
    count_ += count;
  }
  extent.largest = std::bit_cast<float>(largest);
  largest_ = std::max(largest_, extent.largest);
  return extent;
}

void ValueMeter::add(std::span<const std::uint8_t> values) {
  std::array<std::int64_t, 256> seen{};
  for (const std::uint8_t value : values) ++seen[value];
  for (std::size_t value = 1; value < seen.size(); ++value) {
    if (seen[value] == 0) continue;
    largest_ = std::max(largest_, static_cast<float>(value));
    exponents_ += seen[value] * (static_cast<std::int64_t>(std::bit_width(value)) - 1);
    count_ += seen[value];
  }
}

void ValueMeter::add(std::span<const std::uint16_t> values) {
  for (const std::uint16_t value : values) {
    if (value == 0) continue;
    largest_ = std::max(largest_, static_cast<float>(value));
    exponents_ += static_cast<std::int64_t>(std::bit_width(value)) - 1;
    ++count_;
  }
}

void ValueMeter::add(const math::ValueTotals& totals) {
  largest_ = std::max(largest_, std::bit_cast<float>(totals.largest));
  exponents_ += totals.exponents;
  count_ += totals.count;
}

math::ValueTotals ValueMeter::totals() const {
  return {std::bit_cast<std::int32_t>(largest_), exponents_, count_};
}

std::optional<ValueSizes> ValueMeter::sizes() const {
  if (count_ == 0) return std::nullopt;
  return ValueSizes{largest_, static_cast<double>(exponents_) / static_cast<double>(count_)};
}

Scale choose_scale(ScaleMode asked, ElementType type, const std::optional<ValueSizes>& training,
                   bool by_type) {
  const bool is_grey = type == ElementType::u8 && (by_type || (training && training->largest >= kLeastGrey));
  if (asked == ScaleMode::automatic) asked = is_grey ? ScaleMode::by_255 : ScaleMode::none;
  if (asked == ScaleMode::unit) asked = is_grey ? ScaleMode::by_255 : ScaleMode::by_largest;
  if (asked == ScaleMode::by_255) return {asked, kByte};
  if (asked == ScaleMode::by_largest && training) return {asked, 1.0f / training->largest};
  return {asked, 1.0f};
}

ScaleMode mode_of(float factor) {
  if (factor == 1.0f) return ScaleMode::none;
  return factor == kByte ? ScaleMode::by_255 : ScaleMode::by_largest;
}

std::string scale_note(const std::string& name, const Scale& scale,
                       const std::optional<ValueSizes>& training) {
  if (!training) {
    return fmt::format(
        "{}: every byte of the training rows is 0, which tells no scale: they are taken as they are", name);
  }
  const float largest = training->largest;
  switch (scale.mode) {
    case ScaleMode::by_255:
      return fmt::format("{}: bytes, the greatest {}: divided by 255", name, largest);
    case ScaleMode::by_largest:
      return fmt::format("{}: bytes, the greatest {}: divided by it", name, largest);
    default:
      return fmt::format(
          "{}: bytes, the greatest {}: taken as they are, no grey values (--scale 255 divides by 255)", name,
          largest);
  }
}

std::string scale_doubt(const std::string& name, const ValueMeter& rows, float factor,
                        const std::optional<ValueSizes>& training) {
  const std::optional<ValueSizes> sizes = rows.sizes();
  if (!sizes) return "";  // zeros are of every scale
  // Without the sizes of the training rows (an older model) their factor alone says that they were bytes.
  const bool was_bytes = factor == kByte && (!training || training->largest > 1.0f);
  if (was_bytes && sizes->largest <= 1.0f) {
    return fmt::format(
        "{}: no value is above 1, but the training rows were bytes and are divided by 255, so these rows "
        "would be almost 0: give them as bytes, too (pictures in [0,1] times 255)",
        name);
  }
  if (!training || rows.count() < kFewValues) return "";
  const double apart = sizes->exponent - training->exponent;
  if (std::abs(apart) < kFarApart) return "";
  return fmt::format(
      "{}: values are typically {}{} times as large as those of the training rows (the greatest here "
      "{}, there {}): give them in the units of the training rows",
      name, apart < 0 ? "1/" : "", times(apart), sizes->largest, training->largest);
}

}  // namespace vaecuda::data
