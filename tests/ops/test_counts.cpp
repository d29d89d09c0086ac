// The likelihood of counts, the mean of p(x|z) and the encoder's view of counts, against the oracle.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "host/config/enumerators.hpp"
#include "host/config/likelihood_traits.hpp"
#include "support/catch.hpp"
#include "support/count_oracle.hpp"
#include "support/op_bench.hpp"
#include "support/tolerance.hpp"

namespace math = vaecuda::math;
using namespace vaecuda;
using oracle::CountMass;
using oracle::DispersionFrom;
using test::Quantity;

namespace {

struct Kind {
  math::LikelihoodKind kind;
  oracle::CountSpec spec;
};

constexpr std::int64_t kDispersionAt = 5;

template <typename Mass>
void add_kinds(std::vector<Kind>& kinds, CountMass mass) {
  const std::vector<DispersionFrom> sources =
      Mass::kHasDispersion ? std::vector<DispersionFrom>{DispersionFrom::scalar, DispersionFrom::column,
                                                         DispersionFrom::output}
                           : std::vector<DispersionFrom>{DispersionFrom::none};
  for (const DispersionFrom source : sources) {
    for (const bool is_share : {true, false}) {
      for (const bool of_row_sum : {true, false}) {
        if (Mass::kIsOfRow && !(is_share && of_row_sum)) continue;
        kinds.push_back(
            {math::kLikelihoodKind<Mass>,
             {.mass = mass, .is_share = is_share, .of_row_sum = of_row_sum, .dispersion = source}});
      }
    }
  }
}

std::vector<Kind> all_kinds() {
  std::vector<Kind> kinds;
  add_kinds<math::Poisson>(kinds, CountMass::poisson);
  add_kinds<math::NegativeBinomial>(kinds, CountMass::nb);
  add_kinds<math::ZeroInflatedNegativeBinomial>(kinds, CountMass::zinb);
  add_kinds<math::Multinomial>(kinds, CountMass::multinomial);
  return kinds;
}

math::CountParameters parameters_of(const Kind& k) {
  return {.kind = k.kind,
          .rate = k.spec.is_share ? math::Rate::softmax : math::Rate::softplus,
          .dispersion = k.spec.dispersion == DispersionFrom::scalar   ? math::Dispersion::scalar
                        : k.spec.dispersion == DispersionFrom::output ? math::Dispersion::entry
                                                                      : math::Dispersion::column,
          .of_row_sum = k.spec.of_row_sum};
}

struct Shape {
  std::int64_t batch;
  std::int64_t columns;
  std::int64_t samples = 1;
  [[nodiscard]] std::int64_t rows() const { return batch * samples; }
};
// One column; ragged; a row of several chunks and of a block of threads.
constexpr Shape kShapes[] = {{1, 1}, {5, 3}, {33, 63}, {6, 1000}, {7, 61, 3}};

/// Mostly zeros, small counts, and a few that are large; the second row is empty.
std::vector<float> make_counts(const Shape& s) {
  const std::vector<float> draws = test::noise(s.batch * s.columns, 81, 1.0);
  std::vector<float> x;
  for (std::size_t i = 0; i < draws.size(); ++i) {
    const bool is_empty = static_cast<std::int64_t>(i) / s.columns == 1;
    const float draw = is_empty ? 0.0f : draws[i];
    x.push_back(draw < 0.4f ? 0.0f : i % 17 == 3 ? std::floor(20000.0f * draw) : std::floor(draw * 6.0f));
  }
  return x;
}

/// Rates' logits up to ±4, log θ up to ±9, zero logits up to ±6.
std::vector<float> make_output(const Kind& k, const Shape& s) {
  std::vector<float> output;
  const std::int64_t width = k.spec.planes() * s.columns;
  const std::vector<float> draws = test::noise(s.rows() * width, 82, 1.0);
  for (std::int64_t i = 0; i < s.rows() * width; ++i) {
    const std::int64_t plane = i % width / s.columns;
    const bool is_theta = plane == 1 && k.spec.dispersion == DispersionFrom::output;
    output.push_back(draws[static_cast<std::size_t>(i)] * (plane == 0 ? 4.0f : is_theta ? 9.0f : 6.0f));
  }
  return output;
}

std::int64_t dispersions_of(const Kind& k, const Shape& s) {
  return k.spec.dispersion == DispersionFrom::scalar   ? 1
         : k.spec.dispersion == DispersionFrom::column ? s.columns
                                                       : 0;
}

struct Setup {
  test::OpBench bench;
  CountLikelihood op;
  std::vector<float> output;
  std::vector<float> x;
  std::vector<float> log_dispersion;

  Setup(const Kind& k, const Shape& s)
      : bench(s.batch, 0, 16 + s.columns), output(make_output(k, s)), x(make_counts(s)) {
    op.likelihood = parameters_of(k);
    op.output = bench.samples("output", s.samples, k.spec.planes() * s.columns, output);
    op.x = bench.matrix("x", s.columns, x);
    op.nll = bench.samples("nll", s.samples, 1);
    log_dispersion = test::noise(dispersions_of(k, s), 83, 7.0);
    if (log_dispersion.empty()) return;
    std::vector<float> parameters(static_cast<std::size_t>(16 + s.columns), 100.0f);
    std::copy(log_dispersion.begin(), log_dispersion.end(), parameters.begin() + kDispersionAt);
    bench.set_parameters(parameters);
    op.log_dispersion = kDispersionAt;
  }
  void want_gradient(const Shape& s, float scale) {
    op.gradient = bench.samples("gradient", s.samples, op.output.cols);
    op.gradient_scale = scale;
    if (op.log_dispersion >= 0) {
      op.dispersion_gradient =
          bench.samples("dlog_dispersion", s.samples, static_cast<std::int64_t>(log_dispersion.size()));
    }
  }
  [[nodiscard]] oracle::CountResult expected(const Kind& k) const {
    return oracle::count_likelihood(k.spec, oracle::from_floats(output, op.output.rows, op.output.cols),
                                    oracle::from_floats(x, op.x.rows, op.x.cols),
                                    {log_dispersion.begin(), log_dispersion.end()});
  }
};

oracle::Graded scaled(oracle::Graded g, double scale) {
  for (double& v : g.value.values) v *= scale;
  for (double& v : g.magnitude.values) v *= scale;
  return g;
}

std::string describe(const Kind& k, const Shape& s) {
  CountLikelihood op;
  op.likelihood = parameters_of(k);
  return name_of(Op(op)) + ", dispersion " + std::to_string(static_cast<int>(k.spec.dispersion)) +
         (k.spec.is_share ? ", softmax" : ", softplus") + (k.spec.of_row_sum ? " of the sum" : "") + ", B " +
         std::to_string(s.batch) + ", K " + std::to_string(s.samples) + ", D " + std::to_string(s.columns);
}

}  // namespace

TEST_CASE("every likelihood of counts is held to the oracle", "[counts]") {
  const std::vector<Kind> kinds = all_kinds();
  for (int place = 0; place < config::enumerator_count<Likelihood>(); ++place) {
    const auto likelihood = static_cast<Likelihood>(place);
    if (traits_of(likelihood).domain != ValueDomain::count) continue;
    INFO("add_kinds: " << traits_of(likelihood).name);
    CHECK(std::any_of(kinds.begin(), kinds.end(),
                      [&](const Kind& k) { return k.kind == kind_of(likelihood); }));
  }
}

TEST_CASE("CountLikelihood sums the NLL of rows and gives its gradients", "[counts]") {
  for (const Kind& k : all_kinds()) {
    for (const Shape& s : kShapes) {
      const oracle::CountResult expected = Setup(k, s).expected(k);
      const double scale = 1.0 / static_cast<double>(s.rows());
      for (const test::Executor& executor : test::executors()) {
        INFO(executor.name << ", " << describe(k, s));
        Setup setup(k, s);
        setup.want_gradient(s, static_cast<float>(scale));
        setup.bench.add(setup.op);
        setup.bench.run(executor);
        CHECK(test::compare(setup.bench.get(setup.op.nll), expected.nll, Quantity::count_likelihood,
                            s.columns) == "");
        CHECK(test::compare(setup.bench.get(setup.op.gradient), scaled(expected.gradient, scale),
                            Quantity::count_gradient) == "");
        if (setup.op.log_dispersion >= 0) {
          CHECK(test::compare(setup.bench.get(setup.op.dispersion_gradient),
                              scaled(expected.dispersion_gradient, scale), Quantity::count_gradient,
                              s.columns) == "");
        }
        CHECK(test::compare_bits(setup.bench.get(setup.op.output), setup.output) == "");
        CHECK(test::compare_bits(setup.bench.get(setup.op.x), setup.x) == "");
      }
    }
  }
}

TEST_CASE("CountLikelihood gives the same NLL without a gradient", "[counts]") {
  for (const Kind& k : all_kinds()) {
    const Shape s{33, 63};
    for (const test::Executor& executor : test::executors()) {
      INFO(executor.name << ", " << describe(k, s));
      Setup with(k, s);
      with.want_gradient(s, 1.0f);
      with.bench.add(with.op);
      with.bench.run(executor);
      Setup without(k, s);
      without.bench.add(without.op);
      without.bench.run(executor);
      CHECK(test::compare_bits(without.bench.get(without.op.nll), with.bench.get(with.op.nll)) == "");
    }
  }
}

TEST_CASE("CountMean is the mean of the row's distribution", "[counts]") {
  for (const Kind& k : all_kinds()) {
    for (const Shape& s : {Shape{1, 1}, Shape{33, 63}, Shape{6, 1000}}) {
      const std::vector<float> output = make_output(k, s);
      const std::vector<float> x = make_counts(s);
      for (const bool has_rows : {true, false}) {
        const oracle::Matrix rows = has_rows ? oracle::from_floats(x, s.batch, s.columns) : oracle::Matrix();
        const oracle::Graded expected = oracle::count_mean(
            k.spec, oracle::from_floats(output, s.batch, k.spec.planes() * s.columns), rows, 123.0);
        for (const test::Executor& executor : test::executors()) {
          INFO(executor.name << ", " << describe(k, s) << (has_rows ? "" : ", without rows"));
          test::OpBench bench(s.batch);
          CountMean op;
          op.likelihood = parameters_of(k);
          op.output = bench.matrix("output", k.spec.planes() * s.columns, output);
          if (has_rows) op.x = bench.matrix("x", s.columns, x);
          op.mean = bench.matrix("mean", s.columns);
          op.sum = 123.0f;
          bench.add(op);
          bench.run(executor);
          CHECK(test::compare(bench.get(op.mean), expected, Quantity::count_mean) == "");
        }
      }
    }
  }
}

TEST_CASE("TransformInput is what the encoder reads of counts", "[counts]") {
  using Transform = math::InputTransform;
  for (const Shape& s : {Shape{1, 1}, Shape{33, 63}, Shape{6, 1000}}) {
    const std::vector<float> x = make_counts(s);
    for (const Transform kind : {Transform::none, Transform::log1p, Transform::l2, Transform::binarize}) {
      oracle::Graded expected(s.batch, s.columns);
      expected.value =
          oracle::view_of(static_cast<oracle::InputView>(kind), oracle::from_floats(x, s.batch, s.columns));
      expected.magnitude = expected.value;
      for (const test::Executor& executor : test::executors()) {
        INFO(executor.name << ", transform " << static_cast<int>(kind) << ", D " << s.columns);
        test::OpBench bench(s.batch);
        TransformInput op{kind, bench.matrix("x", s.columns, x), bench.matrix("out", s.columns)};
        bench.add(op);
        bench.run(executor);
        CHECK(test::compare(bench.get(op.out), expected, Quantity::transformed_input, s.columns) == "");
      }
    }
  }
}
