// Training on a device follows training on the CPU: whole steps, for long enough that an error of one op
// would grow.
#include <cstdint>
#include <iostream>
#include <string>
#include <vector>

#include "host/plan/captured_steps.hpp"
#include "support/catch.hpp"
#include "support/model_bench.hpp"
#include "support/op_bench.hpp"
#include "support/run_distance.hpp"

using namespace vaecuda;

namespace {

constexpr std::int64_t kSteps = 100;

struct Case {
  const char* name;
  test::TrainingBench bench;
};

/// 50-32-16-4 in batches of 24 of 101 rows: ragged everywhere, and batches run across the data's end.
std::vector<Case> cases() {
  std::vector<Case> all(3);
  for (Case& c : all) c.bench.config = test::small_config(50, {32, 16}, 4, 24);
  all[0].name = "relu, Bernoulli";
  all[1].name = "gelu, Gaussian, clipped, cosine behind a rise";
  all[1].bench.config.model.activation = Activation::gelu;
  all[1].bench.config.model.likelihood = Likelihood::gaussian;
  all[1].bench.config.optimizer.clip_norm = 0.5;
  all[1].bench.config.optimizer.schedule.kind = LrScheduleKind::cosine;
  all[1].bench.config.optimizer.schedule.warmup_steps = 10;
  all[1].bench.total_steps = kSteps;
  all[2].name = "gelu-tanh, Bernoulli by chance, AdamW";
  all[2].bench.config.model.activation = Activation::gelu_tanh;
  all[2].bench.config.optimizer.kind = OptimizerKind::adamw;
  all[2].bench.config.optimizer.weight_decay = 0.05;
  all[2].bench.preparation.binarize = Binarize::stochastic;
  return all;
}

Dataset data() {
  std::vector<float> values = test::noise(101 * 50, 101, 0.5);
  for (float& v : values) v += 0.5f;
  return Dataset(values, 101, 50);
}

// docs/numerics.md, Following the CPU, says what these are.
const test::Distance kOwnNormals{8e-7, 6e-7, 2.5e-5};
const test::Distance kHardwareNormals{1.4e-5, 2.5e-5, 1.2e-4};

bool is_cpu(const test::Executor& executor) {
  return executor.name.rfind("cpu", 0) == 0;
}

}  // namespace

TEST_CASE("a hundred steps on a device follow the CPU", "[parity]") {
  const Dataset rows = data();
  for (const Case& c : cases()) {
    const test::TrainingResult cpu = c.bench.run(test::cpu_executor(1), rows, kSteps);
    for (const test::Executor& executor : test::executors()) {
      if (is_cpu(executor)) continue;
      const test::Distance d = test::distance(cpu, c.bench.run(executor, rows, kSteps), kSteps);
      INFO(executor.name << ", " << c.name);
      CAPTURE(d.loss, d.gradient_norm, d.parameters);
      CHECK(is_near(d, executor.hardware_normals ? kHardwareNormals : kOwnNormals));
    }
  }
}

TEST_CASE("a run that does not follow would be noticed", "[parity]") {
  const Dataset rows = data();
  const test::TrainingBench bench = cases().front().bench;
  const test::TrainingResult cpu = bench.run(test::cpu_executor(1), rows, kSteps);
  test::TrainingBench other = bench;
  other.config.optimizer.lr *= 1.002;
  CHECK_FALSE(
      is_near(test::distance(cpu, other.run(test::cpu_executor(1), rows, kSteps), kSteps), kHardwareNormals));
  other = bench;
  other.config.objective.beta = 1.002 * bench.config.objective.beta;
  CHECK_FALSE(
      is_near(test::distance(cpu, other.run(test::cpu_executor(1), rows, kSteps), kSteps), kHardwareNormals));
  other = bench;
  other.config.optimizer.beta2 = 0.998;
  CHECK_FALSE(
      is_near(test::distance(cpu, other.run(test::cpu_executor(1), rows, kSteps), kSteps), kHardwareNormals));
}

TEST_CASE("a step of the tutorial's VAE is one graph of few kernels", "[parity][launches]") {
  test::TrainingBench bench;
  bench.config = test::small_config(784, {400}, 20, 128);
  std::vector<std::uint8_t> pixels(200 * 784, 0);
  const Dataset rows(pixels, 200, 784);
  bench.preparation.scale = 1.0f / 255.0f;
  for (const test::Executor& executor : test::executors()) {
    if (is_cpu(executor)) continue;
    const ParameterLayout layout = bench.layout();
    const Plan plan = build_training_plan({.layout = layout,
                                           .config = bench.config,
                                           .preparation = bench.preparation,
                                           .data = {rows.rows(), rows.type()},
                                           .total_steps = 1000});
    const auto backend = executor.make();
    const auto store = backend->make_parameters(layout.size, true);
    store->write(ParameterStore::Part::parameters, bench.initial_parameters());
    const auto resident = backend->make_resident(rows);
    const auto program = backend->compile(plan, *store, resident.get());
    const auto* captured = dynamic_cast<const CapturedSteps*>(program.get());
    REQUIRE(captured != nullptr);
    std::string names;
    bool fused = true;
    for (const std::string& name : captured->launches()) {
      names += "\n  " + name;
      for (const char* helper : {"bias and activation", "activation gradient", "bias gradients"}) {
        if (name.find(helper) != std::string::npos) fused = false;
      }
    }
    INFO(executor.name << (fused ? ", every epilogue fused:" : ", not every epilogue fused:") << names);
    if (executor.hardware_normals) {
      std::cerr << executor.name << ": " << captured->captured_kernels() << " kernels a step"
                << (fused ? "" : ", not every epilogue fused") << "\n";
    }
    CHECK(captured->captured_kernels() <= (fused ? 16 : 22));
    CHECK(captured->captured_kernels() >= 16);
  }
}
