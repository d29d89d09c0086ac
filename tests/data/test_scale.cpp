// Of what scale values are: what is measured, the answer, and the doubt.
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "host/data/scale.hpp"
#include "tests/support/catch.hpp"

namespace vaecuda::data {
namespace {

using Floats = std::vector<float>;
using Bytes = std::vector<std::uint8_t>;

ValueMeter meter_of(const Floats& values) {
  ValueMeter meter;
  meter.add(values);
  return meter;
}

ValueMeter meter_of(const Bytes& values) {
  ValueMeter meter;
  meter.add(values);
  return meter;
}

TEST_CASE("sizes are those of the values other than 0, for bytes and floats alike") {
  Floats floats;
  Bytes bytes;
  double exponents = 0.0;
  std::int64_t count = 0;
  for (int i = 0; i < 3000; ++i) {
    const int value = i * 37 % 256;
    bytes.push_back(static_cast<std::uint8_t>(value));
    floats.push_back(static_cast<float>(value));
    if (value == 0) continue;
    exponents += std::floor(std::log2(value));
    ++count;
  }
  const auto sizes = meter_of(floats).sizes();
  CHECK(sizes == meter_of(bytes).sizes());
  CHECK(sizes->largest == 255.0f);
  CHECK(sizes->exponent == exponents / static_cast<double>(count));
  CHECK(meter_of(floats).count() == count);
  CHECK(!meter_of(Floats{0.0f, -0.0f}).sizes());
  CHECK(!meter_of(Bytes{0, 0}).sizes());
  CHECK(!ValueMeter().sizes());
  CHECK(meter_of(Floats{-3.0f, 0.25f}).sizes() == ValueSizes{3.0f, -0.5});
  ValueMeter parts;
  parts.add(std::span(floats).first(1000));
  parts.add(std::span(floats).subspan(1000));
  CHECK(parts.sizes() == sizes);
}

TEST_CASE("the extent tells whether each value needs a look") {
  ValueMeter meter;
  const auto extent = [&meter](const Floats& values) { return meter.add(values); };
  CHECK(extent({0.5f, 1.0f}).largest == 1.0f);
  CHECK(!extent({0.5f, 1.0f, -0.0f}).is_negative);
  CHECK(extent({0.5f, -1e-30f}).is_negative);
  CHECK(extent({}).largest == 0.0f);
  CHECK(!(extent({1.0f, std::numeric_limits<float>::quiet_NaN()}).largest <= 1e38f));
  CHECK(!(extent({1.0f, -std::numeric_limits<float>::infinity()}).largest <= 1e38f));
}

TEST_CASE("bytes are grey values where they reach into the upper half of the range") {
  const auto answer = [](ScaleMode asked, ElementType type, std::optional<ValueSizes> sizes) {
    return choose_scale(asked, type, sizes);
  };
  const ValueSizes bits{1.0f, 0.0};
  const ValueSizes dark{127.0f, 5.0};
  const ValueSizes grey{128.0f, 5.0};
  for (const ValueSizes& sizes : {bits, dark, grey}) {
    const bool is_grey = sizes == grey;
    const Scale automatic = answer(ScaleMode::automatic, ElementType::u8, sizes);
    CHECK(automatic.mode == (is_grey ? ScaleMode::by_255 : ScaleMode::none));
    CHECK(automatic.factor == (is_grey ? 1.0f / 255.0f : 1.0f));
    const Scale unit = answer(ScaleMode::unit, ElementType::u8, sizes);
    CHECK(unit.mode == (is_grey ? ScaleMode::by_255 : ScaleMode::by_largest));
    CHECK(unit.factor == (is_grey ? 1.0f / 255.0f : 1.0f / sizes.largest));
    CHECK(answer(ScaleMode::automatic, ElementType::f32, sizes).mode == ScaleMode::none);
    CHECK(answer(ScaleMode::unit, ElementType::f32, sizes).factor == 1.0f / sizes.largest);
    for (const ElementType type : {ElementType::u8, ElementType::f32}) {
      CHECK(answer(ScaleMode::none, type, sizes).factor == 1.0f);
      CHECK(answer(ScaleMode::by_255, type, sizes).factor == 1.0f / 255.0f);
      CHECK(answer(ScaleMode::by_largest, type, sizes).factor == 1.0f / sizes.largest);
    }
    // An older run's bytes.
    CHECK(choose_scale(ScaleMode::automatic, ElementType::u8, sizes, true).mode == ScaleMode::by_255);
    CHECK(choose_scale(ScaleMode::unit, ElementType::u8, sizes, true).mode == ScaleMode::by_255);
    CHECK(choose_scale(ScaleMode::automatic, ElementType::f32, sizes, true).mode == ScaleMode::none);
  }
  for (const ScaleMode asked : {ScaleMode::automatic, ScaleMode::unit, ScaleMode::by_largest}) {
    CHECK(answer(asked, ElementType::u8, std::nullopt).factor == 1.0f);
  }
  CHECK(mode_of(1.0f) == ScaleMode::none);
  CHECK(mode_of(1.0f / 255.0f) == ScaleMode::by_255);
  CHECK(mode_of(0.5f) == ScaleMode::by_largest);
}

TEST_CASE("rows of another scale are doubted, rows that vary are not") {
  constexpr float kByte = 1.0f / 255.0f;
  Floats greys;
  for (int i = 0; i < 1000; ++i) greys.push_back(static_cast<float>(i % 3 == 0 ? i % 256 : 0));
  Floats unit = greys;
  for (float& value : unit) value /= 255.0f;
  const auto of_greys = meter_of(greys).sizes();
  const auto of_unit = meter_of(unit).sizes();
  const auto doubt = [](const Floats& rows, float factor, const std::optional<ValueSizes>& training) {
    return scale_doubt("x.npy", meter_of(rows), factor, training);
  };
  const auto has = [](const std::string& text, const std::string& part) {
    INFO(text);
    CHECK(text.find(part) != std::string::npos);
  };
  // A model of bytes, of this version and of one without sizes.
  has(doubt(unit, kByte, of_greys), "x.npy: no value is above 1");
  has(doubt(unit, kByte, std::nullopt), "times 255");
  CHECK(doubt(greys, kByte, of_greys).empty());
  CHECK(doubt(greys, kByte, std::nullopt).empty());
  CHECK(doubt({0.0f, 0.0f}, kByte, of_greys).empty());
  // Bits that were divided by 255 on purpose.
  CHECK(doubt({0.0f, 1.0f, 1.0f}, kByte, ValueSizes{1.0f, 0.0}).empty());
  // A model of values as they are.
  has(doubt(greys, 1.0f, of_unit), "times as large");
  has(doubt(unit, 1.0f, of_greys), "typically 1/");
  CHECK(doubt(unit, 1.0f, of_unit).empty());
  CHECK(doubt(greys, 1.0f, std::nullopt).empty());
  // One value far out is an outlier, and a few values tell nothing.
  Floats outlier = unit;
  outlier[3] = 1e9f;
  CHECK(doubt(outlier, 1.0f, of_unit).empty());
  CHECK(doubt(Floats(5, 200.0f), 1.0f, of_unit).empty());
  has(doubt(Floats(20, 200.0f), 1.0f, of_unit), "times as large");
}

TEST_CASE("what bytes were taken for is said") {
  const auto note = [](ScaleMode mode, float largest) {
    return scale_note("x.npy", {mode, 1.0f}, ValueSizes{largest, 0.0});
  };
  CHECK(note(ScaleMode::none, 2.0f).find("taken as they are") != std::string::npos);
  CHECK(note(ScaleMode::by_255, 200.0f).find("the greatest 200: divided by 255") != std::string::npos);
  CHECK(note(ScaleMode::by_largest, 50.0f).find("divided by it") != std::string::npos);
  CHECK(scale_note("x.npy", {}, std::nullopt).find("0, which tells no scale") != std::string::npos);
}

}  // namespace
}  // namespace vaecuda::data
