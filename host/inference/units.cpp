#include "host/inference/units.hpp"

#include <cmath>

#include "vaecuda/likelihood.hpp"

namespace vaecuda {

void undo_standardization(std::span<float> rows, const Preparation& preparation) {
  const std::size_t columns = preparation.mean.size();
  if (columns == 0) return;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::size_t c = i % columns;
    rows[i] = rows[i] / preparation.inverse_deviation[c] + preparation.mean[c];
  }
}

void to_data_units(std::span<float> rows, const Preparation& preparation, Likelihood likelihood) {
  undo_standardization(rows, preparation);
  const float scale = preparation.scale;
  if (scale == 1.0f) return;
  for (float& x : rows) x /= scale;
  if (traits_of(likelihood).domain != ValueDomain::unit) return;
  // A mean of 1 divided by the scale may come back one rounding above 1.
  for (float& x : rows) {
    if (x * scale > 1.0f) x = std::nextafter(x, 0.0f);
  }
}

}  // namespace vaecuda
