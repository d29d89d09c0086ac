// LikelihoodForwardBackward and ObservationMean against the oracle.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "host/config/enumerators.hpp"
#include "host/config/likelihood_traits.hpp"
#include "support/catch.hpp"
#include "support/op_bench.hpp"
#include "support/oracle.hpp"
#include "support/tolerance.hpp"

using namespace vaecuda;
using test::Quantity;

namespace {

struct Shape {
  std::int64_t batch;
  std::int64_t columns;
  std::int64_t samples = 1;
  [[nodiscard]] std::int64_t rows() const { return batch * samples; }
};
const std::vector<Shape> kShapes = {{1, 1},   {31, 3},    {32, 5},    {33, 63},   {257, 5},
                                    {5, 784}, {257, 784}, {31, 3, 5}, {9, 63, 3}, {2, 784, 7}};

struct Kind {
  math::LikelihoodKind kind;
  oracle::Lik lik;
  math::SigmaSource source;
  oracle::SigmaFrom from;
  double sigma;
  float edge = 120.0f;  ///< the greatest output, in size; less where the NLL of more is infinite
};
constexpr auto kBernoulli = math::kLikelihoodKind<math::BernoulliLogits>;
constexpr auto kGaussian = math::kLikelihoodKind<math::Gaussian>;
constexpr auto kLaplace = math::kLikelihoodKind<math::Laplace>;
using oracle::SigmaFrom;
const std::vector<Kind> kKinds = {
    {kBernoulli, oracle::Lik::bernoulli, math::SigmaSource::fixed, SigmaFrom::constant, 1.0},
    {kGaussian, oracle::Lik::gaussian, math::SigmaSource::fixed, SigmaFrom::constant, 1.0},
    {kGaussian, oracle::Lik::gaussian, math::SigmaSource::fixed, SigmaFrom::constant, 0.25},
    {kGaussian, oracle::Lik::gaussian, math::SigmaSource::learned, SigmaFrom::parameter, 0.7},
    {kGaussian, oracle::Lik::gaussian, math::SigmaSource::head, SigmaFrom::output, 1.0},
    {kLaplace, oracle::Lik::laplace, math::SigmaSource::fixed, SigmaFrom::constant, 0.25},
    {kLaplace, oracle::Lik::laplace, math::SigmaSource::learned, SigmaFrom::parameter, 3.0},
    {kLaplace, oracle::Lik::laplace, math::SigmaSource::head, SigmaFrom::output, 1.0}};

constexpr std::int64_t kLogSigmaAt = 5;
constexpr std::int64_t kWeightAt = 16;

math::LikelihoodParameters parameters_of(const Kind& k) {
  math::LikelihoodParameters p;
  p.kind = k.kind;
  p.source = k.source;
  // 1/σ is exact for both σ of the table; log σ is rounded, as the product rounds it.
  p.log_sigma = static_cast<float>(std::log(k.sigma));
  p.inverse_sigma = static_cast<float>(1.0 / k.sigma);
  return p;
}

/// A bench with the op's operands but its gradients. A learned log σ is the parameter's rounded value.
struct Setup {
  test::OpBench bench;
  LikelihoodForwardBackward op;
  std::vector<float> output;
  std::vector<float> x;
  double sigma;

  Setup(const Kind& k, const Shape& s, std::vector<float> outputs, std::vector<float> targets,
        std::int64_t parameter_size = 16)
      : bench(s.batch, 0, parameter_size), output(std::move(outputs)), x(std::move(targets)), sigma(k.sigma) {
    const std::int64_t width = k.source == math::SigmaSource::head ? 2 * s.columns : s.columns;
    op.likelihood = parameters_of(k);
    op.output = bench.samples("output", s.samples, width, output);
    op.x = bench.matrix("x", s.columns, x);
    op.nll = bench.samples("nll", s.samples, 1);
    if (k.source != math::SigmaSource::learned) return;
    std::vector<float> parameters(16, 100.0f);
    parameters[kLogSigmaAt] = op.likelihood.log_sigma;
    sigma = std::exp(static_cast<double>(op.likelihood.log_sigma));
    bench.set_parameters(parameters);
    op.log_sigma = kLogSigmaAt;
  }
  [[nodiscard]] oracle::LikelihoodResult expected(const Kind& k) const {
    return oracle::likelihood(k.lik, k.from, sigma,
                              oracle::from_floats(output, op.output.rows, op.output.cols),
                              oracle::from_floats(x, op.x.rows, op.x.cols));
  }
};

// Logits up to ±12, and the first ones far beyond; behind them, for a head, raw log σ up to ±4, and a few
// beyond what they can reach.
std::vector<float> make_output(const Kind& k, const Shape& s) {
  const bool has_head = k.source == math::SigmaSource::head;
  const std::vector<float> outputs = test::noise(s.rows() * s.columns, 51, has_head ? 3.0 : 12.0);
  const std::vector<float> raws = test::noise(s.rows() * s.columns, 53, 4.0);
  const float edges[] = {0.75f * k.edge, -0.75f * k.edge, 0.0f, k.edge, -k.edge};
  std::vector<float> all;
  for (std::int64_t r = 0; r < s.rows(); ++r) {
    for (std::int64_t c = 0; c < s.columns; ++c) {
      const auto i = static_cast<std::size_t>(r * s.columns + c);
      all.push_back(i < 5 && i < outputs.size() / 3 && !has_head ? edges[i] : outputs[i]);
    }
    for (std::int64_t c = 0; has_head && c < s.columns; ++c) {
      const auto i = static_cast<std::size_t>(r * s.columns + c);
      all.push_back(i < 5 && i < raws.size() / 3 ? edges[i] : raws[i]);
    }
  }
  return all;
}

std::vector<float> make_x(const Shape& s) {
  std::vector<float> x = test::noise(s.batch * s.columns, 52, 0.8);
  for (float& v : x) v = std::fmin(std::fmax(v + 0.5f, 0.0f), 1.0f);
  return x;
}

oracle::Graded scaled(oracle::Graded g, double scale) {
  for (double& v : g.value.values) v *= scale;
  for (double& v : g.magnitude.values) v *= scale;
  return g;
}

std::string describe(const Kind& k) {
  const math::LikelihoodParameters p = parameters_of(k);
  LikelihoodForwardBackward op;
  op.likelihood = p;
  return name_of(Op(op)) + ", sigma source " + std::to_string(static_cast<int>(k.source)) + ", sigma " +
         std::to_string(k.sigma);
}

}  // namespace

TEST_CASE("every likelihood is held to the oracle, with every source of its deviation", "[likelihood]") {
  for (int place = 0; place < config::enumerator_count<Likelihood>(); ++place) {
    const auto likelihood = static_cast<Likelihood>(place);
    if (traits_of(likelihood).domain == ValueDomain::count) continue;  // test_counts.cpp
    const int sources = traits_of(likelihood).has_sigma ? 3 : 1;
    for (int source = 0; source < sources; ++source) {
      INFO("a line in kKinds: " << traits_of(likelihood).name << ", source of sigma " << source);
      CHECK(std::any_of(kKinds.begin(), kKinds.end(), [&](const Kind& k) {
        return k.kind == kind_of(likelihood) && k.source == static_cast<math::SigmaSource>(source);
      }));
    }
  }
}

TEST_CASE("LikelihoodForwardBackward sums the NLL and gives its gradients", "[likelihood]") {
  for (const Kind& k : kKinds) {
    for (const Shape& s : kShapes) {
      const std::vector<float> output = make_output(k, s);
      const std::vector<float> x = make_x(s);
      const oracle::LikelihoodResult expected = Setup(k, s, output, x).expected(k);
      for (const test::Executor& executor : test::executors()) {
        for (const bool in_place : {false, true}) {
          INFO(executor.name << ", B " << s.batch << ", K " << s.samples << ", D " << s.columns << ", "
                             << describe(k) << (in_place ? ", in place" : ""));
          Setup setup(k, s, output, x);
          LikelihoodForwardBackward& op = setup.op;
          op.gradient = in_place ? op.output : setup.bench.samples("gradient", s.samples, op.output.cols);
          if (k.source == math::SigmaSource::learned)
            op.sigma_gradient = setup.bench.samples("dlog_sigma", s.samples, 1);
          op.gradient_scale = 1.0f / static_cast<float>(s.rows());
          setup.bench.add(op);
          setup.bench.run(executor);
          CHECK(test::compare(setup.bench.get(op.nll), expected.nll, Quantity::negative_log_likelihood,
                              s.columns) == "");
          const double scale = 1.0 / static_cast<double>(s.rows());
          CHECK(test::compare(setup.bench.get(op.gradient), scaled(expected.gradient, scale),
                              Quantity::likelihood_gradient) == "");
          if (k.source == math::SigmaSource::learned) {
            CHECK(test::compare(setup.bench.get(op.sigma_gradient), scaled(expected.sigma_gradient, scale),
                                Quantity::negative_log_likelihood, s.columns) == "");
          }
          CHECK(test::compare_bits(setup.bench.get(op.x), setup.x) == "");
        }
      }
    }
  }
}

TEST_CASE("LikelihoodForwardBackward without a gradient leaves the output alone", "[likelihood]") {
  const Shape s{33, 63, 1};
  for (const test::Executor& executor : test::executors()) {
    for (const Kind& k : kKinds) {
      INFO(executor.name << ", " << describe(k));
      Setup setup(k, s, make_output(k, s), make_x(s));
      setup.bench.add(setup.op);
      setup.bench.run(executor);
      CHECK(test::compare(setup.bench.get(setup.op.nll), setup.expected(k).nll,
                          Quantity::negative_log_likelihood, s.columns) == "");
      CHECK(test::compare_bits(setup.bench.get(setup.op.output), setup.output) == "");
    }
  }
}

TEST_CASE("LikelihoodForwardBackward sees its layer's bias, wherever that is added", "[likelihood]") {
  // Halves and eighths, so that the layer is exact in every arithmetic and only the likelihood is compared.
  constexpr std::int64_t kInner = 3;
  const auto eighths = [](std::int64_t count, std::uint64_t seed, double scale) {
    std::vector<float> values = test::noise(count, seed, scale);
    for (float& v : values) v = std::round(8.0f * v) / 8.0f;
    return values;
  };
  for (const test::Executor& executor : test::executors()) {
    for (const Kind& k : kKinds) {
      for (const Shape& s : {Shape{1, 1}, Shape{31, 3}, Shape{33, 63}, Shape{5, 784}, Shape{9, 63, 3}}) {
        for (const bool in_place : {false, true}) {
          INFO(executor.name << ", B " << s.batch << ", K " << s.samples << ", D " << s.columns << ", "
                             << describe(k) << (in_place ? ", in place" : ""));
          const std::int64_t width = k.source == math::SigmaSource::head ? 2 * s.columns : s.columns;
          const std::vector<float> weight = eighths(width * kInner, 71, 1.0);
          const std::vector<float> bias = eighths(width, 72, 2.0);
          const std::vector<float> in = eighths(s.rows() * kInner, 73, 2.0);
          std::vector<float> output;
          for (std::int64_t r = 0; r < s.rows(); ++r) {
            for (std::int64_t c = 0; c < width; ++c) {
              float sum = bias[static_cast<std::size_t>(c)];
              for (std::int64_t i = 0; i < kInner; ++i) {
                sum += in[static_cast<std::size_t>(r * kInner + i)] *
                       weight[static_cast<std::size_t>(c * kInner + i)];
              }
              output.push_back(sum);
            }
          }
          const std::int64_t bias_at = kWeightAt + width * kInner + 1;  // on no boundary
          Setup setup(k, s, output, make_x(s), bias_at + width);
          test::OpBench& bench = setup.bench;
          LikelihoodForwardBackward& op = setup.op;
          std::vector<float> parameters(static_cast<std::size_t>(bias_at + width), 100.0f);
          parameters[kLogSigmaAt] = op.likelihood.log_sigma;
          std::copy(weight.begin(), weight.end(), parameters.begin() + kWeightAt);
          std::copy(bias.begin(), bias.end(), parameters.begin() + bias_at);
          bench.set_parameters(parameters);
          // A result that is stored has another reader, which must find the bias in it.
          if (!in_place) op.output = bench.scratch("layer", s.rows(), width);
          op.gradient = in_place ? op.output : bench.samples("gradient", s.samples, width);
          op.gradient_scale = 1.0f / static_cast<float>(s.rows());
          if (k.source == math::SigmaSource::learned)
            op.sigma_gradient = bench.samples("dlog_sigma", s.samples, 1);
          Linear layer;
          layer.in = bench.samples("in", s.samples, kInner, in);
          layer.layer = LinearParameters{
              .name = "layer", .out = width, .in = kInner, .weight = kWeightAt, .bias = bias_at};
          layer.out = op.output;
          bench.add(layer);
          bench.add(op);
          bench.run(executor);
          const oracle::LikelihoodResult expected = setup.expected(k);
          CHECK(test::compare(bench.get(op.nll), expected.nll, Quantity::negative_log_likelihood,
                              s.columns) == "");
          const double scale = 1.0 / static_cast<double>(s.rows());
          CHECK(test::compare(bench.get(op.gradient), scaled(expected.gradient, scale),
                              Quantity::likelihood_gradient) == "");
        }
      }
    }
  }
}

TEST_CASE("ObservationMean is the likelihood's mean", "[likelihood]") {
  for (const test::Executor& executor : test::executors()) {
    for (const Kind& k : kKinds) {
      if (k.source != math::SigmaSource::fixed) continue;
      for (const Shape& s : kShapes) {
        for (const bool in_place : {false, true}) {
          INFO(executor.name << ", B " << s.batch << ", D " << s.columns << (in_place ? ", in place" : ""));
          const std::vector<float> output = make_output(k, s);
          test::OpBench bench(s.rows());
          ObservationMean op;
          op.likelihood = parameters_of(k);
          op.output = bench.matrix("output", s.columns, output);
          op.mean = in_place ? op.output : bench.matrix("mean", s.columns);
          bench.add(op);
          bench.run(executor);
          oracle::Graded expected(s.rows(), s.columns);
          for (std::size_t i = 0; i < output.size(); ++i) {
            const auto o = static_cast<double>(output[i]);
            expected.value.values[i] = oracle::observation_mean(k.lik, o);
            expected.magnitude.values[i] = std::fabs(expected.value.values[i]);
          }
          CHECK(test::compare(bench.get(op.mean), expected, Quantity::observation_mean) == "");
        }
      }
    }
  }
}

TEST_CASE("ParameterGradient is the sum over the rows, and is learned from", "[likelihood]") {
  for (const test::Executor& executor : test::executors()) {
    for (const float clip_norm : {0.0f, 0.5f}) {
      for (const std::int64_t batch : {1, 31, 257, 1030}) {
        INFO(executor.name << ", B " << batch << ", clip " << clip_norm);
        const std::vector<float> rows = test::noise(batch * 3, 61);
        test::OpBench bench(batch, 0, 32);
        ParameterGradient op;
        op.parameter_name = "three";
        op.d = bench.matrix("d", 3, rows);
        op.parameter = 17;
        AdvanceStep advance;
        const View nll = bench.matrix("nll", 1, std::vector<float>(static_cast<std::size_t>(batch), 1.0f));
        advance.loss = {{{math::LossTermKind::reconstruction, math::LossWeight::one}, nll}};
        // A training step updates some layer, if only one of a single weight: with a gradient of 0 here.
        LinearBackward layer;
        layer.d = bench.matrix("none", 1, std::vector<float>(static_cast<std::size_t>(batch), 0.0f));
        layer.in = nll;
        layer.layer = LinearParameters{.name = "layer", .out = 1, .in = 1, .weight = 0, .bias = 16};
        bench.add(layer);
        bench.add(op);
        AdamUpdate adam;
        adam.constants = {
            .beta1 = 0.0f, .beta2 = 0.999f, .epsilon = 1e-8f, .weight_decay = 0.0f, .decoupled = false};
        adam.ranges = {{0, 32}};
        bench.end_training(adam, advance, clip_norm);
        bench.run(executor);
        oracle::Graded expected(1, 3);
        double squares = 0.0;
        for (std::int64_t c = 0; c < 3; ++c) {
          for (std::int64_t r = 0; r < batch; ++r) {
            const auto v = static_cast<double>(rows[static_cast<std::size_t>(3 * r + c)]);
            expected.value.at(0, c) += v;
            expected.magnitude.at(0, c) += std::fabs(v);
          }
          squares += expected.value.at(0, c) * expected.value.at(0, c);
        }
        REQUIRE(bench.metrics().size() == 1);
        const double norm = std::sqrt(squares);
        CHECK(bench.metrics()[0].gradient_norm == Approx(norm).epsilon(1e-5));
        const double clipped = clip_norm > 0.0f && norm > static_cast<double>(clip_norm)
                                   ? static_cast<double>(clip_norm) / norm
                                   : 1.0;
        // Without a running mean the first moment is the gradient.
        const std::vector<float> moment(bench.moment1().begin() + 17, bench.moment1().begin() + 20);
        CHECK(test::compare(moment, scaled(expected, clipped), Quantity::bias_gradient, batch) == "");
        for (std::size_t i = 0; i < bench.moment1().size(); ++i) {
          if (i < 17 || i >= 20) CHECK(bench.moment1()[i] == 0.0f);
        }
      }
    }
  }
}
