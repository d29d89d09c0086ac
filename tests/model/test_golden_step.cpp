// Two training steps computed by PyTorch (tests/golden/make_golden_step.py): same rows, same noise, same
// parameters in; the engine must give the same losses, gradient norm and parameters.
#include <cmath>
#include <cstdint>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "kernels/math/permutation.h"
#include "support/catch.hpp"
#include "support/model_bench.hpp"
#include "support/oracle.hpp"
#include "support/step_metrics.hpp"

using namespace vaecuda;
using nlohmann::json;

namespace {

json golden() {
  std::ifstream in(std::string(VAECUDA_SOURCE_DIR) + "/tests/golden/golden_step.json");
  if (!in) throw std::runtime_error("tests/golden/golden_step.json is missing");
  return json::parse(in);
}

const std::map<std::string, Activation> kActivations = {
    {"relu", Activation::relu}, {"tanh", Activation::tanh}, {"leaky_relu", Activation::leaky_relu},
    {"gelu", Activation::gelu}, {"silu", Activation::silu}, {"gelu_tanh", Activation::gelu_tanh}};

RunConfig config_of(const json& document, const json& test_case) {
  RunConfig config;
  config.model.input_dim = document.at("input_dim");
  config.model.hidden = document.at("hidden").get<std::vector<std::int64_t>>();
  config.model.latent_dim = document.at("latent_dim");
  config.model.sigma = document.at("sigma");
  config.model.activation = kActivations.at(test_case.at("activation"));
  config.model.likelihood =
      test_case.at("likelihood") == "gaussian" ? Likelihood::gaussian : Likelihood::bernoulli;
  config.objective.beta = test_case.at("beta");
  config.optimizer.kind = test_case.at("optimizer") == "adamw" ? OptimizerKind::adamw : OptimizerKind::adam;
  config.optimizer.lr = document.at("lr");
  config.optimizer.weight_decay = test_case.at("weight_decay");
  config.optimizer.clip_norm = test_case.at("clip_norm");
  config.train.batch_size = document.at("batch");
  config.train.seed = document.at("seed");
  return config;
}

// The arena that holds the tensors of `tensors` by their names.
std::vector<double> arena_of(const ParameterLayout& layout, const json& tensors) {
  std::vector<double> arena(static_cast<std::size_t>(layout.size), 0.0);
  std::size_t used = 0;
  for (const Layer& layer : layout.layers()) {
    const auto put = [&](const std::string& name, std::int64_t offset, std::int64_t count) {
      const auto values = tensors.at(name).get<std::vector<double>>();
      REQUIRE(static_cast<std::int64_t>(values.size()) == count);
      std::copy(values.begin(), values.end(), arena.begin() + offset);
      ++used;
    };
    put(layer.name + ".weight", layer.weight, layer.out * layer.in);
    put(layer.name + ".bias", layer.bias, layer.out);
  }
  REQUIRE(used == tensors.size());
  return arena;
}

// A data set whose shuffled order is the order of the golden rows.
Dataset shuffled_back(const std::vector<std::vector<float>>& rows, std::uint64_t seed) {
  const auto n = rows.size();
  const auto keys = math::permutation_keys(seed, math::RandomPurpose::shuffle, 0);
  std::vector<float> values(n * rows.front().size());
  for (std::size_t p = 0; p < n; ++p) {
    const std::uint64_t row = math::permute(keys, p, n);
    std::copy(rows[p].begin(), rows[p].end(),
              values.begin() + static_cast<std::ptrdiff_t>(row * rows.front().size()));
  }
  return Dataset(values, static_cast<std::int64_t>(n), static_cast<std::int64_t>(rows.front().size()));
}

}  // namespace

TEST_CASE("PyTorch's golden noise is ours", "[golden]") {
  const json document = golden();
  const auto rows = document.at("epsilon").get<std::vector<std::vector<double>>>();
  const auto latent = document.at("latent_dim").get<std::int64_t>();
  for (std::size_t p = 0; p < rows.size(); ++p) {
    for (std::int64_t j = 0; j < latent; ++j) {
      // Both in double precision: the sine's argument is rounded alike, so 1e-12.
      CHECK(oracle::normal(document.at("seed"), 4, p, j) ==
            Approx(rows[p][static_cast<std::size_t>(j)]).margin(1e-12));
    }
  }
}

TEST_CASE("two training steps are PyTorch's", "[golden]") {
  const json document = golden();
  const auto lr = document.at("lr").get<double>();
  for (const json& test_case : document.at("cases")) {
    test::TrainingBench bench;
    bench.config = config_of(document, test_case);
    const ParameterLayout layout = bench.layout();
    const std::vector<double> initial = arena_of(layout, document.at("initial"));
    bench.initial.assign(initial.begin(), initial.end());
    const auto rows = document.at("rows").at(test_case.at("likelihood").get<std::string>());
    const Dataset data = shuffled_back(rows.get<std::vector<std::vector<float>>>(), bench.config.train.seed);
    const json& golden_steps = test_case.at("steps");
    for (const test::Executor& executor : test::executors()) {
      for (std::size_t steps = 1; steps <= golden_steps.size(); ++steps) {
        const test::TrainingResult result = bench.run(executor, data, static_cast<std::int64_t>(steps));
        const json& expected = golden_steps[steps - 1];
        INFO(executor.name << ", " << test_case.at("likelihood") << ", " << test_case.at("activation")
                           << ", after step " << steps);
        REQUIRE_FALSE(result.fault.has_value());
        REQUIRE(result.metrics.size() == steps);
        const math::StepMetrics& line = result.metrics.back();
        // Single precision against double: sums of a dozen terms. The second step also carries the first's
        // error.
        CHECK(test::reconstruction_of(line) ==
              Approx(expected.at("reconstruction").get<double>()).epsilon(2e-6));
        CHECK(test::kl_of(line) == Approx(expected.at("kl").get<double>()).epsilon(5e-6));
        CHECK(line.gradient_norm == Approx(expected.at("gradient_norm").get<double>()).epsilon(5e-6));
        const std::vector<double> after = arena_of(layout, expected.at("parameters"));
        double worst = 0.0;
        std::size_t at = 0;
        double moved = 0.0;
        for (std::size_t i = 0; i < after.size(); ++i) {
          // Each parameter to a rounding of itself and a thousandth of a step of Adam, which divides a
          // gradient by its own size: small gradients are all rounding.
          const double allowed = 2.0 * 0x1p-24 * std::fabs(after[i]) + 1e-3 * lr * static_cast<double>(steps);
          const double error = std::fabs(static_cast<double>(result.parameters[i]) - after[i]) / allowed;
          if (!(error <= worst)) {
            worst = error;
            at = i;
          }
          moved = std::fmax(moved, std::fabs(after[i] - initial[i]));
        }
        INFO("worst in " << layout.tensor_at(static_cast<std::int64_t>(at)));
        CHECK(worst <= 1.0);
        CHECK(moved > 0.9 * lr);  // the steps did something
      }
    }
  }
}
