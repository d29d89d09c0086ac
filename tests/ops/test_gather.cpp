// GatherBatch: which rows, how they are prepared, and what binarization draws.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernels/math/permutation.h"
#include "support/catch.hpp"
#include "support/op_bench.hpp"
#include "support/oracle.hpp"
#include "support/sparse.hpp"
#include "support/tolerance.hpp"

using namespace vaecuda;
using test::Quantity;

namespace {

constexpr std::uint64_t kSeed = 77;
constexpr std::uint32_t kBinarizePurpose = 3;

struct Case {
  std::int64_t batch;
  std::int64_t columns;
  std::int64_t data_rows;
  std::int64_t position;
};

// Ragged batches; batches that begin in one epoch and end in the next, or several later; N = 1.
const std::vector<Case> kCases = {{1, 1, 1, 0},       {31, 3, 100, 90},    {32, 5, 7, 3},   {33, 63, 1, 5},
                                  {257, 5, 256, 255}, {257, 784, 300, 10}, {5, 784, 3, 301}};

Dataset bytes(std::int64_t rows, std::int64_t columns) {
  std::vector<std::uint8_t> values(static_cast<std::size_t>(rows * columns));
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<std::uint8_t>(oracle::random_word(3, 98, 0, static_cast<std::int64_t>(i)) >> 24);
  return Dataset(std::move(values), rows, columns);
}

Dataset floats(std::int64_t rows, std::int64_t columns) {
  return Dataset(test::noise(rows * columns, 5, 3.0), rows, columns);
}

// Floats in [0, 1] for binarization; 0 and 1 themselves occur.
Dataset probabilities(std::int64_t rows, std::int64_t columns) {
  std::vector<float> values = test::noise(rows * columns, 6, 0.7);
  for (float& v : values) v = std::clamp(v + 0.5f, 0.0f, 1.0f);
  return Dataset(std::move(values), rows, columns);
}

std::int64_t expected_row(RowOrder order, std::int64_t p, std::int64_t n) {
  if (order == RowOrder::sequential) return std::min(p, n - 1);
  const auto keys =
      math::permutation_keys(kSeed, math::RandomPurpose::shuffle, static_cast<std::uint64_t>(p / n));
  return static_cast<std::int64_t>(
      math::permute(keys, static_cast<std::uint64_t>(p % n), static_cast<std::uint64_t>(n)));
}

double raw(const Dataset& data, std::int64_t row, std::int64_t column) {
  const auto i = static_cast<std::size_t>(row * data.columns() + column);
  return data.type() == ElementType::u8 ? data.u8()[i] : static_cast<double>(data.f32()[i]);
}

GatherBatch gather_op(const Case& c, const Dataset& data, RowOrder order, View x) {
  GatherBatch op;
  op.x = x;
  op.order = order;
  op.data_rows = c.data_rows;
  op.type = data.type();
  op.seed = kSeed;
  op.scale = data.type() == ElementType::u8 ? 1.0f / 255.0f : 1.0f;
  return op;
}

void check_prepared(const Case& c, const Dataset& data, RowOrder order, bool standardize,
                    const test::Executor& executor) {
  INFO(executor.name << ", B " << c.batch << ", D " << c.columns << ", N " << c.data_rows << ", position "
                     << c.position << (standardize ? ", standardized" : ""));
  test::OpBench bench(c.batch, c.position);
  const View x = bench.matrix("x", c.columns);
  GatherBatch op = gather_op(c, data, order, x);
  const std::vector<float> mean = test::noise(c.columns, 8, 0.5);
  std::vector<float> inverse = test::noise(c.columns, 9, 0.9);
  for (float& v : inverse) v += 1.0f;
  if (standardize) {
    op.mean = bench.constant("mean", mean);
    op.inverse_deviation = bench.constant("inverse", inverse);
  }
  bench.add(op);
  bench.run(executor, &data);
  oracle::Graded expected(c.batch, c.columns);
  for (std::int64_t r = 0; r < c.batch; ++r) {
    const std::int64_t row = expected_row(order, c.position + r, c.data_rows);
    for (std::int64_t k = 0; k < c.columns; ++k) {
      const auto j = static_cast<std::size_t>(k);
      const double scaled = raw(data, row, k) * static_cast<double>(op.scale);
      const double m = standardize ? static_cast<double>(mean[j]) : 0.0;
      const double s = standardize ? static_cast<double>(inverse[j]) : 1.0;
      expected.value.at(r, k) = (scaled - m) * s;
      expected.magnitude.at(r, k) = (std::fabs(scaled) + std::fabs(m)) * s;
    }
  }
  CHECK(test::compare(bench.get(x), expected, Quantity::gathered_row) == "");
}

}  // namespace

TEST_CASE("GatherBatch prepares the right rows", "[gather]") {
  for (const test::Executor& executor : test::executors()) {
    for (const Case& c : kCases) {
      const Dataset u8 = bytes(c.data_rows, c.columns);
      const Dataset f32 = floats(c.data_rows, c.columns);
      for (const RowOrder order : {RowOrder::sequential, RowOrder::shuffled}) {
        check_prepared(c, u8, order, false, executor);
        check_prepared(c, u8, order, true, executor);
        check_prepared(c, f32, order, false, executor);
        check_prepared(c, f32, order, true, executor);
      }
    }
  }
}

TEST_CASE("GatherBatch hands encoder and decoder the label of the same row", "[gather]") {
  for (const test::Executor& executor : test::executors()) {
    for (const Case& c : kCases) {
      for (const std::int64_t size : {2, 10, 33}) {
        for (const bool vectors : {false, true}) {
          INFO(executor.name << ", B " << c.batch << ", N " << c.data_rows << ", C " << size
                             << (vectors ? ", vectors" : ", classes"));
          Dataset data = bytes(c.data_rows, c.columns);
          const std::vector<float> values = test::noise(c.data_rows * size, 15);
          std::vector<std::int32_t> classes;
          for (std::int64_t row = 0; row < c.data_rows; ++row) {
            classes.push_back(static_cast<std::int32_t>(oracle::random_word(4, 98, 0, row) % size));
          }
          if (vectors) {
            data.set_label_vectors(values);
          } else {
            data.set_labels(classes, std::vector<std::string>(static_cast<std::size_t>(size), "name"));
          }
          test::OpBench bench(c.batch, c.position);
          GatherBatch op = gather_op(c, data, RowOrder::shuffled, bench.matrix("x", c.columns));
          op.condition = bench.matrix("condition", size);
          op.decoder_condition = bench.matrix("decoder_condition", size, 5, 1);
          op.label_vectors = vectors;
          bench.add(op);
          bench.run(executor, &data);
          std::vector<float> expected;
          for (std::int64_t r = 0; r < c.batch; ++r) {
            const std::int64_t row = expected_row(RowOrder::shuffled, c.position + r, c.data_rows);
            for (std::int64_t k = 0; k < size; ++k) {
              const float one_hot = classes[static_cast<std::size_t>(row)] == k ? 1.0f : 0.0f;
              expected.push_back(vectors ? values[static_cast<std::size_t>(row * size + k)] : one_hot);
            }
          }
          CHECK(test::compare_bits(bench.get(op.condition), expected) == "");
          CHECK(test::compare_bits(bench.get(op.decoder_condition), expected) == "");
        }
      }
    }
  }
}

TEST_CASE("GatherBatch without the labels that it was built for is refused", "[gather]") {
  const Case c{5, 3, 7, 0};
  const Dataset data = bytes(c.data_rows, c.columns);
  for (const test::Executor& executor : test::executors()) {
    for (const bool vectors : {false, true}) {
      test::OpBench bench(c.batch);
      GatherBatch op = gather_op(c, data, RowOrder::sequential, bench.matrix("x", c.columns));
      op.condition = bench.matrix("condition", 4);
      op.label_vectors = vectors;
      bench.add(op);
      CHECK_THROWS_AS(bench.run(executor, &data), std::logic_error);
    }
  }
}

TEST_CASE("GatherBatch leaves unscaled floats as they are", "[gather]") {
  const Case c{33, 63, 40, 0};
  const Dataset data = floats(c.data_rows, c.columns);
  for (const test::Executor& executor : test::executors()) {
    test::OpBench bench(c.batch);
    const View x = bench.matrix("x", c.columns);
    bench.add(gather_op(c, data, RowOrder::sequential, x));
    bench.run(executor, &data);
    const std::vector<float> first(data.f32().begin(), data.f32().begin() + c.batch * c.columns);
    CHECK(test::compare_bits(bench.get(x), first) == "");
  }
}

TEST_CASE("GatherBatch visits every row once an epoch, in another order each time", "[gather]") {
  constexpr std::int64_t kRows = 50;
  std::vector<float> names(kRows);
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = static_cast<float>(i);
  const Dataset data(names, kRows, 1);
  for (const test::Executor& executor : test::executors()) {
    const Case c{3 * kRows, 1, kRows, 0};
    test::OpBench bench(c.batch);
    const View x = bench.matrix("x", 1);
    bench.add(gather_op(c, data, RowOrder::shuffled, x));
    bench.run(executor, &data);
    std::vector<std::vector<float>> epochs;
    const std::vector<float> rows = bench.get(x);
    for (std::int64_t e = 0; e < 3; ++e)
      epochs.emplace_back(rows.begin() + e * kRows, rows.begin() + (e + 1) * kRows);
    CHECK(epochs[0] != epochs[1]);
    CHECK(epochs[1] != epochs[2]);
    for (std::vector<float>& epoch : epochs) {
      CHECK(epoch != names);
      std::sort(epoch.begin(), epoch.end());
      CHECK(epoch == names);
    }
  }
}

TEST_CASE("GatherBatch binarizes by a threshold", "[gather]") {
  for (const test::Executor& executor : test::executors()) {
    for (const Case& c : kCases) {
      const Dataset data = bytes(c.data_rows, c.columns);
      test::OpBench bench(c.batch, c.position);
      const View x = bench.matrix("x", c.columns);
      GatherBatch op = gather_op(c, data, RowOrder::shuffled, x);
      op.binarize = Binarize::threshold;
      bench.add(op);
      bench.run(executor, &data);
      std::vector<float> expected;
      for (std::int64_t r = 0; r < c.batch; ++r) {
        const std::int64_t row = expected_row(op.order, c.position + r, c.data_rows);
        for (std::int64_t k = 0; k < c.columns; ++k)
          expected.push_back(raw(data, row, k) > 127.5 ? 1.0f : 0.0f);
      }
      CHECK(test::compare_bits(bench.get(x), expected) == "");
    }
  }
}

TEST_CASE("GatherBatch draws a one with the element's probability, anew at every position", "[gather]") {
  for (const test::Executor& executor : test::executors()) {
    for (const Case& c : kCases) {
      INFO(executor.name << ", B " << c.batch << ", D " << c.columns);
      const Dataset data = probabilities(c.data_rows, c.columns);
      test::OpBench bench(c.batch, c.position);
      const View x = bench.matrix("x", c.columns);
      GatherBatch op = gather_op(c, data, RowOrder::shuffled, x);
      op.binarize = Binarize::stochastic;
      bench.add(op);
      bench.run(executor, &data);
      std::vector<float> expected;
      for (std::int64_t r = 0; r < c.batch; ++r) {
        const std::int64_t row = expected_row(op.order, c.position + r, c.data_rows);
        for (std::int64_t k = 0; k < c.columns; ++k) {
          // u lies in (0, 1], so that u ≤ x never makes a one of 0 and always makes one of 1.
          const double u =
              oracle::uniform(kSeed, kBinarizePurpose, static_cast<std::uint64_t>(c.position + r), k);
          expected.push_back(u <= raw(data, row, k) ? 1.0f : 0.0f);
        }
      }
      CHECK(test::compare_bits(bench.get(x), expected) == "");
    }
  }
}

TEST_CASE("a certain element is never drawn the other way", "[gather]") {
  // These draws hold the smallest and the largest uniforms that single precision has: words of 3·10⁷ that a
  // naive comparison gets wrong, about once in an epoch of MNIST.
  struct Extreme {
    std::uint64_t seed;
    std::int64_t position;
    std::int64_t column;
    double uniform;
  };
  const std::vector<Extreme> extremes = {{729, 49, 217, 0.0}, {1516, 32, 712, 1.0}};
  for (const Extreme& e : extremes) {
    const double u =
        oracle::uniform(e.seed, kBinarizePurpose, static_cast<std::uint64_t>(e.position), e.column);
    REQUIRE((e.uniform == 1.0 ? u == 1.0 : u < 0x1p-25));
    for (const float certain : {0.0f, 1.0f}) {
      const std::vector<float> row(784, certain);
      const Dataset data(row, 1, 784);
      for (const test::Executor& executor : test::executors()) {
        INFO(executor.name << ", probability " << certain << ", u = " << u);
        test::OpBench bench(1, e.position);
        const View x = bench.matrix("x", 784);
        GatherBatch op = gather_op({1, 784, 1, e.position}, data, RowOrder::shuffled, x);
        op.seed = e.seed;
        op.binarize = Binarize::stochastic;
        bench.add(op);
        bench.run(executor, &data);
        CHECK(test::compare_bits(bench.get(x), row) == "");
      }
    }
  }
}

namespace {

/// The batch's rows, one after the other.
std::vector<float> gathered(const Case& c, const Dataset& data, Binarize binarize, bool standardize,
                            const test::Executor& executor) {
  test::OpBench bench(c.batch, c.position);
  const View x = bench.matrix("x", c.columns);
  GatherBatch op = gather_op(c, data, RowOrder::shuffled, x);
  op.scale = 0.37f;
  op.binarize = binarize;
  if (standardize) {
    op.mean = bench.constant("mean", test::noise(c.columns, 8, 0.5));
    std::vector<float> inverse = test::noise(c.columns, 9, 0.9);
    for (float& v : inverse) v += 1.0f;
    op.inverse_deviation = bench.constant("inverse", inverse);
  }
  bench.add(op);
  bench.run(executor, &data);
  return bench.get(x);
}

}  // namespace

TEST_CASE("GatherBatch makes the same of rows that are kept sparse, in every bit", "[gather]") {
  std::vector<Case> cases = kCases;
  cases.push_back({3, 70001, 5, 4});  // columns that 16 bits do not count
  for (const test::Executor& executor : test::executors()) {
    for (const Case& c : cases) {
      // Values that are kept as u8, u16 and f32.
      for (const std::uint32_t most : {3U, 60000U, 1U << 20U}) {
        INFO(executor.name << ", B " << c.batch << ", D " << c.columns << ", N " << c.data_rows
                           << ", values to " << most);
        const std::vector<float> values = test::some_counts(c.data_rows, c.columns, most);
        const Dataset dense(values, c.data_rows, c.columns);
        const Dataset sparse(test::sparse_of(values, c.data_rows, c.columns));
        for (const Binarize binarize : {Binarize::none, Binarize::threshold, Binarize::stochastic}) {
          for (const bool standardize : {false, true}) {
            const std::vector<float> expected = gathered(c, dense, binarize, standardize, executor);
            CHECK(test::compare_bits(gathered(c, sparse, binarize, standardize, executor), expected) == "");
          }
        }
      }
    }
  }
}
