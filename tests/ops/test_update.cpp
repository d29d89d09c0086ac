// The ends of a step and of a pass: AdamUpdate, GradNorm, AdvanceStep, the fault flag, StoreRows and
// LoadRows.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "ops/update_bench.hpp"
#include "support/catch.hpp"
#include "support/oracle.hpp"
#include "support/step_metrics.hpp"
#include "support/tolerance.hpp"

using namespace vaecuda;
using test::kArena;
using test::kBatch;
using test::kIn;
using test::kOut;
using test::kWeight;
using test::norm_of;
using test::Quantity;
using test::Settings;
using test::UpdateBench;

TEST_CASE("AdamUpdate follows the paper from any moments at any step", "[adam]") {
  const std::vector<Settings> cases = {{},
                                       {0.9f, 0.999f, 1e-8f, 0.0f, false, 0.0f, 7},
                                       {0.9f, 0.999f, 1e-8f, 0.1f, false, 0.0f, 3},
                                       {0.9f, 0.999f, 1e-8f, 0.1f, true, 0.0f, 3},
                                       {0.5f, 0.9f, 1e-3f, 0.0f, false, 0.05f, 2},
                                       {0.9f, 0.999f, 1e-8f, 0.1f, true, 0.5f, 100},
                                       {0.9f, 0.999f, 1e-8f, 0.0f, false, 1e6f, 0},
                                       // Squares overflow fp32, but not what clipping leaves of the gradient.
                                       {0.9f, 0.999f, 1e-8f, 0.0f, false, 0.5f, 3, 1e20f},
                                       {0.9f, 0.999f, 1e-8f, 0.1f, true, 0.5f, 3, 3e37f}};
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
      CHECK_FALSE(update.bench.fault().has_value());
      REQUIRE(update.bench.metrics().size() == 1);
      CHECK(update.bench.metrics()[0].gradient_norm == Approx(norm).epsilon(1e-6));
      CHECK(test::compare(update.bench.moment1(), m, Quantity::adam_moment) == "");
      CHECK(test::compare(update.bench.moment2(), v, Quantity::adam_moment) == "");
      CHECK(test::compare(update.bench.parameters(), p, Quantity::adam_parameter) == "");
    }
  }
}

#if defined(__SSE2__)
TEST_CASE("the CPU takes moments that are no normal numbers for zero where no weight can differ", "[adam]") {
  constexpr float kSubnormal = 1e-40f;
  constexpr std::int64_t kIdle = 3;  // an output without a gradient
  for (const test::Executor& executor : test::executors()) {
    if (executor.name.rfind("cpu", 0) != 0) continue;
    for (const float clip : {0.0f, 1e6f}) {
      for (const float epsilon : {1e-8f, 1e-20f}) {
        INFO(executor.name << ", clip " << clip << ", epsilon " << epsilon);
        UpdateBench update({0.9f, 0.999f, epsilon, 0.0f, false, clip, 7});
        for (std::int64_t r = 0; r < test::kBatch; ++r)
          update.d[static_cast<std::size_t>(r * test::kOut + kIdle)] = 0.0f;
        const auto row = static_cast<std::size_t>(test::kWeight + kIdle * test::kIn);
        for (std::size_t i = row; i < row + test::kIn; ++i) update.first[i] = kSubnormal;
        update.run(executor);
        const std::vector<float> moment = update.bench.moment1();
        const std::vector<float> parameter = update.bench.parameters();
        for (std::size_t i = row; i < row + test::kIn; ++i) {
          CHECK((moment[i] == 0.0f) == (epsilon == 1e-8f));
          CHECK(parameter[i] == update.parameters[i]);
        }
        // The thread that asked for the step goes on with all numbers.
        const volatile float number = kSubnormal;
        const volatile float sum = number + number;
        CHECK(sum > 0.0f);
      }
    }
  }
}
#endif

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
        CHECK(test::reconstruction_of(line) == Approx(nll).margin(1e-6));
        CHECK(test::kl_of(line) == Approx(kl).margin(1e-6));
        CHECK(line.lr == Approx(0.01).epsilon(1e-7));
        CHECK(line.loss_weight == Approx(0.5));
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
        update.d[2 * kOut + 5] = poison;  // output 5: weights kWeight + 5·kIn … and bias test::kBias + 5
        update.run(executor, 3);
        REQUIRE(update.bench.fault().has_value());
        CHECK(update.bench.fault()->step == 1);
        CHECK(update.bench.fault()->element == kWeight + 5 * kIn);
        for (std::int64_t i = 0; i < kArena; ++i) {
          const auto j = static_cast<std::size_t>(i);
          const bool hit = (i >= kWeight + 5 * kIn && i < kWeight + 6 * kIn) || i == test::kBias + 5;
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

TEST_CASE("a gradient too large for its square raises the fault at its element alone", "[fault]") {
  // Clipping that does not bring it down far enough, or none.
  for (const test::Executor& executor : test::executors()) {
    for (const float clip : {0.0f, 1e25f, 1e20f}) {
      INFO(executor.name << ", clip " << clip);
      Settings s;
      s.clip = clip;
      s.spike = clip == 1e20f ? 1e22f : 1e20f;
      UpdateBench update(s);
      update.run(executor, 2);
      const oracle::Graded gradient = update.gradient();
      const double norm = norm_of(gradient);
      const auto bound = static_cast<double>(clip);
      const double scale = clip > 0.0f && norm > bound ? bound / norm : 1.0;
      const double largest = std::sqrt(static_cast<double>(std::numeric_limits<float>::max()));
      REQUIRE(update.bench.fault().has_value());
      CHECK(update.bench.fault()->step == 1);
      std::int64_t first_bad = -1;
      for (std::int64_t i = 0; i < kArena; ++i) {
        const auto j = static_cast<std::size_t>(i);
        const double g = std::fabs(gradient.value.values[j]) * scale;
        REQUIRE(std::fabs(g / largest - 1.0) > 1e-5);  // or rounding would decide
        REQUIRE(std::isfinite(update.bench.parameters()[j]));
        const bool stays = g > largest;
        if (stays && first_bad < 0) first_bad = i;
        REQUIRE((update.bench.moment2()[j] == update.second[j]) == (stays || update.second[j] == 0.0f));
        if (stays) REQUIRE(update.bench.parameters()[j] == update.parameters[j]);
      }
      CHECK(first_bad > kWeight);
      CHECK(update.bench.fault()->element == first_bad);
    }
  }
}

TEST_CASE("a sum of squares that overflows fp32 is no fault", "[fault]") {
  for (const test::Executor& executor : test::executors()) {
    INFO(executor.name);
    Settings s;
    s.spike = 1.5e19f;  // 21 weights of up to as much: each has a square in fp32, their sum has none
    UpdateBench update(s);
    update.run(executor);
    CHECK_FALSE(update.bench.fault().has_value());
    REQUIRE(update.bench.metrics().size() == 1);
    CHECK(update.bench.metrics()[0].gradient_norm == Approx(norm_of(update.gradient())).epsilon(1e-6));
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

TEST_CASE("the learning rate follows its schedule from any step", "[schedule]") {
  constexpr std::int64_t kSteps = 5;
  struct Case {
    const char* name;
    oracle::LearningRate rate;
    std::vector<std::int64_t> from;
  };
  std::vector<Case> cases;
  oracle::LearningRate rate;
  rate.lr = 0.4;
  cases.push_back({"constant", rate, {0}});
  rate.kind = oracle::Rate::cosine;
  rate.steps = 12;
  rate.least = 0.1;
  cases.push_back({"cosine", rate, {0, 9}});
  rate.warmup = 4;
  cases.push_back({"cosine behind a rise", rate, {0, 2, 9, 30}});
  rate.warmup = 12;
  cases.push_back({"a rise and no more", rate, {9}});
  rate.kind = oracle::Rate::exponential;
  rate.gamma = 0.5;
  rate.rows = 20;
  rate.batch = kBatch;
  cases.push_back({"exponential", rate, {0, 4}});
  rate.rows = 4;  // several epochs a step
  cases.push_back({"exponential, small data", rate, {0}});
  rate.kind = oracle::Rate::stages;
  rate.stages = {{2, 0.2}, {3, 0.3}, {100, 0.05}};
  cases.push_back({"stages", rate, {0, 97}});
  for (const test::Executor& executor : test::executors()) {
    for (const Case& c : cases) {
      for (const std::int64_t from : c.from) {
        INFO(executor.name << ", " << c.name << ", from step " << from);
        Settings s;
        s.step = from;
        s.epsilon =
            0.1f;  // the size of the gradient counts, so that an error is not blown up where it is small
        UpdateBench update(s);
        update.schedule.kind = static_cast<math::ScheduleKind>(c.rate.kind);
        update.schedule.lr = c.rate.lr;
        update.schedule.min_fraction = c.rate.least / c.rate.lr;
        update.schedule.warmup_steps = c.rate.warmup;
        update.schedule.total_steps = c.rate.steps;
        update.schedule.gamma = c.rate.gamma;
        update.schedule.rows = c.rate.rows;
        update.schedule.batch = c.rate.batch;
        for (const auto& [step, lr] : c.rate.stages) {
          update.schedule.stage_step[update.schedule.stage_count] = step;
          update.schedule.stage_lr[update.schedule.stage_count++] = lr;
        }
        update.run(executor, kSteps);
        oracle::Adam adam;
        adam.epsilon = static_cast<double>(s.epsilon);
        adam.beta1 = static_cast<double>(s.beta1);
        adam.beta2 = static_cast<double>(s.beta2);
        adam.t = static_cast<int>(from);
        adam.m = {update.first.begin(), update.first.end()};
        adam.v = {update.second.begin(), update.second.end()};
        std::vector<double> expected(update.parameters.begin(), update.parameters.end());
        REQUIRE(update.bench.metrics().size() == kSteps);
        for (std::int64_t k = 0; k < kSteps; ++k) {
          adam.lr = c.rate.at(from + k);
          CHECK(update.bench.metrics()[static_cast<std::size_t>(k)].step == from + k + 1);
          CHECK(update.bench.metrics()[static_cast<std::size_t>(k)].lr == Approx(adam.lr).epsilon(1e-12));
          adam.step(expected, update.gradient().value.values);
        }
        // Some twenty roundings of numbers around 1; a rate off by 1e-4 would show.
        double largest = 0.0;
        for (std::size_t i = 0; i < kArena; ++i) {
          const auto actual = static_cast<double>(update.bench.parameters()[i]);
          largest = std::max(largest, std::fabs(actual - expected[i]) / (1.0 + std::fabs(expected[i])));
        }
        CHECK(largest < 2e-6);
      }
    }
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
      CHECK(test::reconstruction_of(other.bench.metrics()[3]) ==
            test::reconstruction_of(first.bench.metrics()[3]));
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
