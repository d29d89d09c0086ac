// Measured runs of the CPU backend: the same bits as other runs, and a time for every op.
#include <cmath>

#include "support/catch.hpp"
#include "support/model_bench.hpp"
#include "support/step_metrics.hpp"

using namespace vaecuda;

namespace {

/// A training program of a small model, ready to run; `threads` are used from the first step on.
struct Session {
  std::unique_ptr<Backend> backend;
  std::unique_ptr<ParameterStore> store;
  std::unique_ptr<ResidentData> resident;
  Plan plan;
  std::unique_ptr<Program> program;

  Session(int threads, const test::TrainingBench& bench, const Dataset& data)
      : backend(make_cpu_backend(threads)) {
    const ParameterLayout layout = bench.layout();
    store = backend->make_parameters(layout.size, true);
    store->write(ParameterStore::Part::parameters, bench.initial_parameters());
    resident = backend->make_resident(data);
    plan = build_training_plan({.layout = layout,
                                .config = bench.config,
                                .preparation = bench.preparation,
                                .data = {data.rows(), data.type()},
                                .total_steps = bench.total_steps});
    program = backend->compile(plan, *store, resident.get());
  }
};

Dataset random_bits(std::int64_t rows, std::int64_t columns) {
  std::vector<float> values(static_cast<std::size_t>(rows * columns));
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(math::philox(1, 0, i).v[0] & 1U);
  }
  return {std::move(values), rows, columns};
}

double flops_of(const Plan& plan) {
  double flops = 0.0;
  for (const Op& op : plan.ops) flops += cost_of(op).flops;
  return flops;
}

}  // namespace

TEST_CASE("a measured run of the CPU is a run", "[profile]") {
  const Dataset data = random_bits(150, 100);
  for (const int threads : {1, 3}) {
    for (const double clip_norm : {0.0, 0.5}) {
      INFO(threads << " threads, clip norm " << clip_norm);
      test::TrainingBench bench;
      bench.config = test::small_config(100, {64, 32}, 4, 48);  // enough for several threads
      bench.config.optimizer.clip_norm = clip_norm;
      const test::TrainingResult expected = bench.run(test::cpu_executor(threads), data, 12);
      const Session session(threads, bench, data);
      REQUIRE(flops_of(session.plan) > 2e6);
      CHECK(session.program->timed_run(9) > 0.0);
      const std::vector<OpTime> times = session.program->profile(3);
      std::vector<math::StepMetrics> metrics;
      session.program->take_metrics(metrics);
      std::vector<float> parameters(expected.parameters.size());
      session.store->read(ParameterStore::Part::parameters, parameters);
      CHECK(parameters == expected.parameters);
      REQUIRE(metrics.size() == expected.metrics.size());
      CHECK(test::reconstruction_of(metrics.back()) == test::reconstruction_of(expected.metrics.back()));

      REQUIRE(times.size() == session.plan.ops.size());
      double flops = 0.0;
      for (std::size_t i = 0; i < times.size(); ++i) {
        const Op& op = session.plan.ops[i];
        INFO(name_of(op));
        // Without clipping the update rides with the weight gradients.
        CHECK(times[i].merged == (clip_norm == 0.0 && std::holds_alternative<AdamUpdate>(op)));
        CHECK((times[i].seconds > 0.0) == !times[i].merged);
        CHECK(std::isfinite(times[i].seconds));
        flops += times[i].cost.flops;
      }
      CHECK(flops == flops_of(session.plan));
    }
  }
}

TEST_CASE("the update's bytes are counted where it is done", "[profile]") {
  const Dataset data = random_bits(60, 100);
  test::TrainingBench bench;
  bench.config = test::small_config(100, {32}, 4, 48);
  const Session session(1, bench, data);
  const std::vector<OpTime> times = session.program->profile(1);
  for (std::size_t i = 0; i < times.size(); ++i) {
    const auto* op = std::get_if<LinearBackward>(&session.plan.ops[i]);
    if (op == nullptr) continue;
    const auto out = static_cast<double>(op->layer.out);
    const auto in = static_cast<double>(op->layer.in);
    // Parameter and both moments read and written; the gradient of the weights stays in the cache.
    CHECK(times[i].cost.bytes ==
          cost_of(session.plan.ops[i]).bytes + 24.0 * (out * in + out) - 4.0 * out * in);
  }
}
