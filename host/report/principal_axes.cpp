#include "host/report/principal_axes.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace vaecuda {
namespace {

using Vector = std::vector<double>;

double dot(const Vector& a, const Vector& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

/// Normalizes `v`; a vector of length 0 becomes 0.
void normalize(Vector& v) {
  const double length = std::sqrt(dot(v, v));
  for (double& value : v) value = length > 0.0 ? value / length : 0.0;
}

void remove_part(Vector& v, const Vector& along) {
  const double part = dot(v, along);
  for (std::size_t i = 0; i < v.size(); ++i) v[i] -= part * along[i];
}

/// Rows minus their mean.
struct Centered {
  std::vector<Vector> rows;
  Vector deviation;  ///< of each column
  double variance = 0.0;

  Centered(std::span<const float> values, std::size_t columns) : deviation(columns, 0.0) {
    const std::size_t count = values.size() / columns;
    rows.assign(count, Vector(columns));
    for (std::size_t column = 0; column < columns; ++column) {
      double mean = 0.0;
      for (std::size_t row = 0; row < count; ++row)
        mean += static_cast<double>(values[row * columns + column]);
      mean /= static_cast<double>(count);
      double squares = 0.0;
      for (std::size_t row = 0; row < count; ++row) {
        const double value = static_cast<double>(values[row * columns + column]) - mean;
        rows[row][column] = value;
        squares += value * value;
      }
      variance += squares / static_cast<double>(count);
      deviation[column] = std::sqrt(squares / static_cast<double>(count));
    }
  }

  /// The covariance matrix times v.
  [[nodiscard]] Vector covariance_times(const Vector& v) const {
    Vector result(v.size(), 0.0);
    for (const Vector& row : rows) {
      const double weight = dot(row, v) / static_cast<double>(rows.size());
      for (std::size_t i = 0; i < v.size(); ++i) result[i] += weight * row[i];
    }
    return result;
  }
};

void point_to_greatest(Vector& v) {
  const auto greatest =
      std::max_element(v.begin(), v.end(), [](double a, double b) { return std::abs(a) < std::abs(b); });
  if (greatest == v.end() || *greatest >= 0.0) return;
  for (double& value : v) value = -value;
}

/// The rows of `values` with only finite values; `known` receives which they are.
std::vector<float> finite_rows(std::span<const float> values, std::size_t width, std::vector<bool>& known) {
  std::vector<float> kept;
  for (std::size_t at = 0; at + width <= values.size(); at += width) {
    const auto row = values.subspan(at, width);
    known.push_back(std::all_of(row.begin(), row.end(), [](float value) { return std::isfinite(value); }));
    if (known.back()) kept.insert(kept.end(), row.begin(), row.end());
  }
  return kept;
}

}  // namespace

PlaneView principal_plane(std::span<const float> all, std::int64_t columns) {
  PlaneView view;
  if (all.empty() || columns < 1) return view;
  const auto width = static_cast<std::size_t>(columns);
  std::vector<bool> known;
  const std::vector<float> values = finite_rows(all, width, known);
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  view.points.assign(known.size(), {kNaN, kNaN});
  if (values.empty()) return view;
  const Centered data(values, width);
  // A start vector that is unlikely to be orthogonal to an axis of the data.
  Vector first(width);
  Vector second(width);
  for (std::size_t i = 0; i < width; ++i) {
    first[i] = data.deviation[i] * std::cos(static_cast<double>(i) + 1.0);
    second[i] = data.deviation[i] * std::sin(2.0 * static_cast<double>(i) + 1.0);
  }
  constexpr int kIterations = 100;  // enough for a picture: axes still mixed have similar variance
  constexpr double kSettled = 1e-12;
  normalize(first);
  for (int i = 0; i < kIterations; ++i) {
    Vector next = data.covariance_times(first);
    normalize(next);
    remove_part(second, next);
    normalize(second);
    Vector beside = data.covariance_times(second);
    remove_part(beside, next);
    normalize(beside);
    const bool settled =
        1.0 - std::abs(dot(first, next)) < kSettled && 1.0 - std::abs(dot(second, beside)) < kSettled;
    first = std::move(next);
    second = std::move(beside);
    if (settled) break;
  }
  point_to_greatest(first);
  point_to_greatest(second);
  std::array<double, 2> spread{};
  auto row = data.rows.begin();
  for (std::size_t i = 0; i < known.size(); ++i) {
    if (!known[i]) continue;
    view.points[i] = {dot(*row, first), dot(*row, second)};
    for (std::size_t side = 0; side < 2; ++side) spread[side] += view.points[i][side] * view.points[i][side];
    ++row;
  }
  for (std::size_t side = 0; side < 2; ++side) {
    view.share[side] =
        data.variance > 0.0 ? spread[side] / static_cast<double>(data.rows.size()) / data.variance : 0.0;
  }
  return view;
}

}  // namespace vaecuda
