// The same bytes from the same seed: run twice, with any number of threads, and in any cutting of the steps
// into calls.
#include <cstdint>
#include <vector>

#include "support/catch.hpp"
#include "support/model_bench.hpp"
#include "support/op_bench.hpp"
#include "support/step_metrics.hpp"
#include "support/tolerance.hpp"

using namespace vaecuda;

namespace {

struct Case {
  const char* name;
  std::int64_t rows;
  std::int64_t columns;
  std::vector<std::int64_t> hidden;
  std::int64_t latent;
  std::int64_t batch;
  double clip;
  Likelihood likelihood;
  Binarize binarize;
  std::int64_t samples = 1;
  void (*change)(RunConfig&) = nullptr;
};

const std::vector<Case> kCases = {
    {"more rows in a batch than in the data",
     20,
     33,
     {17},
     3,
     33,
     0.0,
     Likelihood::bernoulli,
     Binarize::none},
    {"a batch that does not divide the rows",
     101,
     130,
     {129, 65},
     20,
     32,
     0.0,
     Likelihood::gaussian,
     Binarize::none},
    {"clipped", 101, 130, {129, 65}, 20, 32, 0.5, Likelihood::bernoulli, Binarize::stochastic},
    {"several row blocks", 300, 64, {40}, 2, 300, 0.5, Likelihood::gaussian, Binarize::none},
    {"five samples a row", 101, 40, {33}, 3, 24, 0.0, Likelihood::bernoulli, Binarize::stochastic, 5},
    {"importance weighted",
     101,
     40,
     {33},
     3,
     24,
     0.0,
     Likelihood::bernoulli,
     Binarize::none,
     5,
     [](RunConfig& c) { c.objective.kind = ObjectiveKind::iwae; }},
    {"free bits, a rising beta, many rows",
     300,
     24,
     {9},
     5,
     300,
     0.0,
     Likelihood::bernoulli,
     Binarize::none,
     1,
     [](RunConfig& c) {
       c.objective.free_bits = 0.1;
       c.objective.beta_schedule = {BetaScheduleKind::linear, 30, 0.5};
     }},
    {"a rising capacity, cycles",
     101,
     24,
     {9},
     5,
     24,
     0.5,
     Likelihood::bernoulli,
     Binarize::none,
     2,
     [](RunConfig& c) {
       c.objective.capacity = 4.0;
       c.objective.capacity_steps = 15;
       c.objective.beta_schedule = {BetaScheduleKind::cyclical, 12, 0.5};
     }},
    {"one row a batch", 7, 5, {3}, 1, 1, 0.0, Likelihood::bernoulli, Binarize::threshold}};
constexpr std::int64_t kSteps = 50;

test::TrainingBench bench_of(const Case& c) {
  test::TrainingBench bench;
  bench.config = test::small_config(c.columns, c.hidden, c.latent, c.batch);
  bench.config.optimizer.clip_norm = c.clip;
  bench.config.model.likelihood = c.likelihood;
  bench.config.model.activation = Activation::gelu;
  bench.config.objective.samples = c.samples;
  bench.preparation.binarize = c.binarize;
  if (c.change != nullptr) c.change(bench.config);
  return bench;
}

Dataset data_of(const Case& c) {
  std::vector<float> values = test::noise(c.rows * c.columns, 101, 0.5);
  for (float& v : values) v += 0.5f;
  return Dataset(values, c.rows, c.columns);
}

void check_same(const test::TrainingResult& a, const test::TrainingResult& b) {
  CHECK(test::compare_bits(a.parameters, b.parameters) == "");
  CHECK(test::compare_bits(a.moment1, b.moment1) == "");
  CHECK(test::compare_bits(a.moment2, b.moment2) == "");
  REQUIRE(a.metrics.size() == b.metrics.size());
  for (std::size_t i = 0; i < a.metrics.size(); ++i) {
    INFO("step " << i + 1);
    REQUIRE(a.metrics[i].step == static_cast<std::int64_t>(i) + 1);
    REQUIRE(a.metrics[i].step == b.metrics[i].step);
    REQUIRE(test::same_means(a.metrics[i], b.metrics[i]));
    REQUIRE(a.metrics[i].gradient_norm == b.metrics[i].gradient_norm);
  }
}

}  // namespace

TEST_CASE("training gives the same bytes twice, for any threads and any cutting", "[determinism]") {
  for (const Case& c : kCases) {
    INFO(c.name);
    const test::TrainingBench bench = bench_of(c);
    const Dataset data = data_of(c);
    const test::TrainingResult first = bench.run(test::cpu_executor(1), data, kSteps);
    REQUIRE(first.metrics.size() == kSteps);
    REQUIRE_FALSE(first.fault.has_value());
    CHECK(test::compare_bits(first.parameters, bench.initial_parameters()) != "");
    check_same(first, bench.run(test::cpu_executor(1), data, kSteps));
    check_same(first, bench.run(test::cpu_executor(1), data, kSteps, 7));
    for (const int threads : {2, 3, 4, 7}) {
      INFO(threads << " threads");
      check_same(first, bench.run(test::cpu_executor(threads), data, kSteps));
    }
  }
}

TEST_CASE("thousands of small products at once stay right", "[determinism]") {
  // A matrix library that shares work space between threads without a lock goes wrong about once in a
  // thousand concurrent products: Debian's single-threaded OpenBLAS did.
  const Case& c = kCases[3];
  const test::TrainingBench bench = bench_of(c);
  const Dataset data = data_of(c);
  const test::TrainingResult one = bench.run(test::cpu_executor(1), data, 1500);
  for (const int threads : {2, 3}) {
    INFO(threads << " threads");
    check_same(one, bench.run(test::cpu_executor(threads), data, 1500));
  }
}

TEST_CASE("every kind of model gives the same bytes for any threads", "[determinism]") {
  const Case& c = kCases[3];
  for (const test::ModelVariant& variant : test::model_variants()) {
    const Dataset data = test::labelled(variant, data_of(c));
    for (const double clip_norm : {0.0, 0.5}) {
      INFO(variant.name << ", clip " << clip_norm);
      test::TrainingBench bench = bench_of(c);
      variant.apply(bench.config);
      bench.config.optimizer.clip_norm = clip_norm;
      const test::TrainingResult first = bench.run(test::cpu_executor(1), data, 10);
      REQUIRE_FALSE(first.fault.has_value());
      for (const int threads : {2, 3}) check_same(first, bench.run(test::cpu_executor(threads), data, 10));
    }
  }
}

TEST_CASE("another seed gives other bytes", "[determinism]") {
  // The check above would also pass if nothing depended on anything.
  const Case& c = kCases.front();
  test::TrainingBench bench = bench_of(c);
  const Dataset data = data_of(c);
  bench.initial = bench.initial_parameters();
  const test::TrainingResult first = bench.run(test::cpu_executor(1), data, 5);
  bench.config.train.seed += 1;
  const test::TrainingResult other = bench.run(test::cpu_executor(1), data, 5);
  CHECK(test::compare_bits(first.parameters, other.parameters) != "");
}

TEST_CASE("training goes on from a saved state with the same bytes", "[determinism]") {
  for (const Case& c : kCases) {
    INFO(c.name);
    const test::TrainingBench bench = bench_of(c);
    const Dataset data = data_of(c);
    const ParameterLayout layout = bench.layout();
    const test::TrainingResult whole = bench.run(test::cpu_executor(2), data, 20);
    const test::TrainingResult half = bench.run(test::cpu_executor(2), data, 8);
    // A new backend, from what the store held after eight steps.
    const auto backend = test::cpu_executor(3).make();
    const auto store = backend->make_parameters(layout.size, true);
    store->write(ParameterStore::Part::parameters, half.parameters);
    store->write(ParameterStore::Part::moment1, half.moment1);
    store->write(ParameterStore::Part::moment2, half.moment2);
    const auto resident = backend->make_resident(data);
    const Plan plan = build_training_plan({.layout = layout,
                                           .config = bench.config,
                                           .preparation = bench.preparation,
                                           .data = {data.rows(), data.type()},
                                           .total_steps = bench.total_steps});
    const auto program = backend->compile(plan, *store, resident.get());
    program->set_step(8);
    program->run(12);
    std::vector<float> parameters(static_cast<std::size_t>(layout.size));
    store->read(ParameterStore::Part::parameters, parameters);
    CHECK(test::compare_bits(parameters, whole.parameters) == "");
  }
}

TEST_CASE("compiling leaves parameters and moments alone", "[determinism]") {
  const Case& c = kCases[2];
  const test::TrainingBench bench = bench_of(c);
  const Dataset data = data_of(c);
  for (const test::Executor& executor : test::executors()) {
    const test::TrainingResult nothing = bench.run(executor, data, 0);
    CHECK(test::compare_bits(nothing.parameters, bench.initial_parameters()) == "");
    const std::vector<float> zeros(nothing.moment1.size(), 0.0f);
    CHECK(test::compare_bits(nothing.moment1, zeros) == "");
    CHECK(test::compare_bits(nothing.moment2, zeros) == "");
    CHECK(nothing.metrics.empty());
  }
}
