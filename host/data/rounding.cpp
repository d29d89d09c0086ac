#include "host/data/rounding.hpp"

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <utility>

#include "host/data/message.hpp"

namespace vaecuda::data {
namespace {

constexpr std::size_t kFewest = 8;  ///< different values that can tell

bool become_one(double a, double b) {
  return a != b && static_cast<float>(a) == static_cast<float>(b);
}

}  // namespace

std::int64_t RoundingProbe::rows_of(std::int64_t rows, std::int64_t columns) {
  const std::int64_t most = std::min({rows, kRows, kValues / std::max<std::int64_t>(columns, 1)});
  return most < static_cast<std::int64_t>(kFewest) ? 0 : most;
}

void RoundingProbe::add(std::int64_t column, std::vector<double> values) {
  std::erase_if(values, [](double value) { return !(std::abs(value) <= static_cast<double>(FLT_MAX)); });
  // Where half of the values are lost, neighbours are among them, in almost any order of the rows.
  const auto pair = std::adjacent_find(values.begin(), values.end(), become_one);
  if (pair == values.end()) return;
  const double example = *pair;
  const double neighbour = *(pair + 1);
  std::vector<double> sorted = std::move(values);
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  std::size_t left = sorted.size();
  for (std::size_t i = 1; i < sorted.size(); ++i) left -= become_one(sorted[i - 1], sorted[i]) ? 1 : 0;
  // A pair that differs in its last digits is the noise of a computation.
  if (sorted.size() < kFewest || 2 * left > sorted.size()) return;
  if (count_++ > 0) return;
  first_ = column;
  different_ = sorted.size();
  left_ = left;
  example_ = example;
  neighbour_ = neighbour;
}

std::vector<std::string> RoundingProbe::warnings(const std::string& name, const std::string& column) const {
  if (!first_) return {};
  const std::string others =
      count_ > 1 ? fmt::format(" (and {})", counted(count_ - 1, "more column")) : std::string();
  return {
      fmt::format("{}: {}{}: {} different values in the first rows are {} as 32-bit floats ({} and {} become "
                  "equal): subtract a constant from the column, such as its smallest value, beforehand "
                  "(--standardize is computed from the rounded values)",
                  name, column, others, different_, left_, example_, neighbour_)};
}

}  // namespace vaecuda::data
