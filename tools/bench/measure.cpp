#include "bench/measure.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>

namespace vaecuda::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kRepeatSeconds = 0.05;  // far above the cost of reading a clock or starting a region
constexpr double kWarmUpSeconds = 0.5;   // until clocks have risen and pages are mapped
constexpr double kWarmUpShare = 0.2;     // of the budget, at most
constexpr double kRepeatsInBudget = 20.0;
constexpr double kEnough = 0.005;  // error of the median, relative to the median

double seconds_since(Clock::time_point began) {
  return std::chrono::duration<double>(Clock::now() - began).count();
}

/// Warms up; returns the runs per repeat.
std::int64_t warm_up(const Budget& budget, const Repeat& repeat) {
  const double wanted = std::min(kRepeatSeconds, budget.seconds / kRepeatsInBudget);
  const double least = std::min(kWarmUpSeconds, kWarmUpShare * budget.seconds);
  const Clock::time_point began = Clock::now();
  std::int64_t runs = 1;
  for (;;) {
    const Clock::time_point repeat_began = Clock::now();
    static_cast<void>(repeat(runs));
    const double took = std::max(seconds_since(repeat_began), 1e-9);
    // The first runs are slow, so the number is increased in steps until it is stable.
    const double fits = static_cast<double>(runs) * wanted / took;
    const double next = std::clamp(fits, 1.0, 8.0 * static_cast<double>(runs));
    const bool settled = took >= wanted / 2.0;
    runs = static_cast<std::int64_t>(next);
    if (settled && seconds_since(began) >= least) return runs;
  }
}

double spread_of(const std::vector<double>& sorted) {
  return quantile(sorted, 0.75) - quantile(sorted, 0.25);
}

/// The error of the median of this many values, from the quartiles (the notch of a box plot).
double median_error(const std::vector<double>& sorted) {
  constexpr double kNotch = 1.57;
  return kNotch * spread_of(sorted) / std::sqrt(static_cast<double>(sorted.size()));
}

}  // namespace

double quantile(const std::vector<double>& sorted, double share) {
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

std::vector<Measurement> measure_parts(const Budget& budget, const Repeat& repeat) {
  const std::int64_t runs = warm_up(budget, repeat);
  std::vector<std::vector<double>> parts;  // by part and repeat
  std::vector<double> sums;                // sorted
  const Clock::time_point began = Clock::now();
  bool enough = false;
  while (!enough) {
    const std::vector<double> seconds = repeat(runs);
    parts.resize(seconds.size());
    for (std::size_t i = 0; i < seconds.size(); ++i) parts[i].push_back(seconds[i]);
    const double sum = std::accumulate(seconds.begin(), seconds.end(), 0.0);
    sums.insert(std::upper_bound(sums.begin(), sums.end(), sum), sum);
    const bool known = static_cast<std::int64_t>(sums.size()) >= budget.min_repeats &&
                       median_error(sums) <= kEnough * quantile(sums, 0.5);
    enough = known || seconds_since(began) >= budget.seconds;
  }
  std::vector<Measurement> measurements;
  for (std::vector<double>& values : parts) {
    std::sort(values.begin(), values.end());
    Measurement m;
    m.seconds = quantile(values, 0.5);
    m.fastest = values.front();
    if (values.size() > 1 && m.seconds > 0.0) m.spread = spread_of(values) / m.seconds;
    m.repeats = static_cast<std::int64_t>(values.size());
    m.runs_per_repeat = runs;
    measurements.push_back(m);
  }
  return measurements;
}

Measurement measure(const Budget& budget, const std::function<double(std::int64_t runs)>& seconds) {
  return measure_parts(budget,
                       [&](std::int64_t runs) {
                         return std::vector<double>{seconds(runs) / static_cast<double>(runs)};
                       })
      .front();
}

}  // namespace vaecuda::bench
