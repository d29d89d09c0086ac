// One layer's backward pass and update, with everything given: gradients, moments, step, schedule.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "support/op_bench.hpp"
#include "support/oracle.hpp"

namespace vaecuda::test {

inline constexpr std::int64_t kBatch = 9;
inline constexpr std::int64_t kIn = 21;
inline constexpr std::int64_t kOut = 13;
inline constexpr std::int64_t kWeight = 16;
inline constexpr std::int64_t kBias = 304;  // 16 + 273 = 289, the next boundary
inline constexpr std::int64_t kArena = 320;

struct Settings {
  float beta1 = 0.9f;
  float beta2 = 0.999f;
  float epsilon = 1e-8f;
  float decay = 0.0f;
  bool decoupled = false;
  float clip = 0.0f;
  std::int64_t step = 0;
  float spike = 0.0f;  ///< one element of d, if it is not 0
  bool skip = false;   ///< AdvanceStep::skip_nonfinite
};

inline std::vector<float> arena_noise(std::uint64_t seed, double scale, double shift) {
  std::vector<float> arena(kArena, 0.0f);
  const std::vector<float> values = noise(kArena, seed, scale);
  const auto fill = [&](std::int64_t offset, std::int64_t count) {
    for (std::int64_t i = offset; i < offset + count; ++i)
      arena[static_cast<std::size_t>(i)] = values[static_cast<std::size_t>(i)] + static_cast<float>(shift);
  };
  fill(kWeight, kIn * kOut);
  fill(kBias, kOut);
  return arena;
}

struct UpdateBench {
  Settings settings;
  OpBench bench;
  std::vector<float> d = noise(kBatch * kOut, 61, 0.3);
  std::vector<float> in = noise(kBatch * kIn, 62, 1.0);
  std::vector<float> nll = noise(kBatch, 63, 5.0);
  std::vector<float> kl = noise(kBatch, 64, 2.0);
  std::vector<float> parameters = arena_noise(65, 0.5, 0.0);
  std::vector<float> first = arena_noise(66, 0.01, 0.0);
  std::vector<float> second = arena_noise(67, 0.001, 0.0011);
  math::Schedule schedule;

  explicit UpdateBench(const Settings& s) : settings(s), bench(kBatch, s.step * kBatch, kArena) {
    schedule.lr = 0.01;
    if (s.spike != 0.0f) d[2 * kOut + 5] = s.spike;  // of output 5
  }

  void run(const Executor& executor, std::int64_t times = 1) {
    bench.set_parameters(parameters);
    bench.set_moments(first, second);
    LinearBackward op;
    op.d = bench.matrix("d", kOut, d);
    op.in = bench.matrix("in", kIn, in);
    op.layer = LinearParameters{.name = "layer", .out = kOut, .in = kIn, .weight = kWeight, .bias = kBias};
    bench.add(op);
    AdamUpdate adam;
    adam.constants = {.beta1 = settings.beta1,
                      .beta2 = settings.beta2,
                      .epsilon = settings.epsilon,
                      .weight_decay = settings.decay,
                      .decoupled = settings.decoupled};
    adam.ranges = {{0, kArena}};
    AdvanceStep advance;
    const View nll_rows = bench.matrix("nll", 1, nll);
    advance.loss = elbo_rows(nll_rows, bench.matrix("kl", 1, kl));
    advance.schedule = schedule;
    advance.loss_schedule.beta = 0.5;
    advance.skip_nonfinite = settings.skip;
    advance.beta1 = static_cast<double>(settings.beta1);
    advance.beta2 = static_cast<double>(settings.beta2);
    bench.end_training(adam, advance, settings.clip);
    bench.run(executor, nullptr, times);
  }

  // The gradient of the whole arena, and its magnitudes.
  [[nodiscard]] oracle::Graded gradient() const {
    const oracle::LinearGradients g =
        oracle::linear_backward(oracle::from_floats(d, kBatch, kOut), oracle::from_floats(in, kBatch, kIn),
                                oracle::Matrix(kOut, kIn), oracle::Act::identity, {});
    oracle::Graded all(1, kArena);
    for (std::int64_t i = 0; i < kOut * kIn; ++i) {
      all.value.at(0, kWeight + i) = g.weight.value.values[static_cast<std::size_t>(i)];
      all.magnitude.at(0, kWeight + i) = g.weight.magnitude.values[static_cast<std::size_t>(i)];
    }
    for (std::int64_t i = 0; i < kOut; ++i) {
      all.value.at(0, kBias + i) = g.bias.value.values[static_cast<std::size_t>(i)];
      all.magnitude.at(0, kBias + i) = g.bias.magnitude.values[static_cast<std::size_t>(i)];
    }
    return all;
  }
};

inline double norm_of(const oracle::Graded& gradient) {
  double sum = 0.0;
  for (const double g : gradient.value.values) sum += g * g;
  return std::sqrt(sum);
}

}  // namespace vaecuda::test
