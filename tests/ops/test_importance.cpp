// ImportanceWeights, WeighRows and LatentKl against the oracle, and what LatentBackward makes of their
// results.
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "support/catch.hpp"
#include "support/op_bench.hpp"
#include "support/oracle.hpp"
#include "support/tolerance.hpp"

using namespace vaecuda;
using test::Quantity;

namespace {

constexpr std::uint64_t kSeed = 77;

struct Shape {
  std::int64_t batch;
  std::int64_t samples;
};
const std::vector<Shape> kShapes = {{1, 1}, {31, 5}, {33, 8}, {5, 9}, {2, 33}, {3, 300}, {257, 3}};

/// Ends a step whose rows have a loss of one each.
void end_step(test::OpBench& bench, std::int64_t batch, const math::LossSchedule& schedule) {
  const std::vector<float> ones(static_cast<std::size_t>(batch), 1.0f);
  AdvanceStep advance;
  const View nll = bench.matrix("nll", 1, ones);
  advance.loss = test::elbo_rows(nll, bench.matrix("plain_kl", 1, ones));
  advance.loss_schedule = schedule;
  bench.end_training(advance);
}

/// A matrix of one row: the first of a batch of them.
View first_row(View view) {
  view.rows = 1;
  return view;
}

}  // namespace

TEST_CASE("ImportanceWeights gives the bound and what each sample has in it", "[importance]") {
  for (const test::Executor& executor : test::executors()) {
    for (const Shape& s : kShapes) {
      for (const double spread : {0.5, 60.0}) {  // near equal weights, and one that has them all
        INFO(executor.name << ", B " << s.batch << ", K " << s.samples << ", spread " << spread);
        const std::int64_t rows = s.batch * s.samples;
        std::vector<float> nll = test::noise(rows, 31, spread);
        for (float& v : nll) v += 200.0f;
        const std::vector<float> ratio = test::noise(rows, 32, 0.5 * spread);
        test::OpBench bench(s.batch);
        ImportanceWeights op;
        op.nll = bench.samples("nll", s.samples, 1, nll);
        op.log_ratio = bench.samples("log_ratio", s.samples, 1, ratio);
        op.loss = bench.matrix("loss", 1);
        op.weights = bench.samples("weights", s.samples, 1);
        op.reconstruction = bench.matrix("reconstruction", 1);
        op.kl = bench.matrix("kl", 1);
        bench.add(op);
        ImportanceWeights alone = op;
        alone.loss = bench.matrix("loss_alone", 1);
        alone.weights = alone.reconstruction = alone.kl = View{};
        bench.add(alone);
        bench.run(executor);
        const oracle::ImportanceResult expected = oracle::importance(
            oracle::from_floats(nll, rows, 1), oracle::from_floats(ratio, rows, 1), s.samples);
        const auto check = [&](const View& view, const oracle::Graded& values) {
          CHECK(test::compare(bench.get(view), values, Quantity::importance_weight, s.samples) == "");
        };
        check(op.loss, expected.loss);
        check(op.weights, expected.weights);
        check(op.reconstruction, expected.reconstruction);
        check(op.kl, expected.kl);
        CHECK(test::compare_bits(bench.get(alone.loss), bench.get(op.loss)) == "");
        // −bound = Σ w̃·nll + Σ w̃·ratio + KL(w̃ ‖ uniform), so that it is at least the first two.
        for (std::size_t r = 0; r < static_cast<std::size_t>(s.batch); ++r) {
          CHECK(bench.get(op.loss)[r] + 1e-3f >= bench.get(op.reconstruction)[r] + bench.get(op.kl)[r]);
        }
      }
    }
  }
}

TEST_CASE("the bound with one sample is its log weight", "[importance]") {
  for (const test::Executor& executor : test::executors()) {
    test::OpBench bench(3);
    ImportanceWeights op;
    op.nll = bench.matrix("nll", 1, {101.5f, -3.25f, 1e6f});
    op.log_ratio = bench.matrix("log_ratio", 1, {2.25f, 0.5f, -12.0f});
    op.loss = bench.matrix("loss", 1);
    op.weights = bench.matrix("weights", 1);
    bench.add(op);
    bench.run(executor);
    CHECK(test::compare_bits(bench.get(op.loss), {103.75f, -2.75f, 999988.0f}) == "");
    CHECK(test::compare_bits(bench.get(op.weights), {1.0f, 1.0f, 1.0f}) == "");
  }
}

TEST_CASE("a sample that is impossible counts for nothing, a NaN shows", "[importance]") {
  const float infinity = std::numeric_limits<float>::infinity();
  for (const test::Executor& executor : test::executors()) {
    test::OpBench bench(2);
    ImportanceWeights op;
    op.nll = bench.samples("nll", 2, 1, {5.0f, infinity, 5.0f, std::numeric_limits<float>::quiet_NaN()});
    op.log_ratio = bench.samples("log_ratio", 2, 1, {1.0f, 1.0f, 1.0f, 1.0f});
    op.loss = bench.matrix("loss", 1);
    op.weights = bench.samples("weights", 2, 1);
    bench.add(op);
    bench.run(executor);
    CHECK(bench.get(op.loss)[0] == Approx(6.0 + std::log(2.0)));
    CHECK(bench.get(op.weights)[0] == 1.0f);
    CHECK(bench.get(op.weights)[1] == 0.0f);
    CHECK(std::isnan(bench.get(op.loss)[1]));
  }
}

TEST_CASE("WeighRows scales every row by its weight", "[importance]") {
  for (const test::Executor& executor : test::executors()) {
    for (const auto& [batch, samples, cols] :
         std::vector<std::array<std::int64_t, 3>>{{1, 1, 1}, {31, 3, 5}, {5, 2, 784}, {257, 1, 33}}) {
      INFO(executor.name << ", B " << batch << ", K " << samples << ", D " << cols);
      const std::vector<float> rows = test::noise(batch * samples * cols, 33);
      std::vector<float> weights = test::noise(batch * samples, 34, 0.5);
      test::OpBench bench(batch);
      WeighRows op;
      op.weights = bench.samples("weights", samples, 1, weights);
      op.rows = bench.samples("rows", samples, cols, rows);
      op.scale = 0.25f;
      bench.add(op);
      bench.run(executor);
      std::vector<float> expected = rows;
      for (std::size_t i = 0; i < expected.size(); ++i)
        expected[i] *= 0.25f * weights[i / static_cast<std::size_t>(cols)];
      CHECK(test::compare_bits(bench.get(op.rows), expected) == "");
    }
  }
}

TEST_CASE("LatentKl bounds the batch's KL, and LatentBackward takes its slopes", "[importance]") {
  struct Case {
    std::int64_t batch;
    std::int64_t latent;
    math::KlTermKind kind;
    double bound;  ///< λ or C
  };
  const std::vector<Case> cases = {
      {1, 1, math::KlTermKind::free_bits, 0.5},   {33, 5, math::KlTermKind::free_bits, 0.8},
      {70, 33, math::KlTermKind::free_bits, 0.8}, {257, 20, math::KlTermKind::free_bits, 0.0},
      {33, 5, math::KlTermKind::capacity, 1.0},   {300, 130, math::KlTermKind::capacity, 1e4}};
  for (const test::Executor& executor : test::executors()) {
    for (const Case& c : cases) {
      const bool free_bits = c.kind == math::KlTermKind::free_bits;
      INFO(executor.name << ", B " << c.batch << ", Z " << c.latent << ", bound " << c.bound);
      const std::vector<float> head = test::noise(c.batch * 2 * c.latent, 35, 1.5);
      const std::vector<float> dz = test::noise(c.batch * c.latent, 36, 0.3);
      test::OpBench bench(c.batch, 0, 32);
      LatentKl op;
      op.head = bench.matrix("head", 2 * c.latent, head);
      op.kl = first_row(bench.matrix("kl", c.latent));
      op.slope = first_row(bench.matrix("slope", c.latent));
      op.term = first_row(bench.matrix("term", 1));
      op.scale_head = math::ScaleHead::logsigma;
      op.kind = c.kind;
      op.free_bits = free_bits ? static_cast<float>(c.bound) : 0.0f;
      bench.add(op);
      LatentBackward backward;
      backward.head = op.head;
      backward.dz = bench.matrix("dz", c.latent, dz);
      backward.dhead = bench.matrix("dhead", 2 * c.latent);
      backward.kl_slope = op.slope;
      backward.scale_head = op.scale_head;
      backward.seed = kSeed;
      backward.gradient_scale = 1.0f / static_cast<float>(c.batch);
      bench.add(backward);
      math::LossSchedule schedule;
      schedule.beta = 3.0;
      schedule.capacity = free_bits ? 0.0 : c.bound;
      end_step(bench, c.batch, schedule);
      bench.run(executor);

      const oracle::Matrix heads = oracle::from_floats(head, c.batch, 2 * c.latent);
      const oracle::Graded kl = oracle::latent_kl(heads, oracle::Scale::logsigma);
      oracle::Graded term(1, 1);
      std::vector<double> slope(static_cast<std::size_t>(c.latent), 1.0);
      for (std::size_t j = 0; j < slope.size(); ++j) {
        const double value = kl.value.values[j];
        if (free_bits) slope[j] = value > c.bound ? 1.0 : 0.0;
        term.value.at(0, 0) += free_bits ? std::fmax(value, c.bound) : value;
        term.magnitude.at(0, 0) += kl.magnitude.values[j];
      }
      if (!free_bits) {
        const double distance = term.value.at(0, 0) - c.bound;
        slope.assign(slope.size(), distance > 0.0 ? 1.0 : -1.0);
        term.value.at(0, 0) = std::fabs(distance);
        term.magnitude.at(0, 0) += c.bound;
      }
      CHECK(test::compare(bench.get(op.kl), kl, Quantity::latent_kl, c.batch) == "");
      CHECK(test::compare(bench.get(op.term), term, Quantity::latent_kl, c.batch) == "");
      CHECK(test::compare_bits(bench.get(op.slope), {slope.begin(), slope.end()}) == "");
      const oracle::Matrix epsilon = oracle::normals(kSeed, 4, 0, c.batch, c.latent);
      const oracle::Graded expected =
          oracle::latent_backward(heads, oracle::from_floats(dz, c.batch, c.latent), epsilon,
                                  3.0 / static_cast<double>(c.batch), oracle::Scale::logsigma, slope);
      CHECK(test::compare(bench.get(backward.dhead), expected,
                          executor.hardware_normals ? Quantity::latent_gradient_hardware
                                                    : Quantity::latent_gradient) == "");
    }
  }
}

TEST_CASE("samples carry their log-ratio, and its gradient by their weight", "[importance]") {
  struct Case {
    std::int64_t batch;
    std::int64_t latent;
    std::int64_t samples;
    oracle::Scale scale;
  };
  const std::vector<Case> cases = {{1, 1, 1, oracle::Scale::logvar},
                                   {31, 3, 5, oracle::Scale::logvar},
                                   {7, 130, 2, oracle::Scale::logsigma},
                                   {2, 784, 3, oracle::Scale::logvar},
                                   {33, 20, 4, oracle::Scale::logsigma}};
  for (const test::Executor& executor : test::executors()) {
    for (const Case& c : cases) {
      INFO(executor.name << ", B " << c.batch << ", K " << c.samples << ", Z " << c.latent);
      const std::int64_t rows = c.batch * c.samples;
      const std::vector<float> head = test::noise(c.batch * 2 * c.latent, 37, 1.5);
      const std::vector<float> dz = test::noise(rows * c.latent, 38, 0.3);
      std::vector<float> weights = test::noise(rows, 39, 0.5);
      for (float& w : weights) w += 0.5f;
      const auto scale_head =
          c.scale == oracle::Scale::logsigma ? math::ScaleHead::logsigma : math::ScaleHead::logvar;
      test::OpBench bench(c.batch, 0, 32);
      LatentForward forward;
      forward.head = bench.matrix("head", 2 * c.latent, head);
      forward.z = bench.samples("z", c.samples, c.latent);
      forward.kl = bench.matrix("kl", 1);
      forward.log_ratio = bench.samples("log_ratio", c.samples, 1);
      forward.scale_head = scale_head;
      forward.seed = kSeed;
      bench.add(forward);
      LatentBackward backward;
      backward.head = forward.head;
      backward.dz = bench.samples("dz", c.samples, c.latent, dz);
      backward.dhead = bench.matrix("dhead", 2 * c.latent);
      backward.weights = bench.samples("weights", c.samples, 1, weights);
      backward.scale_head = scale_head;
      backward.seed = kSeed;
      backward.gradient_scale = 0.5f;
      bench.add(backward);
      math::LossSchedule schedule;
      schedule.beta = 3.0;  // must not count: the log-ratio stands in the KL's place
      end_step(bench, c.batch, schedule);
      bench.run(executor);
      const oracle::Matrix heads = oracle::from_floats(head, c.batch, 2 * c.latent);
      const oracle::Matrix epsilon = oracle::normals(kSeed, 4, 0, rows, c.latent);
      const oracle::LatentResult latent = oracle::latent_forward(heads, epsilon, c.scale);
      CHECK(test::compare(bench.get(forward.log_ratio), latent.log_ratio,
                          executor.hardware_normals ? Quantity::latent_sample_hardware
                                                    : Quantity::latent_sample) == "");
      oracle::Matrix scaled = oracle::from_floats(weights, rows, 1);
      for (double& w : scaled.values) w *= 0.5;
      const oracle::Graded expected = oracle::weighted_latent_backward(
          heads, oracle::from_floats(dz, rows, c.latent), epsilon, scaled, c.scale);
      CHECK(test::compare(bench.get(backward.dhead), expected,
                          executor.hardware_normals ? Quantity::latent_gradient_hardware
                                                    : Quantity::latent_gradient) == "");
    }
  }
}
