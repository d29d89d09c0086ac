// The likelihood by importance sampling as a trained model computes it, on every executor.
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "host/inference/passes.hpp"
#include "support/catch.hpp"
#include "support/executor.hpp"
#include "support/linear_vae.hpp"
#include "support/model_bench.hpp"
#include "support/op_bench.hpp"
#include "support/oracle.hpp"
#include "support/tolerance.hpp"
#include "vaecuda/error.hpp"

using namespace vaecuda;
using test::LinearVae;

namespace {

using Floats = std::vector<float>;

/// −log (1/K Σ w) of each row.
Floats likelihoods(const test::Executor& executor, const ModelFile& file, const Floats& values,
                   std::int64_t samples, std::uint64_t seed) {
  const std::unique_ptr<Backend> backend = executor.make();
  const ParameterLayout layout = make_layout(file.model);
  const auto store = backend->make_parameters(layout.size, false);
  store->write(ParameterStore::Part::parameters, file.parameters);
  Passes passes({*backend, *store, layout, file.model, file.preparation}, 0);
  const std::int64_t rows = static_cast<std::int64_t>(values.size()) / file.model.input_dim;
  Pass& pass =
      passes.take({PassKind::likelihood, passes.size_for(PassKind::likelihood, rows, samples), seed, samples})
          .pass();
  pass.run(0, rows, values);
  Floats nll(static_cast<std::size_t>(rows));
  pass.read("rows.nll", nll);
  return nll;
}

}  // namespace

TEST_CASE("under the true posterior every sample gives the exact likelihood", "[importance]") {
  const Floats values = LinearVae::draw_rows(37, 55);
  for (const test::Executor& executor : test::executors()) {
    for (const std::int64_t samples : {1, 3, 40}) {
      INFO(executor.name << ", K " << samples);
      const Floats nll = likelihoods(executor, LinearVae(0.0, 1.0).file(), values, samples, 5);
      for (std::size_t r = 0; r < nll.size(); ++r) {
        const double exact =
            LinearVae::exact_nll(std::span(values).subspan(r * LinearVae::kColumns, LinearVae::kColumns));
        CHECK(static_cast<double>(nll[r]) == Approx(exact).epsilon(2e-5).margin(2e-5));
      }
    }
  }
}

TEST_CASE("a deep model's bound is the oracle's", "[importance]") {
  // Few rows and many samples: a block whose decoder has far more rows than its encoder.
  constexpr std::int64_t kRows = 5;
  constexpr std::uint64_t kSeed = 8;
  constexpr std::uint32_t kEvaluatePurpose = 5;
  RunConfig config = test::small_config(11, {40, 33}, 3, 1);
  config.objective.kind = ObjectiveKind::iwae;
  ModelFile model;
  model.model = config.model;
  const ParameterLayout layout = make_layout(model.model);
  model.parameters.resize(static_cast<std::size_t>(layout.size));
  initialize_parameters(layout, model.model, 4, model.parameters.data());
  Floats values = test::noise(kRows * 11, 81, 0.5);
  for (float& v : values) v += 0.5f;
  for (const test::Executor& executor : test::executors()) {
    for (const std::int64_t samples : {1, 40, 300}) {
      INFO(executor.name << ", K " << samples);
      double mean = 0.0;
      for (const float nll : likelihoods(executor, model, values, samples, kSeed)) {
        mean += static_cast<double>(nll) / kRows;
      }
      const oracle::Matrix epsilon = oracle::normals(kSeed, kEvaluatePurpose, 0, kRows * samples, 3);
      const oracle::Objective expected =
          oracle::objective(test::network_of(layout, config), test::to_doubles(model.parameters),
                            oracle::from_floats(values, kRows, 11), epsilon);
      CHECK(mean == Approx(expected.loss).epsilon(3e-6));
    }
  }
}

TEST_CASE("a row's likelihood depends on its place and the seed alone", "[importance]") {
  const ModelFile model = LinearVae(0.2, 2.0).file();
  const Floats many = LinearVae::draw_rows(400, 56);
  const Floats few(many.begin(), many.begin() + 150 * LinearVae::kColumns);
  const Floats all = likelihoods(test::cpu_executor(1), model, many, 7, 5);
  const Floats some = likelihoods(test::cpu_executor(3), model, few, 7, 5);
  CHECK(test::compare_bits(Floats(all.begin(), all.begin() + 150), some) == "");
  CHECK(likelihoods(test::cpu_executor(1), model, few, 7, 6) != some);
}

TEST_CASE("a model without a density has no likelihood", "[importance]") {
  ModelFile model = LinearVae(0.0, 1.0).file();
  model.model.latent = LatentKind::deterministic;
  CHECK_THROWS_AS(likelihoods(test::cpu_executor(1), model, LinearVae::draw_rows(3, 1), 5, 1), ConfigError);
}
