// How codes move, against the oracle: gradients, moving averages, restarts and perplexity.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "support/catch.hpp"
#include "support/codebook_bench.hpp"
#include "support/op_bench.hpp"
#include "support/oracle.hpp"
#include "support/tolerance.hpp"

using namespace vaecuda;
using test::codebook_executors;
using test::kCodebookSeed;
using test::Quantity;
using Case = test::CodebookCase;
using test::books_of;
using test::codes_of;
using test::describe;
using test::make_arena;

namespace {

// What moves codes takes a block for each of them, so there are fewer.
const std::vector<Case> kMoveCases = {{1, 1, 1, 1},       {33, 3, 2, 3, 33}, {257, 2, 31, 4},
                                      {5, 1, 513, 4, 35}, {33, 1, 64, 16},   {3, 1, 65, 33, 34}};

/// A training step around a codebook: one layer of a single weight, whose update comes with it.
struct MoveBench {
  test::OpBench bench;
  AdvanceStep advance;
  CodebookBatch batch;
  AdamUpdate adam;

  MoveBench(const Case& c, std::int64_t step, const std::vector<float>& latent,
            const std::vector<float>& codes)
      : bench(c.batch, step * c.batch, c.arena()) {
    const std::vector<float> ones(static_cast<std::size_t>(c.batch), 1.0f);
    const View nll = bench.matrix("nll", 1, ones);
    const View kl = bench.matrix("kl", 1, ones);
    advance.loss = test::elbo_rows(nll, kl);
    LinearBackward layer;
    layer.d = nll;
    layer.in = kl;
    layer.layer = LinearParameters{.name = "layer", .out = 1, .in = 1, .weight = 0, .bias = 16};
    bench.add(layer);
    batch.latent = bench.matrix("latent", c.columns(), latent);
    batch.codes = bench.matrix("codes", c.groups, codes);
    batch.codebook = c.parameters();
    batch.counts = bench.scratch("counts", c.groups, c.size);
    batch.perplexity = bench.scratch("perplexity", c.groups, 1);
    advance.perplexity = batch.perplexity;
    adam.constants = {
        .beta1 = 0.9f, .beta2 = 0.999f, .epsilon = 1e-8f, .weight_decay = 0.0f, .decoupled = false};
    adam.ranges = {{0, c.arena()}};
  }
};

/// Codes of a batch: some used by many rows, some by none.
std::vector<float> make_codes(const Case& c) {
  const std::vector<float> unit = test::noise(c.batch * c.groups, 53, 0.5);
  std::vector<float> codes;
  for (const float u : unit) {
    const double skewed = std::pow(static_cast<double>(u) + 0.5, 2.0);
    codes.push_back(std::floor(static_cast<float>(skewed * 0.999 * static_cast<double>(c.size))));
  }
  return codes;
}

void check_perplexity(const math::StepMetrics& line, const Case& c, const std::vector<float>& codes) {
  const oracle::Matrix used = oracle::from_floats(codes, c.batch, c.groups);
  const oracle::Codebooks books{c.groups, c.size, c.width, {}};
  double mean = 0.0;
  double least = std::numeric_limits<double>::infinity();
  for (std::int64_t g = 0; g < c.groups; ++g) {
    const double p = oracle::perplexity(books, used, g);
    mean += p / static_cast<double>(c.groups);
    least = std::min(least, p);
  }
  // Each is rounded to single precision once.
  CHECK(line.perplexity_mean == Approx(mean).epsilon(2e-7));
  CHECK(line.perplexity_min == Approx(least).epsilon(2e-7));
}

}  // namespace

TEST_CASE("CodebookGradient sums the pull of a code's rows", "[codebook]") {
  for (const test::Executor& executor : codebook_executors()) {
    for (const Case& c : kMoveCases) {
      for (const float clip : {0.0f, 1e6f}) {
        describe(executor, c);
        INFO("clip " << clip);
        const std::vector<float> arena = make_arena(c);
        const std::vector<float> latent = test::noise(c.batch * c.columns(), 64);
        const std::vector<float> codes = make_codes(c);
        MoveBench move(c, 0, latent, codes);
        move.bench.set_parameters(arena);
        CodebookGradient op;
        op.batch = move.batch;
        op.scale = 2.0f / static_cast<float>(c.batch);
        move.bench.add(op);
        move.bench.end_training(move.adam, move.advance, clip);
        move.bench.run(executor);
        const oracle::Codebooks books = books_of(c, arena);
        oracle::Graded expected =
            oracle::codebook_gradient(books, oracle::from_floats(latent, c.batch, c.columns()),
                                      oracle::from_floats(codes, c.batch, c.groups));
        // Adam's first moment after one step from zero is the gradient's tenth.
        double squares = 0.0;
        for (std::size_t i = 0; i < expected.value.values.size(); ++i) {
          const double rows = static_cast<double>(c.batch);
          squares += std::pow(expected.value.values[i] / rows, 2.0);
          expected.value.values[i] *= 0.1 / rows;
          expected.magnitude.values[i] *= 0.1 / rows;
        }
        const std::vector<float> moved = codes_of(c, move.bench.moment1());
        CHECK(test::compare(moved, expected, Quantity::codebook_gradient, c.batch) == "");
        REQUIRE(move.bench.metrics().size() == 1);
        check_perplexity(move.bench.metrics()[0], c, codes);
        // The layer of one weight has the gradients Σ 1·1 = B, twice.
        const double layer = 2.0 * static_cast<double>(c.batch * c.batch);
        CHECK(move.bench.metrics()[0].gradient_norm == Approx(std::sqrt(layer + squares)).epsilon(1e-6));
        const std::vector<float> after = codes_of(c, move.bench.parameters());
        const std::vector<float> before = codes_of(c, arena);
        for (std::size_t i = 0; i < after.size(); ++i) {
          const double pull = expected.value.values[i];
          REQUIRE((pull == 0.0 ? after[i] == before[i] : (after[i] < before[i]) == (pull > 0.0)));
        }
      }
    }
  }
}

namespace {

struct AverageCase {
  std::int64_t step;
  double restart_below;
};

CodebookAverage average_of(const Case& c, const CodebookBatch& batch, double restart_below,
                           test::OpBench& bench) {
  const float fair = static_cast<float>(c.batch) / static_cast<float>(c.size);
  CodebookAverage op;
  op.batch = batch;
  op.averages = bench.scratch("averages", c.groups, c.size);
  op.rule = {0.99f, static_cast<float>(1.0 - 0.99), fair, static_cast<float>(restart_below) * fair};
  op.seed = kCodebookSeed;
  return op;
}

/// By moving averages, and then Adam leaves the codes alone, or by their gradient.
void add_move(MoveBench& move, const Case& c, bool average, double restart_below) {
  if (average) {
    move.bench.add(average_of(c, move.batch, restart_below, move.bench));
    move.adam.ranges = {{0, c.offset}};
    return;
  }
  CodebookGradient op;
  op.batch = move.batch;
  move.bench.add(op);
}

/// Row that a dead code takes, from the documented table.
std::int64_t restart_row(std::int64_t code, std::int64_t position, std::int64_t batch) {
  const std::uint32_t word =
      oracle::random_word(kCodebookSeed, 9, static_cast<std::uint64_t>(position), code);
  return static_cast<std::int64_t>(static_cast<double>(word) * 0x1p-32 * static_cast<double>(batch));
}

}  // namespace

TEST_CASE("CodebookAverage moves codes to the mean of their rows", "[codebook]") {
  for (const test::Executor& executor : codebook_executors()) {
    for (const Case& c : kMoveCases) {
      for (const AverageCase& a : {AverageCase{0, 0.0}, AverageCase{3, 0.0}, AverageCase{3, 0.3}}) {
        for (const float clip : {0.0f, 1e6f}) {
          if (clip > 0.0f && (a.step == 0 || c.size > 31)) continue;
          describe(executor, c);
          INFO("step " << a.step << ", restart below " << a.restart_below << ", clip " << clip);
          const std::vector<float> arena = make_arena(c);
          const std::vector<float> latent = test::noise(c.batch * c.columns(), 65, 2.0);
          const std::vector<float> codes = make_codes(c);
          const double fair = static_cast<double>(c.batch) / static_cast<double>(c.size);
          // Moments that an earlier step left: counts around the fair one, some near zero.
          std::vector<float> first = test::noise(c.arena(), 66);
          std::vector<float> second = test::noise(c.arena(), 67);
          for (float& v : second) v = std::fabs(v) * v * v * static_cast<float>(2.0 * fair);
          oracle::Averages before{books_of(c, arena), {}, {}};
          before.sums = oracle::from_floats(codes_of(c, first), c.groups * c.size, c.width);
          const std::vector<float> used = codes_of(c, second);
          for (std::int64_t k = 0; k < c.groups * c.size; ++k) {
            before.counts.push_back(static_cast<double>(used[static_cast<std::size_t>(k * c.width)]));
          }
          if (a.step == 0) {
            std::fill(before.counts.begin(), before.counts.end(), fair);
            before.sums = before.books.codes;
            for (double& v : before.sums.values) v *= fair;
          }
          MoveBench move(c, a.step, latent, codes);
          move.bench.set_parameters(arena);
          move.bench.set_moments(first, second);
          move.bench.add(average_of(c, move.batch, a.restart_below, move.bench));
          move.adam.ranges = {{0, c.offset}};
          move.bench.end_training(move.adam, move.advance, clip);
          move.bench.run(executor);

          const std::int64_t position = a.step * c.batch;
          const oracle::AverageStep expected = oracle::average_step(
              before, {0.99, a.restart_below}, oracle::from_floats(latent, c.batch, c.columns()),
              oracle::from_floats(codes, c.batch, c.groups),
              [&](std::int64_t k) { return restart_row(k, position, c.batch); });
          CHECK(test::compare(codes_of(c, move.bench.parameters()), expected.codes,
                              Quantity::codebook_average, c.batch) == "");
          CHECK(test::compare(codes_of(c, move.bench.moment1()), expected.sums, Quantity::codebook_average,
                              c.batch) == "");
          std::vector<float> counts;
          const std::vector<float> after = codes_of(c, move.bench.moment2());
          for (std::int64_t i = 0; i < c.groups * c.size * c.width; i += c.width) {
            counts.push_back(after[static_cast<std::size_t>(i)]);
          }
          CHECK(test::compare(counts, expected.counts, Quantity::codebook_average) == "");
          REQUIRE(move.bench.metrics().size() == 1);
          check_perplexity(move.bench.metrics()[0], c, codes);
          const auto restarts = std::count(expected.restarted.begin(), expected.restarted.end(), true);
          if (a.restart_below > 0.0 && c.size >= 31) {
            CHECK(restarts > 0);
            CHECK(restarts < static_cast<std::ptrdiff_t>(expected.restarted.size()));
          }
        }
      }
    }
  }
}

TEST_CASE("a codebook stays where it is once a step has failed", "[codebook][fault]") {
  const Case c{33, 2, 31, 4};
  for (const test::Executor& executor : codebook_executors()) {
    for (const bool average : {true, false}) {
      INFO(executor.name << (average ? ", average" : ", gradient"));
      const std::vector<float> arena = make_arena(c);
      std::vector<float> latent = test::noise(c.batch * c.columns(), 52);
      latent[7] = std::numeric_limits<float>::quiet_NaN();
      MoveBench move(c, 0, latent, std::vector<float>(static_cast<std::size_t>(c.batch * c.groups), 0.0f));
      move.bench.set_parameters(arena);
      VectorQuantize quantize;  // its error is the loss, and says that the step has failed
      quantize.latent = move.batch.latent;
      quantize.codebook = c.parameters();
      quantize.z = move.bench.matrix("z", c.columns());
      quantize.codes = move.batch.codes;
      quantize.distances = move.bench.scratch("distances", c.batch, c.groups);
      quantize.error = move.bench.matrix("error", 1);
      move.advance.loss.back() = {{math::LossTermKind::quantization_error, math::LossWeight::scheduled},
                                  quantize.error};
      move.bench.add(quantize);
      add_move(move, c, average, 0.5);
      move.bench.end_training(move.adam, move.advance);
      move.bench.run(executor, nullptr, 3);
      REQUIRE(move.bench.fault().has_value());
      CHECK(move.bench.fault()->step == 1);
      CHECK(test::compare_bits(move.bench.parameters(), arena) == "");
      const std::vector<float> zeros(arena.size(), 0.0f);
      CHECK(test::compare_bits(codes_of(c, move.bench.moment1()), codes_of(c, zeros)) == "");
      CHECK(test::compare_bits(codes_of(c, move.bench.moment2()), codes_of(c, zeros)) == "");
    }
  }
}

TEST_CASE("codebooks move to the same bits for any number of threads", "[codebook][threads]") {
  for (const Case& c : {Case{257, 2, 31, 4}, Case{33, 16, 64, 4}}) {
    for (const bool average : {true, false}) {
      const std::vector<float> latent = test::noise(c.batch * c.columns(), 65, 2.0);
      const auto run = [&](int threads) {
        MoveBench move(c, 0, latent, make_codes(c));
        move.bench.set_parameters(make_arena(c));
        add_move(move, c, average, 0.9);
        move.bench.end_training(move.adam, move.advance);
        move.bench.run(test::cpu_executor(threads), nullptr, 4);
        std::vector<float> all = move.bench.parameters();
        all.insert(all.end(), move.bench.moment1().begin(), move.bench.moment1().end());
        all.insert(all.end(), move.bench.moment2().begin(), move.bench.moment2().end());
        return all;
      };
      const std::vector<float> first = run(1);
      for (const int threads : {2, 3, 4, 7}) {
        INFO(threads << " threads, " << (average ? "average" : "gradient"));
        CHECK(test::compare_bits(run(threads), first) == "");
      }
    }
  }
}
