// Steps whose loss, gradient or new weights are not finite: what stops, what is left out, what stays.
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "ops/update_bench.hpp"
#include "support/catch.hpp"
#include "support/op_bench.hpp"
#include "support/tolerance.hpp"

using namespace vaecuda;
using test::kOut;
using test::kWeight;
using test::Settings;
using test::UpdateBench;

TEST_CASE("an update that would overflow raises the fault in its own step and its element stays", "[fault]") {
  for (const test::Executor& executor : test::executors()) {
    for (const bool decoupled : {false, true}) {
      for (const float clip : {0.0f, 0.5f}) {
        for (const bool skip : {false, true}) {
          if (skip && clip == 0.0f) continue;
          INFO(executor.name << ", decoupled " << decoupled << ", clip " << clip << ", skip " << skip);
          Settings s;
          s.decay = 1e12f;
          s.decoupled = decoupled;
          s.clip = clip;
          s.skip = skip;
          UpdateBench update(s);
          constexpr std::int64_t kHit = kWeight + 7;
          constexpr auto kAt = static_cast<std::size_t>(kHit);
          update.parameters[kAt] = 3e38f;
          update.run(executor, 2);
          REQUIRE(update.bench.fault().has_value());
          CHECK(update.bench.fault()->step == 1);
          CHECK(update.bench.fault()->element == kHit);
          CHECK(update.bench.parameters()[kAt] == update.parameters[kAt]);
          CHECK(update.bench.moment1()[kAt] == update.first[kAt]);
          CHECK(update.bench.moment2()[kAt] == update.second[kAt]);
          for (const float p : update.bench.parameters()) REQUIRE(std::isfinite(p));
          for (const float v : update.bench.moment2()) REQUIRE(std::isfinite(v));
        }
      }
    }
  }
}

TEST_CASE("with skipping, a step that is not finite changes nothing but the step", "[fault]") {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  struct Plant {
    const char* name;
    void (*set)(UpdateBench&);
  };
  const std::vector<Plant> plants = {
      {"nll nan", [](UpdateBench& u) { u.nll[3] = kNan; }},
      {"nll inf", [](UpdateBench& u) { u.nll[8] = kInfinity; }},
      {"kl inf", [](UpdateBench& u) { u.kl[0] = -kInfinity; }},
      {"gradient nan", [](UpdateBench& u) { u.d[2 * kOut + 5] = kNan; }},
      {"gradient inf", [](UpdateBench& u) { u.d[kOut - 1] = kInfinity; }},
  };
  for (const test::Executor& executor : test::executors()) {
    for (const float clip : {0.5f, 1.8e19f}) {
      Settings s;
      s.clip = clip;
      s.skip = true;
      for (const Plant& plant : plants) {
        INFO(executor.name << ", clip " << clip << ", " << plant.name);
        UpdateBench update(s);
        plant.set(update);
        update.run(executor, 3);
        CHECK_FALSE(update.bench.fault().has_value());
        CHECK(test::compare_bits(update.bench.parameters(), update.parameters) == "");
        CHECK(test::compare_bits(update.bench.moment1(), update.first) == "");
        CHECK(test::compare_bits(update.bench.moment2(), update.second) == "");
        REQUIRE(update.bench.metrics().size() == 3);
        for (std::int64_t i = 0; i < 3; ++i) {
          CHECK(update.bench.metrics()[static_cast<std::size_t>(i)].step == i + 1);
          CHECK(std::isnan(update.bench.metrics()[static_cast<std::size_t>(i)].gradient_norm));
        }
      }
      // Where everything is finite it is the clipped step itself.
      UpdateBench skipping(s);
      skipping.run(executor, 2);
      s.skip = false;
      UpdateBench clipping(s);
      clipping.run(executor, 2);
      CHECK(test::compare_bits(skipping.bench.parameters(), clipping.bench.parameters()) == "");
      CHECK(test::compare_bits(skipping.bench.moment2(), clipping.bench.moment2()) == "");
      CHECK(skipping.bench.metrics()[1].gradient_norm == clipping.bench.metrics()[1].gradient_norm);
    }
  }
}
