// The ends of a step and of a pass: AdamUpdate, GradNorm, AdvanceStep, the fault flag, StoreRows and
// LoadRows.
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "support/catch.hpp"
#include "support/op_bench.hpp"
#include "support/oracle.hpp"
#include "support/tolerance.hpp"

using namespace vaecuda;
using test::Quantity;

namespace {

constexpr std::int64_t kBatch = 9;
constexpr std::int64_t kIn = 21;
constexpr std::int64_t kOut = 13;
constexpr std::int64_t kWeight = 16;
constexpr std::int64_t kBias = 304;  // 16 + 273 = 289, the next boundary
constexpr std::int64_t kArena = 320;

struct Settings {
  float beta1 = 0.9f;
  float beta2 = 0.999f;
  float epsilon = 1e-8f;
  float decay = 0.0f;
  bool decoupled = false;
  float clip = 0.0f;
  std::int64_t step = 0;
};

std::vector<float> arena_noise(std::uint64_t seed, double scale, double shift) {
  std::vector<float> arena(kArena, 0.0f);
  const std::vector<float> values = test::noise(kArena, seed, scale);
  const auto fill = [&](std::int64_t offset, std::int64_t count) {
    for (std::int64_t i = offset; i < offset + count; ++i)
      arena[static_cast<std::size_t>(i)] = values[static_cast<std::size_t>(i)] + static_cast<float>(shift);
  };
  fill(kWeight, kIn * kOut);
  fill(kBias, kOut);
  return arena;
}

// One layer's backward pass and update, from given moments.
struct UpdateBench {
  Settings settings;
  test::OpBench bench;
  std::vector<float> d = test::noise(kBatch * kOut, 61, 0.3);
  std::vector<float> in = test::noise(kBatch * kIn, 62, 1.0);
  std::vector<float> nll = test::noise(kBatch, 63, 5.0);
  std::vector<float> kl = test::noise(kBatch, 64, 2.0);
  std::vector<float> parameters = arena_noise(65, 0.5, 0.0);
  std::vector<float> first = arena_noise(66, 0.01, 0.0);
  std::vector<float> second = arena_noise(67, 0.001, 0.0011);

  explicit UpdateBench(const Settings& s) : settings(s), bench(kBatch, s.step * kBatch, kArena) {}

  void run(const test::Executor& executor, std::int64_t times = 1) {
    bench.set_parameters(parameters);
    bench.set_moments(first, second);
    LinearBackward op;
    op.d = bench.matrix("d", kOut, d);
    op.in = bench.matrix("in", kIn, in);
    op.layer = LinearParameters{"layer", kOut, kIn, kWeight, kBias};
    bench.add(op);
    AdamUpdate adam;
    adam.constants = {settings.beta1, settings.beta2, settings.epsilon, settings.decay, settings.decoupled};
    adam.elements = kArena;
    AdvanceStep advance;
    advance.nll = bench.matrix("nll", 1, nll);
    advance.kl = bench.matrix("kl", 1, kl);
    advance.schedule.lr = 0.01;
    advance.kl_weight = 0.5;
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

double norm_of(const oracle::Graded& gradient) {
  double sum = 0.0;
  for (const double g : gradient.value.values) sum += g * g;
  return std::sqrt(sum);
}

}  // namespace

TEST_CASE("AdamUpdate follows the paper from any moments at any step", "[adam]") {
  const std::vector<Settings> cases = {{},
                                       {0.9f, 0.999f, 1e-8f, 0.0f, false, 0.0f, 7},
                                       {0.9f, 0.999f, 1e-8f, 0.1f, false, 0.0f, 3},
                                       {0.9f, 0.999f, 1e-8f, 0.1f, true, 0.0f, 3},
                                       {0.5f, 0.9f, 1e-3f, 0.0f, false, 0.05f, 2},
                                       {0.9f, 0.999f, 1e-8f, 0.1f, true, 0.5f, 100},
                                       {0.9f, 0.999f, 1e-8f, 0.0f, false, 1e6f, 0}};
  for (const test::Executor& executor : test::executors()) {
    for (const Settings& s : cases) {
      INFO(executor.name << ", step " << s.step << ", decay " << s.decay << ", clip " << s.clip);
      UpdateBench update(s);
      update.run(executor);
      const oracle::Graded gradient = update.gradient();
      const double norm = norm_of(gradient);
      const double scale =
          s.clip > 0.0f && norm > static_cast<double>(s.clip) ? static_cast<double>(s.clip) / norm : 1.0;
      const double t = static_cast<double>(s.step) + 1.0;
      const auto beta1 = static_cast<double>(s.beta1);
      const auto beta2 = static_cast<double>(s.beta2);
      oracle::Graded m(1, kArena);
      oracle::Graded v(1, kArena);
      oracle::Graded p(1, kArena);
      for (std::size_t i = 0; i < kArena; ++i) {
        const auto before = static_cast<double>(update.parameters[i]);
        const auto decay = static_cast<double>(s.decay);
        const double g = gradient.value.values[i] * scale + (s.decoupled ? 0.0 : decay * before);
        const double g_size = gradient.magnitude.values[i] * scale + std::fabs(decay * before);
        const auto m0 = static_cast<double>(update.first[i]);
        const auto v0 = static_cast<double>(update.second[i]);
        m.value.values[i] = beta1 * m0 + (1.0 - beta1) * g;
        m.magnitude.values[i] = std::fabs(m0) + g_size;
        v.value.values[i] = beta2 * v0 + (1.0 - beta2) * g * g;
        v.magnitude.values[i] = v0 + 2.0 * (1.0 - beta2) * std::fabs(g) * g_size;
        const double root =
            std::sqrt(v.value.values[i] / (1.0 - std::pow(beta2, t))) + static_cast<double>(s.epsilon);
        const double rate = 0.01 / (1.0 - std::pow(beta1, t)) / root;
        p.value.values[i] = before - rate * m.value.values[i] - (s.decoupled ? 0.01 * decay * before : 0.0);
        // What the errors of m and of v, relative to v, move the update by.
        p.magnitude.values[i] =
            std::fabs(before) + rate * m.magnitude.values[i] +
            rate * std::fabs(m.value.values[i]) * (1.0 + v.magnitude.values[i] / (v.value.values[i] + 1e-30));
      }
      CHECK(test::compare(update.bench.moment1(), m, Quantity::adam_moment) == "");
      CHECK(test::compare(update.bench.moment2(), v, Quantity::adam_moment) == "");
      CHECK(test::compare(update.bench.parameters(), p, Quantity::adam_parameter) == "");
    }
  }
}

TEST_CASE("AdvanceStep reports the step's means", "[metrics]") {
  for (const test::Executor& executor : test::executors()) {
    for (const float clip : {0.0f, 0.05f}) {
      INFO(executor.name << ", clip " << clip);
      Settings s;
      s.step = 4;
      s.clip = clip;
      UpdateBench update(s);
      update.run(executor, 3);
      REQUIRE(update.bench.metrics().size() == 3);
      double nll = 0.0;
      double kl = 0.0;
      for (std::size_t i = 0; i < kBatch; ++i) {
        nll += static_cast<double>(update.nll[i]) / kBatch;
        kl += static_cast<double>(update.kl[i]) / kBatch;
      }
      for (std::size_t i = 0; i < 3; ++i) {
        const math::StepMetrics& line = update.bench.metrics()[i];
        CHECK(line.step == 5 + static_cast<std::int64_t>(i));
        // Means of nine floats of at most 5: rounding of a float sum.
        CHECK(line.reconstruction == Approx(nll).margin(1e-6));
        CHECK(line.kl == Approx(kl).margin(1e-6));
        CHECK(line.lr == Approx(0.01).epsilon(1e-7));
        CHECK(line.kl_weight == Approx(0.5));
        // Before clipping: single-precision gradients, so 1e-6 relative.
        CHECK(line.gradient_norm == Approx(norm_of(update.gradient())).epsilon(1e-6));
      }
    }
  }
}

TEST_CASE("a non-finite gradient raises the fault and its element stays", "[fault]") {
  for (const test::Executor& executor : test::executors()) {
    for (const float clip : {0.0f, 0.5f}) {
      for (const float poison :
           {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
        INFO(executor.name << ", clip " << clip << ", gradient " << poison);
        Settings s;
        s.clip = clip;
        UpdateBench update(s);
        update.d[2 * kOut + 5] = poison;  // output 5: weights kWeight + 5·kIn … and bias kBias + 5
        update.run(executor, 3);
        REQUIRE(update.bench.fault().has_value());
        CHECK(update.bench.fault()->step == 1);
        CHECK(update.bench.fault()->element == kWeight + 5 * kIn);
        for (std::int64_t i = 0; i < kArena; ++i) {
          const auto j = static_cast<std::size_t>(i);
          const bool hit = (i >= kWeight + 5 * kIn && i < kWeight + 6 * kIn) || i == kBias + 5;
          REQUIRE(std::isfinite(update.bench.parameters()[j]));
          if (!hit) continue;
          REQUIRE(update.bench.parameters()[j] == update.parameters[j]);
          REQUIRE(update.bench.moment1()[j] == update.first[j]);
          REQUIRE(update.bench.moment2()[j] == update.second[j]);
        }
        // Two more steps changed nothing: the same state as after one.
        UpdateBench once(s);
        once.d = update.d;
        once.run(executor);
        CHECK(test::compare_bits(once.bench.parameters(), update.bench.parameters()) == "");
        CHECK(test::compare_bits(once.bench.moment1(), update.bench.moment1()) == "");
        CHECK(test::compare_bits(once.bench.moment2(), update.bench.moment2()) == "");
      }
    }
  }
}

TEST_CASE("a non-finite loss raises the fault without an element", "[fault]") {
  for (const test::Executor& executor : test::executors()) {
    UpdateBench update(Settings{});
    update.nll[3] = std::numeric_limits<float>::quiet_NaN();
    update.run(executor, 2);
    REQUIRE(update.bench.fault().has_value());
    CHECK(update.bench.fault()->step == 1);
    CHECK(update.bench.fault()->element == -1);
  }
}

TEST_CASE("updates give the same bits for any number of threads", "[adam][threads]") {
  for (const float clip : {0.0f, 0.05f}) {
    Settings s;
    s.clip = clip;
    UpdateBench first(s);
    first.run(test::cpu_executor(1), 4);
    for (const int threads : {2, 3, 4, 7}) {
      INFO(threads << " threads, clip " << clip);
      UpdateBench other(s);
      other.run(test::cpu_executor(threads), 4);
      CHECK(test::compare_bits(other.bench.parameters(), first.bench.parameters()) == "");
      CHECK(test::compare_bits(other.bench.moment2(), first.bench.moment2()) == "");
      REQUIRE(other.bench.metrics().size() == 4);
      CHECK(other.bench.metrics()[3].gradient_norm == first.bench.metrics()[3].gradient_norm);
      CHECK(other.bench.metrics()[3].reconstruction == first.bench.metrics()[3].reconstruction);
    }
  }
}

TEST_CASE("LoadRows and StoreRows walk through a whole that B does not divide", "[rows]") {
  constexpr std::int64_t kRows = 10;
  constexpr std::int64_t kCols = 3;
  Plan plan;
  plan.name = "copy";
  plan.batch = 4;
  plan.parameter_size = 16;
  const View source = plan.whole(plan.add_buffer("source", BufferKind::exchange, kRows, kCols));
  const View target = plan.whole(plan.add_buffer("target", BufferKind::exchange, kRows, kCols));
  const View batch = plan.whole(plan.add_buffer("batch", BufferKind::activation, plan.batch, kCols));
  const View seen = plan.whole(plan.add_buffer("seen", BufferKind::exchange, kRows + 2, kCols));
  plan.ops = {LoadRows{source, batch}, StoreRows{batch, target}, StoreRows{batch, seen}, AdvancePosition{4}};
  check_plan(plan);
  place_activations(plan, lifetimes_in_order(plan));
  const std::vector<float> values = test::noise(kRows * kCols, 71);
  for (const test::Executor& executor : test::executors()) {
    const auto backend = executor.make();
    const auto store = backend->make_parameters(16, false);
    const auto program = backend->compile(plan, *store, nullptr);
    program->write(source.buffer, values);
    program->set_position(0);
    program->run(3);
    std::vector<float> copied(values.size());
    program->read(target.buffer, copied);
    CHECK(test::compare_bits(copied, values) == "");
    // Rows past the end of the source repeat its last one.
    std::vector<float> expected = values;
    for (int i = 0; i < 2; ++i) expected.insert(expected.end(), values.end() - kCols, values.end());
    std::vector<float> padded(expected.size());
    program->read(seen.buffer, padded);
    CHECK(test::compare_bits(padded, expected) == "");
    // And again from the middle.
    program->write(target.buffer, std::vector<float>(values.size(), 7.0f));
    program->set_position(4);
    program->run(1);
    program->read(target.buffer, copied);
    for (std::size_t i = 0; i < copied.size(); ++i) {
      const bool inside = i >= 4 * kCols && i < 8 * kCols;
      CHECK(copied[i] == (inside ? values[i] : 7.0f));
    }
  }
}
