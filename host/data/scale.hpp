// Of what scale values are: what is measured of them, the factor that a run takes for them, and whether other
// rows can be of the same scale.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "host/data/sparse.hpp"
#include "kernels/math/value_statistics.h"
#include "vaecuda/config.hpp"
#include "vaecuda/dataset.hpp"

namespace vaecuda::data {

/// Sizes of values, gathered as they pass.
class ValueMeter {
 public:
  /// What a few values are like, to be checked without looking at each.
  struct Extent {
    float largest = 0.0f;      ///< magnitude; infinite or NaN where a value is
    bool is_negative = false;  ///< some value is below 0
  };

  Extent add(std::span<const float> values);
  void add(std::span<const std::uint8_t> values);
  void add(std::span<const std::uint16_t> values);
  void add(const math::ValueTotals& totals);
  /// All of a data set's.
  void add(const Dataset& data) {
    add(data.u8());
    add(data.f32());
    data::with_arrays(data.sparse(), [this](auto, auto values) { add(values); });
  }
  [[nodiscard]] math::ValueTotals totals() const;
  /// Absent where there was no value other than 0.
  [[nodiscard]] std::optional<ValueSizes> sizes() const;
  /// How many values other than 0 there were.
  [[nodiscard]] std::int64_t count() const { return count_; }

 private:
  float largest_ = 0.0f;
  std::int64_t exponents_ = 0;  ///< sum of the whole parts of log2 |x|
  std::int64_t count_ = 0;
};

/// Bytes whose greatest value over the training rows is at least this are grey values; below it, where the
/// upper half of a byte's range is empty, they are codes, counts or 0 and 1.
inline constexpr float kLeastGrey = 128.0f;

struct Scale {
  ScaleMode mode = ScaleMode::none;  ///< the answer: none, by_255 or by_largest
  float factor = 1.0f;
};

/// The scale of a run, by what was asked for and the training rows. `by_type`: bytes are grey values whatever
/// they hold, as runs of version 1 of the state file have it.
[[nodiscard]] Scale choose_scale(ScaleMode asked, ElementType type, const std::optional<ValueSizes>& training,
                                 bool by_type = false);
/// The mode that stands for a model's factor.
[[nodiscard]] ScaleMode mode_of(float factor);

/// One line on what bytes were taken for, where a person may want it otherwise.
[[nodiscard]] std::string scale_note(const std::string& name, const Scale& scale,
                                     const std::optional<ValueSizes>& training);

/// Why the rows of `name`, all of them measured, can hardly be of the scale of the training rows, with the
/// remedy; empty where they can. `factor`: what raw values are multiplied by. `training`: absent where it is
/// not known.
[[nodiscard]] std::string scale_doubt(const std::string& name, const ValueMeter& rows, float factor,
                                      const std::optional<ValueSizes>& training);

}  // namespace vaecuda::data
