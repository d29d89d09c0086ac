// LikelihoodForwardBackward and ObservationMean against the oracle.
#include <cmath>
#include <cstdint>
#include <vector>

#include "support/catch.hpp"
#include "support/op_bench.hpp"
#include "support/oracle.hpp"
#include "support/tolerance.hpp"

using namespace vaecuda;
using math::LikelihoodKind;
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
  LikelihoodKind kind;
  oracle::Lik lik;
  double sigma;
};
const std::vector<Kind> kKinds = {{LikelihoodKind::bernoulli, oracle::Lik::bernoulli, 1.0},
                                  {LikelihoodKind::gaussian, oracle::Lik::gaussian, 1.0},
                                  {LikelihoodKind::gaussian, oracle::Lik::gaussian, 0.25}};

math::LikelihoodParameters parameters_of(const Kind& k) {
  math::LikelihoodParameters p;
  p.kind = k.kind;
  // 1/σ² is exact for both σ of the table; the normalizer is rounded, as the product rounds it.
  p.inverse_variance = static_cast<float>(1.0 / (k.sigma * k.sigma));
  p.log_normalizer = static_cast<float>(std::log(k.sigma) + 0.5 * std::log(2.0 * 3.14159265358979323846));
  return p;
}

// Logits up to ±12, and the first ones far beyond; x in [0, 1] with exact zeros and ones.
std::vector<float> make_output(const Shape& s) {
  std::vector<float> output = test::noise(s.rows() * s.columns, 51, 12.0);
  const float edges[] = {90.0f, -90.0f, 0.0f, 120.0f, -120.0f};
  for (std::size_t i = 0; i < 5 && i < output.size() / 3; ++i) output[i] = edges[i];
  return output;
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

}  // namespace

TEST_CASE("LikelihoodForwardBackward sums the NLL and gives its gradient", "[likelihood]") {
  for (const test::Executor& executor : test::executors()) {
    for (const Kind& k : kKinds) {
      for (const Shape& s : kShapes) {
        for (const bool in_place : {false, true}) {
          INFO(executor.name << ", B " << s.batch << ", K " << s.samples << ", D " << s.columns
                             << ", likelihood " << static_cast<int>(k.kind) << ", sigma " << k.sigma
                             << (in_place ? ", in place" : ""));
          const std::vector<float> output = make_output(s);
          const std::vector<float> x = make_x(s);
          test::OpBench bench(s.batch);
          LikelihoodForwardBackward op;
          op.likelihood = parameters_of(k);
          op.output = bench.samples("output", s.samples, s.columns, output);
          op.x = bench.matrix("x", s.columns, x);
          op.nll = bench.samples("nll", s.samples, 1);
          op.gradient = in_place ? op.output : bench.samples("gradient", s.samples, s.columns);
          op.gradient_scale = 1.0f / static_cast<float>(s.rows());
          bench.add(op);
          bench.run(executor);
          const oracle::LikelihoodResult expected =
              oracle::likelihood(k.lik, k.sigma, oracle::from_floats(output, s.rows(), s.columns),
                                 oracle::from_floats(x, s.batch, s.columns));
          CHECK(test::compare(bench.get(op.nll), expected.nll, Quantity::negative_log_likelihood,
                              s.columns) == "");
          CHECK(test::compare(bench.get(op.gradient),
                              scaled(expected.gradient, 1.0 / static_cast<double>(s.rows())),
                              Quantity::likelihood_gradient) == "");
          CHECK(test::compare_bits(bench.get(op.x), x) == "");
        }
      }
    }
  }
}

TEST_CASE("LikelihoodForwardBackward without a gradient leaves the output alone", "[likelihood]") {
  const Shape s{33, 63, 1};
  for (const test::Executor& executor : test::executors()) {
    for (const Kind& k : kKinds) {
      const std::vector<float> output = make_output(s);
      const std::vector<float> x = make_x(s);
      test::OpBench bench(s.batch);
      LikelihoodForwardBackward op;
      op.likelihood = parameters_of(k);
      op.output = bench.matrix("output", s.columns, output);
      op.x = bench.matrix("x", s.columns, x);
      op.nll = bench.matrix("nll", 1);
      bench.add(op);
      bench.run(executor);
      const oracle::LikelihoodResult expected =
          oracle::likelihood(k.lik, k.sigma, oracle::from_floats(output, s.batch, s.columns),
                             oracle::from_floats(x, s.batch, s.columns));
      CHECK(test::compare(bench.get(op.nll), expected.nll, Quantity::negative_log_likelihood, s.columns) ==
            "");
      CHECK(test::compare_bits(bench.get(op.output), output) == "");
    }
  }
}

TEST_CASE("ObservationMean is the likelihood's mean", "[likelihood]") {
  for (const test::Executor& executor : test::executors()) {
    for (const Kind& k : kKinds) {
      for (const Shape& s : kShapes) {
        for (const bool in_place : {false, true}) {
          INFO(executor.name << ", B " << s.batch << ", D " << s.columns << (in_place ? ", in place" : ""));
          const std::vector<float> output = make_output(s);
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
            expected.value.values[i] = k.lik == oracle::Lik::gaussian ? o : 1.0 / (1.0 + std::exp(-o));
            expected.magnitude.values[i] = std::fabs(expected.value.values[i]);
          }
          CHECK(test::compare(bench.get(op.mean), expected, Quantity::observation_mean) == "");
        }
      }
    }
  }
}
