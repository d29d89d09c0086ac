// Gradients of the whole loss. The oracle's own gradient is checked against finite differences of the
// oracle's loss in double precision; the engine's gradient, which Adam's first moment holds after one step,
// is checked against both: directly against finite differences along random directions, and element by
// element against the oracle.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "support/catch.hpp"
#include "support/model_bench.hpp"
#include "support/op_bench.hpp"
#include "support/oracle.hpp"
#include "support/step_metrics.hpp"
#include "support/tolerance.hpp"

using namespace vaecuda;

namespace {

constexpr std::uint32_t kLatentPurpose = 4;
const std::vector<Activation> kActivations = {Activation::relu, Activation::tanh,      Activation::leaky_relu,
                                              Activation::gelu, Activation::gelu_tanh, Activation::silu};
const std::vector<std::vector<std::int64_t>> kHidden = {{7}, {9, 5}, {6, 8, 4}};
// Without a hidden layer the activation stands nowhere.
std::vector<std::vector<std::int64_t>> hidden_for(Activation activation) {
  auto all = kHidden;
  if (activation == Activation::relu) all.emplace_back();
  return all;
}

struct Setup {
  test::TrainingBench bench;
  Dataset data;
  oracle::Network network;
  std::vector<double> parameters;
  oracle::Matrix x;
  oracle::Matrix epsilon;
  oracle::Frozen frozen;  ///< of a quantizer, at `parameters`
  oracle::Matrix condition;
};

Setup make_setup(const test::ModelVariant& variant, Activation activation,
                 const std::vector<std::int64_t>& hidden) {
  constexpr std::int64_t kColumns = 11;
  constexpr std::int64_t kBatch = 6;
  Setup s;
  s.bench.config = test::small_config(kColumns, hidden, 3, kBatch);
  s.bench.config.model.activation = activation;
  s.bench.config.model.sigma = 0.7;
  s.bench.config.objective.beta = 1.5;
  variant.apply(s.bench.config);
  std::vector<float> values = test::noise(8 * kColumns, 81, 0.5);
  for (float& v : values) v += 0.5f;
  s.data = test::labelled(variant, Dataset(values, 8, kColumns));
  const std::uint64_t seed = s.bench.config.train.seed;
  s.network = test::network_of(s.bench.layout(), s.bench.config);
  s.parameters = test::to_doubles(s.bench.initial_parameters());
  s.x = test::rows_at(s.data, seed, 0, kBatch);
  s.epsilon = oracle::normals(seed, kLatentPurpose, 0, kBatch * s.bench.config.objective.samples, 3);
  s.condition = test::conditions_at(s.data, s.bench.config.model, seed, 0, kBatch);
  s.frozen = oracle::objective(s.network, s.parameters, s.x, s.epsilon, s.condition).frozen;
  return s;
}

double loss_of(const Setup& s, const std::vector<double>& parameters) {
  return oracle::objective(s.network, parameters, s.x, s.epsilon, s.condition, &s.frozen).loss;
}

double norm(const std::vector<double>& v) {
  double sum = 0.0;
  for (const double x : v) sum += x * x;
  return std::sqrt(sum);
}

// The engine's gradient: after one step from zero moments, moment1 = (1 − β1)·g.
std::vector<double> engine_gradient(const Setup& s, const test::Executor& executor) {
  const test::TrainingResult result = s.bench.run(executor, s.data, 1);
  REQUIRE_FALSE(result.fault.has_value());
  std::vector<double> g = test::to_doubles(result.moment1);
  const double share = 1.0 - s.bench.config.optimizer.beta1;
  for (double& v : g) v /= share;
  // Codes that follow averages keep those in place of moments.
  const oracle::Quantizer& quantizer = s.network.quantizer;
  if (quantizer.groups > 0 && !quantizer.codes_learn) std::fill(g.begin() + quantizer.codes, g.end(), 0.0);
  return g;
}

}  // namespace

TEST_CASE("the oracle's gradient is the slope of the oracle's loss", "[gradient]") {
  for (const test::ModelVariant& variant : test::model_variants()) {
    for (const Activation activation : kActivations) {
      const Setup s = make_setup(variant, activation, {6, 8, 4});
      const oracle::Objective o = oracle::objective(s.network, s.parameters, s.x, s.epsilon, s.condition);
      // Every 7th parameter; h = 1e-6: h² truncation vanishes, rounding gives 1e-15·loss/h = 1e-8.
      for (std::size_t i = 0; i < s.parameters.size(); i += 7) {
        std::vector<double> moved = s.parameters;
        moved[i] += 1e-6;
        const double up = loss_of(s, moved);
        moved[i] -= 2e-6;
        const double slope = (up - loss_of(s, moved)) / 2e-6;
        INFO(variant.name << ", " << test::name_of(activation) << ", parameter " << i);
        REQUIRE(std::fabs(o.gradient[i] - slope) <= 1e-7 * (1.0 + std::fabs(slope)));
      }
    }
  }
}

TEST_CASE("the engine's gradient is the slope of the loss", "[gradient]") {
  for (const test::ModelVariant& variant : test::model_variants()) {
    for (const Activation activation : kActivations) {
      for (const auto& hidden : hidden_for(activation)) {
        const Setup s = make_setup(variant, activation, hidden);
        const std::vector<double> g = engine_gradient(s, test::executors().front());
        INFO(variant.name << ", " << test::name_of(activation) << ", " << hidden.size() << " hidden layers");
        const double size = norm(g);
        for (std::uint64_t direction = 0; direction < 12; ++direction) {
          // A random direction over the learned parameters of unit length.
          std::vector<double> d =
              test::to_doubles(test::noise(static_cast<std::int64_t>(s.parameters.size()), 90 + direction));
          for (std::size_t i = 0; i < d.size(); ++i) d[i] = s.parameters[i] == 0.0 ? 0.0 : d[i];
          const double length = norm(d);
          std::vector<double> up = s.parameters;
          std::vector<double> down = s.parameters;
          double expected = 0.0;
          for (std::size_t i = 0; i < d.size(); ++i) {
            up[i] += 1e-5 * d[i] / length;
            down[i] -= 1e-5 * d[i] / length;
            expected += g[i] * d[i] / length;
          }
          const double slope = (loss_of(s, up) - loss_of(s, down)) / 2e-5;
          // The engine's single precision: each element of g is off by a few 2^-24 of the terms that make it,
          // which cancel; 1e-5 of the gradient's length holds them all, ten times what is measured.
          CHECK(std::fabs(expected - slope) <= 1e-5 * size);
        }
      }
    }
  }
}

TEST_CASE("the engine's gradient is the oracle's, element by element", "[gradient]") {
  for (const test::Executor& executor : test::executors()) {
    for (const test::ModelVariant& variant : test::model_variants()) {
      for (const Activation activation : kActivations) {
        for (const auto& hidden : hidden_for(activation)) {
          const Setup s = make_setup(variant, activation, hidden);
          const std::vector<double> g = engine_gradient(s, executor);
          const oracle::Objective o = oracle::objective(s.network, s.parameters, s.x, s.epsilon, s.condition);
          INFO(executor.name << ", " << variant.name << ", " << test::name_of(activation) << ", "
                             << hidden.size() << " hidden layers");
          double largest = 0.0;
          double worst = 0.0;
          for (std::size_t i = 0; i < g.size(); ++i) {
            largest = std::fmax(largest, std::fabs(o.gradient[i]));
            worst = std::fmax(worst, std::fabs(g[i] - o.gradient[i]));
          }
          // Single precision through up to nine layers, relative to the largest element.
          CHECK(worst <= 3e-6 * largest);
          CHECK(largest > 1e-3);
        }
      }
    }
  }
}

TEST_CASE("the reported loss is the one whose gradient is taken", "[gradient]") {
  for (const test::ModelVariant& variant : test::model_variants()) {
    const Setup s = make_setup(variant, Activation::tanh, {9, 5});
    const oracle::Objective o = oracle::objective(s.network, s.parameters, s.x, s.epsilon, s.condition);
    for (const test::Executor& executor : test::executors()) {
      INFO(executor.name << ", " << variant.name);
      const test::TrainingResult result = s.bench.run(executor, s.data, 1);
      REQUIRE(result.metrics.size() == 1);
      CHECK(result.metrics[0].loss == Approx(o.loss).epsilon(2e-6));
      CHECK(test::reconstruction_of(result.metrics[0]) == Approx(o.reconstruction).epsilon(2e-6));
    }
  }
}

TEST_CASE("one importance sample is the ELBO with a sampled KL", "[gradient]") {
  Setup s = make_setup({"one",
                        [](RunConfig& c) {
                          c.objective.kind = ObjectiveKind::iwae;
                          c.objective.beta = 1.0;
                        }},
                       Activation::tanh, {7});
  const test::TrainingResult result = s.bench.run(test::executors().front(), s.data, 1);
  REQUIRE(result.metrics.size() == 1);
  CHECK(result.metrics[0].loss ==
        Approx(test::reconstruction_of(result.metrics[0]) + test::kl_of(result.metrics[0])).epsilon(1e-6));
  s.bench.config.objective.kind = ObjectiveKind::elbo;
  const test::TrainingResult elbo = s.bench.run(test::executors().front(), s.data, 1);
  CHECK(test::reconstruction_of(elbo.metrics[0]) ==
        Approx(test::reconstruction_of(result.metrics[0])).epsilon(1e-6));
}

TEST_CASE("the gradient's sum over the rows is B times its mean", "[gradient]") {
  for (const ObjectiveKind kind : {ObjectiveKind::elbo, ObjectiveKind::iwae}) {
    test::TrainingBench bench;
    bench.config = test::small_config(11, {7}, 3, 8);  // 8: scaling by it is exact
    bench.config.objective.kind = kind;
    std::vector<float> values = test::noise(8 * 11, 81, 0.5);
    for (float& v : values) v += 0.5f;
    const Dataset data(values, 8, 11);
    for (const test::Executor& executor : test::executors()) {
      INFO(executor.name);
      bench.config.objective.reduce = Reduction::mean;
      const test::TrainingResult mean = bench.run(executor, data, 1);
      bench.config.objective.reduce = Reduction::sum;
      test::TrainingResult sum = bench.run(executor, data, 1);
      for (float& m : sum.moment1) m /= 8.0f;
      CHECK(test::compare_bits(sum.moment1, mean.moment1) == "");
      CHECK(sum.metrics.at(0).loss == mean.metrics.at(0).loss);
      CHECK(sum.metrics.at(0).gradient_norm == Approx(8.0 * mean.metrics.at(0).gradient_norm));
    }
  }
}

TEST_CASE("a wrong gradient would be noticed", "[gradient]") {
  // The mutation check of the test above: beta off by 1e-3 moves the gradient beyond the bound.
  Setup s = make_setup(test::model_variants().front(), Activation::relu, {7});
  const std::vector<double> g = engine_gradient(s, test::executors().front());
  s.network.beta += 1e-3;
  const oracle::Objective o = oracle::objective(s.network, s.parameters, s.x, s.epsilon, s.condition);
  double largest = 0.0;
  double worst = 0.0;
  for (std::size_t i = 0; i < g.size(); ++i) {
    largest = std::fmax(largest, std::fabs(o.gradient[i]));
    worst = std::fmax(worst, std::fabs(g[i] - o.gradient[i]));
  }
  CHECK(worst > 3e-6 * largest);
}

TEST_CASE("twenty steps follow the oracle", "[gradient]") {
  // Standardized bytes, clipping, decay, a cosine schedule, batches across epoch ends: the whole step.
  constexpr std::int64_t kColumns = 10;
  constexpr std::int64_t kRows = 13;
  constexpr std::int64_t kBatch = 5;
  constexpr std::int64_t kSteps = 20;
  test::TrainingBench bench;
  bench.config = test::small_config(kColumns, {8, 6}, 2, kBatch);
  bench.config.model.likelihood = Likelihood::gaussian;
  bench.config.model.activation = Activation::silu;
  bench.config.model.sigma = 0.5;
  bench.config.optimizer.kind = OptimizerKind::adamw;
  bench.config.optimizer.weight_decay = 0.02;
  bench.config.optimizer.clip_norm = 4.0;
  bench.config.optimizer.lr = 0.005;
  bench.config.optimizer.schedule.kind = LrScheduleKind::cosine;
  bench.config.optimizer.schedule.warmup_steps = 5;
  bench.config.optimizer.schedule.min_fraction = 0.1;
  bench.total_steps = kSteps;
  std::vector<std::uint8_t> bytes;
  for (std::int64_t i = 0; i < kRows * kColumns; ++i)
    bytes.push_back(static_cast<std::uint8_t>(oracle::random_word(1, 97, 0, i) >> 24));
  const Dataset data(bytes, kRows, kColumns);
  bench.preparation.scale = 1.0f / 255.0f;
  bench.preparation.mean = test::noise(kColumns, 83, 0.3);
  bench.preparation.inverse_deviation = test::noise(kColumns, 84, 1.0);
  for (float& v : bench.preparation.inverse_deviation) v += 2.0f;

  const test::TrainingResult result = bench.run(test::executors().front(), data, kSteps);
  REQUIRE(result.metrics.size() == kSteps);
  REQUIRE_FALSE(result.fault.has_value());
  const oracle::Network network = test::network_of(bench.layout(), bench.config);
  std::vector<double> parameters = test::to_doubles(bench.initial_parameters());
  oracle::Adam adam = test::adam_of(bench.config);
  for (std::int64_t step = 0; step < kSteps; ++step) {
    oracle::Matrix x = test::rows_at(data, bench.config.train.seed, step * kBatch, kBatch);
    for (std::int64_t r = 0; r < kBatch; ++r) {
      for (std::int64_t c = 0; c < kColumns; ++c) {
        const auto j = static_cast<std::size_t>(c);
        x.at(r, c) = (x.at(r, c) * static_cast<double>(bench.preparation.scale) -
                      static_cast<double>(bench.preparation.mean[j])) *
                     static_cast<double>(bench.preparation.inverse_deviation[j]);
      }
    }
    const oracle::Matrix epsilon = oracle::normals(bench.config.train.seed, kLatentPurpose,
                                                   static_cast<std::uint64_t>(step * kBatch), kBatch, 2);
    const oracle::Objective o = oracle::objective(network, parameters, x, epsilon);
    adam.lr = step < 5 ? 0.005 * static_cast<double>(step + 1) / 5.0
                       : 0.005 * (0.1 + 0.45 * (1.0 + std::cos(3.14159265358979323846 *
                                                               static_cast<double>(step - 5) / 15.0)));
    const math::StepMetrics& line = result.metrics[static_cast<std::size_t>(step)];
    INFO("step " << step);
    // Single precision against double, carried on from step to step. 1 − β2 taken from a rounded β2 would
    // show as 1.3e-5.
    CHECK(line.step == step + 1);
    CHECK(test::reconstruction_of(line) == Approx(o.reconstruction).epsilon(2e-6));
    CHECK(test::kl_of(line) == Approx(o.kl).epsilon(2e-6));
    CHECK(line.gradient_norm == Approx(norm(o.gradient)).epsilon(2e-6));
    CHECK(line.lr == Approx(adam.lr).epsilon(1e-6));
    adam.step(parameters, o.gradient);
  }
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    INFO("parameter " << i);
    // Against a path of at most 20 steps of 0.005 each.
    REQUIRE(std::fabs(static_cast<double>(result.parameters[i]) - parameters[i]) <= 1e-5 * 20.0 * 0.005);
  }
}
