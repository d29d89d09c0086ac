// A pass over many rows, made in parts through exchange buffers, gives the bits of the pass that has them
// all.
#include <cstdint>
#include <string>
#include <vector>

#include "host/inference/passes.hpp"
#include "support/catch.hpp"
#include "support/executor.hpp"
#include "support/model_bench.hpp"
#include "support/op_bench.hpp"
#include "support/tolerance.hpp"

using namespace vaecuda;

namespace {

constexpr std::int64_t kRows = 301;
constexpr std::int64_t kColumns = 9;
constexpr std::int64_t kLatents = 3;

struct Model {
  ModelConfig config = test::small_config(kColumns, {6}, kLatents, 8).model;
  ParameterLayout layout = make_layout(config);
  Preparation preparation;
  std::vector<float> parameters = std::vector<float>(static_cast<std::size_t>(layout.size));
  std::vector<float> rows;

  Model() {
    initialize_parameters(layout, config, 3, parameters.data());
    preparation.scale = 0.5f;
    preparation.mean.assign(kColumns, 0.1f);
    preparation.inverse_deviation.assign(kColumns, 0.7f);
    preparation.binarize = Binarize::stochastic;  // noise by row in the data, too
    rows = test::noise(kRows * kColumns, 7, 0.4);
    for (float& v : rows) v += 0.9f;
  }
};

struct Evaluation {
  std::vector<float> nll = std::vector<float>(static_cast<std::size_t>(kRows));
  std::vector<float> kl = std::vector<float>(static_cast<std::size_t>(kRows));
};

}  // namespace

TEST_CASE("a pass made in parts has the random numbers and the bits of the whole", "[parts]") {
  const Model model;
  for (const test::Executor& executor : test::executors()) {
    INFO(executor.name);
    const auto backend = executor.make();
    const auto store = backend->make_parameters(model.layout.size, false);
    store->write(ParameterStore::Part::parameters, model.parameters);

    const Dataset data(model.rows, kRows, kColumns);
    const Plan plan =
        build_evaluation_plan(model.layout, model.config, model.preparation, {kRows, ElementType::f32}, 5);
    const auto resident = backend->make_resident(data);
    const auto program = backend->compile(plan, *store, resident.get());
    program->set_position(0);
    program->run(2);
    Evaluation whole;
    program->read(plan.find_buffer("rows.nll"), whole.nll);
    program->read(plan.find_buffer("rows.kl"), whole.kl);

    Passes passes(*backend, *store, model.layout, model.config, model.preparation, 1);
    CHECK(passes.capacity_for(-1) == kInferenceBatch);
    Pass& pass = passes.get(PassKind::evaluate, kInferenceBatch, 5);
    Evaluation parts;
    const auto run_part = [&](std::int64_t first, std::int64_t count) {
      const auto begin = static_cast<std::size_t>(first);
      const auto size = static_cast<std::size_t>(count);
      pass.run(first, count, std::span(model.rows).subspan(begin * kColumns, size * kColumns));
      pass.read("rows.nll", std::span(parts.nll).subspan(begin, size));
      pass.read("rows.kl", std::span(parts.kl).subspan(begin, size));
    };
    run_part(256, 45);  // in any order
    run_part(0, 256);
    CHECK(test::compare_bits(parts.nll, whole.nll) == "");
    CHECK(test::compare_bits(parts.kl, whole.kl) == "");

    // A pass that is used again is the same program; another seed is another one.
    CHECK(&passes.get(PassKind::evaluate, kInferenceBatch, 5) == &pass);
    Pass& other = passes.get(PassKind::evaluate, kInferenceBatch, 6);
    CHECK(&other != &pass);
    other.run(0, 45, std::span(model.rows).first(45 * kColumns));
    std::vector<float> noise(45);
    other.read("rows.nll", noise);
    CHECK(test::compare_bits(noise, {whole.nll.begin(), whole.nll.begin() + 45}) != "");
  }
}

TEST_CASE("passes beyond those that are kept are compiled anew and give the same", "[parts]") {
  const Model model;
  const auto backend = make_cpu_backend(1);
  const auto store = backend->make_parameters(model.layout.size, false);
  store->write(ParameterStore::Part::parameters, model.parameters);
  Passes passes(*backend, *store, model.layout, model.config, model.preparation, 0);
  const auto evaluate = [&](std::uint64_t seed) {
    Pass& pass = passes.get(PassKind::evaluate, kInferenceBatch, seed);
    pass.run(0, 20, std::span(model.rows).first(20 * kColumns));
    std::vector<float> nll(20);
    pass.read("rows.nll", nll);
    return nll;
  };
  const std::vector<float> first = evaluate(0);
  const std::int64_t one = backend->allocated_bytes();
  for (std::uint64_t seed = 1; seed < 40; ++seed) (void)evaluate(seed);
  CHECK(test::compare_bits(evaluate(0), first) == "");
  // Bytes stay bounded: at most eight passes live, and the parameters.
  CHECK(backend->allocated_bytes() <= 8 * one);
}
