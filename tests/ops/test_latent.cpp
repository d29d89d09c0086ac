// LatentForward, LatentBackward and SamplePrior against the oracle; ε from the documented table.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "support/catch.hpp"
#include "support/op_bench.hpp"
#include "support/oracle.hpp"
#include "support/tolerance.hpp"

using namespace vaecuda;
using test::Quantity;

namespace {

constexpr std::uint64_t kSeed = (std::uint64_t{5} << 32) + 123;  // both halves of the key matter

struct Case {
  std::int64_t batch;
  std::int64_t latent;
  std::int64_t position;
  std::int64_t samples = 1;
  math::ScaleHead scale = math::ScaleHead::logvar;
  [[nodiscard]] std::int64_t rows() const { return batch * samples; }
  [[nodiscard]] oracle::Scale oracle_scale() const {
    return scale == math::ScaleHead::logsigma ? oracle::Scale::logsigma : oracle::Scale::logvar;
  }
};
const std::vector<Case> kCases = {{1, 1, 0},
                                  {31, 3, 0},
                                  {31, 3, 0, 1, math::ScaleHead::logsigma},
                                  {32, 5, 7},
                                  {33, 20, 330},
                                  {257, 2, 514},
                                  {5, 63, 0},
                                  {3, 784, 1},
                                  {31, 6, 0, 5},
                                  {33, 20, 330, 3, math::ScaleHead::logsigma},
                                  {2, 130, 6, 4},
                                  {1, 5, 2, 70}};

// mu in ±2, logvar (or log σ) in ±4; the first rows also beyond both ends of the clamp of logvar and on them.
std::vector<float> make_head(const Case& c, bool saturated) {
  std::vector<float> head = test::noise(c.batch * 2 * c.latent, 41, 2.0);
  for (std::int64_t r = 0; r < c.batch; ++r) {
    for (std::int64_t j = 0; j < c.latent; ++j) {
      float& logvar = head[static_cast<std::size_t>(r * 2 * c.latent + c.latent + j)];
      logvar *= 2.0f;
      const std::int64_t i = r * c.latent + j;
      const float edges[] = {-30.0f, 20.0f, -31.0f, 20.5f, -1e30f, 1e30f};
      if (saturated && i < 6) logvar = edges[i] / math::logvar_factor(c.scale);
    }
  }
  return head;
}

}  // namespace

TEST_CASE("LatentForward samples z and sums the KL", "[latent]") {
  for (const test::Executor& executor : test::executors()) {
    for (const Case& c : kCases) {
      for (const auto purpose : {math::RandomPurpose::latent, math::RandomPurpose::evaluate}) {
        for (const bool sample : {true, false}) {
          INFO(executor.name << ", B " << c.batch << ", K " << c.samples << ", Z " << c.latent
                             << (sample ? "" : ", without noise"));
          const std::vector<float> head = make_head(c, c.batch == 31);
          test::OpBench bench(c.batch, c.position);
          LatentForward op;
          op.head = bench.matrix("head", 2 * c.latent, head);
          op.z = bench.samples("z", c.samples, c.latent);
          op.kl = bench.matrix("kl", 1);
          op.scale_head = c.scale;
          op.seed = kSeed;
          op.purpose = purpose;
          op.sample = sample;
          bench.add(op);
          bench.run(executor);
          oracle::Matrix epsilon(c.rows(), c.latent);
          if (sample)
            epsilon = oracle::normals(kSeed, static_cast<std::uint32_t>(purpose),
                                      static_cast<std::uint64_t>(c.position * c.samples), c.rows(), c.latent);
          const oracle::LatentResult expected = oracle::latent_forward(
              oracle::from_floats(head, c.batch, 2 * c.latent), epsilon, c.oracle_scale());
          CHECK(test::compare(bench.get(op.z), expected.z,
                              executor.hardware_normals ? Quantity::latent_sample_hardware
                                                        : Quantity::latent_sample) == "");
          CHECK(test::compare(bench.get(op.kl), expected.kl, Quantity::latent_kl, c.latent) == "");
          CHECK(test::compare_bits(bench.get(op.head), head) == "");
        }
      }
    }
  }
}

TEST_CASE("LatentPenalty is the code's mean square and adds its gradient", "[latent]") {
  for (const test::Executor& executor : test::executors()) {
    for (const Case& c : kCases) {
      for (const double weight : {0.0, 0.7}) {
        const std::int64_t step = c.position / c.batch;
        INFO(executor.name << ", B " << c.batch << ", Z " << c.latent << ", weight " << weight);
        const std::vector<float> z = test::noise(c.batch * c.latent, 43, 3.0);
        const std::vector<float> dz = test::noise(c.batch * c.latent, 44, 0.3);
        test::OpBench bench(c.batch, step * c.batch, 32);
        LatentPenalty op;
        op.z = bench.matrix("z", c.latent, z);
        op.dz = bench.matrix("dz", c.latent, dz);
        op.penalty = bench.matrix("penalty", 1);
        op.gradient_scale = 0.25f;
        bench.add(op);
        AdvanceStep advance;
        const View nll = bench.matrix("nll", 1, std::vector<float>(static_cast<std::size_t>(c.batch), 1.0f));
        advance.loss = {{{math::LossTermKind::reconstruction, math::LossWeight::one}, nll},
                        {{math::LossTermKind::code_penalty, math::LossWeight::scheduled}, op.penalty}};
        advance.loss_schedule.beta = weight;
        bench.end_training(advance);
        bench.run(executor);
        const oracle::PenaltyResult expected =
            oracle::latent_penalty(oracle::from_floats(z, c.batch, c.latent));
        CHECK(test::compare(bench.get(op.penalty), expected.penalty, Quantity::latent_kl, c.latent) == "");
        oracle::Graded sum(c.batch, c.latent);
        for (std::size_t i = 0; i < dz.size(); ++i) {
          const double part = weight * 0.25 * expected.gradient.value.values[i];
          sum.value.values[i] = static_cast<double>(dz[i]) + part;
          sum.magnitude.values[i] = std::fabs(static_cast<double>(dz[i])) + std::fabs(part);
        }
        CHECK(test::compare(bench.get(op.dz), sum, Quantity::likelihood_gradient) == "");
        CHECK(test::compare_bits(bench.get(op.z), z) == "");
        REQUIRE(bench.metrics().size() == 1);
      }
    }
  }
}

TEST_CASE("LatentPenalty without a gradient", "[latent]") {
  for (const test::Executor& executor : test::executors()) {
    for (const Case& c : kCases) {
      const std::vector<float> z = test::noise(c.batch * c.latent, 43, 3.0);
      test::OpBench bench(c.batch, c.position);
      LatentPenalty op;
      op.z = bench.matrix("z", c.latent, z);
      op.penalty = bench.matrix("penalty", 1);
      bench.add(op);
      bench.run(executor);
      const oracle::PenaltyResult expected =
          oracle::latent_penalty(oracle::from_floats(z, c.batch, c.latent));
      CHECK(test::compare(bench.get(op.penalty), expected.penalty, Quantity::latent_kl, c.latent) == "");
    }
  }
}

TEST_CASE("LatentBackward adds the KL's gradient to the path through z", "[latent]") {
  for (const test::Executor& executor : test::executors()) {
    for (const Case& c : kCases) {
      for (const double beta : {1.0, 0.0, 4.0}) {
        // A training step: its position is a multiple of B.
        const std::int64_t step = c.position / c.batch;
        INFO(executor.name << ", B " << c.batch << ", K " << c.samples << ", Z " << c.latent << ", beta "
                           << beta << ", step " << step);
        const std::vector<float> head = make_head(c, c.batch == 31);
        const std::vector<float> dz = test::noise(c.rows() * c.latent, 42, 0.3);
        test::OpBench bench(c.batch, step * c.batch, 32);
        LatentBackward op;
        op.head = bench.matrix("head", 2 * c.latent, head);
        op.dz = bench.samples("dz", c.samples, c.latent, dz);
        op.dhead = bench.matrix("dhead", 2 * c.latent);
        op.scale_head = c.scale;
        op.seed = kSeed;
        op.gradient_scale = 1.0f / static_cast<float>(c.batch);
        bench.add(op);
        const std::vector<float> ones(static_cast<std::size_t>(c.batch), 1.0f);
        AdvanceStep advance;
        const View nll = bench.matrix("nll", 1, ones);
        advance.loss = test::elbo_rows(nll, bench.matrix("kl", 1, ones));
        advance.loss_schedule.beta = beta;
        bench.end_training(advance);
        bench.run(executor);
        const oracle::Matrix epsilon =
            oracle::normals(kSeed, 4, static_cast<std::uint64_t>(step * c.rows()), c.rows(), c.latent);
        const oracle::Graded expected = oracle::latent_backward(
            oracle::from_floats(head, c.batch, 2 * c.latent), oracle::from_floats(dz, c.rows(), c.latent),
            epsilon, beta / static_cast<double>(c.batch), c.oracle_scale());
        CHECK(test::compare(bench.get(op.dhead), expected,
                            executor.hardware_normals ? Quantity::latent_gradient_hardware
                                                      : Quantity::latent_gradient) == "");
      }
    }
  }
}

TEST_CASE("SamplePrior draws scaled normals by row", "[latent]") {
  for (const test::Executor& executor : test::executors()) {
    for (const Case& c : kCases) {
      for (const float temperature : {1.0f, 0.5f, 0.0f}) {
        INFO(executor.name << ", B " << c.batch << ", Z " << c.latent << ", temperature " << temperature);
        test::OpBench bench(c.batch, c.position);
        SamplePrior op;
        op.z = bench.matrix("z", c.latent);
        op.seed = kSeed;
        op.temperature = temperature;
        bench.add(op);
        bench.run(executor);
        oracle::Graded expected(c.batch, c.latent);
        expected.value = oracle::normals(kSeed, 7, static_cast<std::uint64_t>(c.position), c.batch, c.latent);
        for (double& v : expected.value.values) v *= static_cast<double>(temperature);
        for (std::size_t i = 0; i < expected.value.values.size(); ++i)
          expected.magnitude.values[i] =
              static_cast<double>(temperature) + std::fabs(expected.value.values[i]);
        CHECK(test::compare(bench.get(op.z), expected,
                            executor.hardware_normals ? Quantity::prior_sample_hardware
                                                      : Quantity::prior_sample) == "");
      }
    }
  }
}

TEST_CASE("a row's noise depends on its position alone", "[latent]") {
  // Rows 40..49 of a batch of 50 and a batch of 10 that begins at 40.
  for (const test::Executor& executor : test::executors()) {
    const auto draw = [&](std::int64_t batch, std::int64_t position) {
      test::OpBench bench(batch, position);
      SamplePrior op;
      op.z = bench.matrix("z", 7);
      op.seed = 3;
      bench.add(op);
      bench.run(executor);
      return bench.get(op.z);
    };
    const std::vector<float> all = draw(50, 0);
    CHECK(test::compare_bits(draw(10, 40), {all.begin() + 40 * 7, all.end()}) == "");
    CHECK(test::compare_bits(draw(10, 30), {all.begin() + 40 * 7, all.end()}) != "");
  }
}
