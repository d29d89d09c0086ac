// Proof that the comparison of op results can fail: one changed element, one NaN, one overwritten guard cell.
#include <limits>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/op_bench.hpp"
#include "support/oracle.hpp"
#include "support/tolerance.hpp"

using namespace vaecuda;
using test::Quantity;

namespace {

oracle::Graded expectation() {
  oracle::Graded expected(4, 3);
  for (std::size_t i = 0; i < 12; ++i) {
    expected.value.values[i] = 0.25 * static_cast<double>(i) - 1.0;
    expected.magnitude.values[i] = 1.0;
  }
  return expected;
}

std::vector<float> right_answer() {
  std::vector<float> actual;
  for (const double v : expectation().value.values) actual.push_back(static_cast<float>(v));
  return actual;
}

}  // namespace

TEST_CASE("compare accepts the right answer", "[comparator]") {
  CHECK(test::compare(right_answer(), expectation(), Quantity::gathered_row) == "");
}

TEST_CASE("compare notices any one changed element", "[comparator]") {
  for (std::size_t i = 0; i < 12; ++i) {
    std::vector<float> actual = right_answer();
    actual[i] += 4.0f * 0x1p-24f * 4.0f;
    const std::string message = test::compare(actual, expectation(), Quantity::gathered_row);
    INFO(message);
    CHECK(message.find("1 of 12 beyond tolerance") == 0);
    const std::string row = std::to_string(i / 3);
    CHECK(message.find(row + ", " + std::to_string(i % 3) + ")") != std::string::npos);
  }
}

TEST_CASE("compare notices NaN, infinity and a wrong size", "[comparator]") {
  std::vector<float> actual = right_answer();
  actual[5] = std::numeric_limits<float>::quiet_NaN();
  CHECK(test::compare(actual, expectation(), Quantity::gathered_row) != "");
  actual[5] = std::numeric_limits<float>::infinity();
  CHECK(test::compare(actual, expectation(), Quantity::gathered_row) != "");
  actual = right_answer();
  actual.pop_back();
  CHECK(test::compare(actual, expectation(), Quantity::gathered_row) != "");
}

TEST_CASE("tolerance grows with the terms and the table is complete", "[comparator]") {
  std::vector<float> actual = right_answer();
  actual[0] += 40.0f * 0x1p-24f;
  CHECK(test::compare(actual, expectation(), Quantity::weight_gradient, 1) != "");
  CHECK(test::compare(actual, expectation(), Quantity::weight_gradient, 784) == "");
  for (int q = 0; q <= static_cast<int>(Quantity::batch_mean); ++q) {
    const test::Tolerance& row = test::tolerance_of(static_cast<Quantity>(q));
    CHECK(row.flat > 0.0);
    CHECK(std::string(row.reason).size() > 10);
  }
}

TEST_CASE("compare_bits notices one bit", "[comparator]") {
  const std::vector<float> a = {1.0f, 0.0f, test::guard_value()};
  CHECK(test::compare_bits(a, a) == "");
  CHECK(test::compare_bits(a, {1.0f, -0.0f, test::guard_value()}) != "");
  CHECK(test::compare_bits(a, {1.0f, 0.0f}) != "");
}

TEST_CASE("check_guards notices any one overwritten cell", "[comparator]") {
  const std::vector<float> clean = [] {
    std::vector<float> block(3 * 8, test::guard_value());
    for (std::size_t r = 0; r < 3; ++r) {
      for (std::size_t c = 3; c < 6; ++c) block[r * 8 + c] = 1.0f;
    }
    return block;
  }();
  CHECK(test::check_guards(clean, 3, 3, 2) == "");
  for (std::size_t i = 0; i < clean.size(); ++i) {
    if (i % 8 >= 3 && i % 8 < 6) continue;
    std::vector<float> block = clean;
    block[i] = 0.0f;
    CHECK(test::check_guards(block, 3, 3, 2) != "");
    block[i] = std::numeric_limits<float>::quiet_NaN();  // another NaN than the guard's
    CHECK(test::check_guards(block, 3, 3, 2) != "");
  }
}

TEST_CASE("the oracle's Philox gives the known answer", "[comparator]") {
  const oracle::Block got =
      oracle::philox4x32({{0x243f6a88U, 0x85a308d3U, 0x13198a2eU, 0x03707344U}}, 0xa4093822U, 0x299f31d0U);
  CHECK(got.word[0] == 0xd16cfe09U);
  CHECK(got.word[1] == 0x94fdccebU);
  CHECK(got.word[2] == 0x5001e420U);
  CHECK(got.word[3] == 0x24126ea1U);
}

TEST_CASE("the bench sees an op that writes outside its view", "[comparator]") {
  // The prior's view is one column wider than what the bench thinks is the matrix.
  test::OpBench bench(5);
  View z = bench.matrix("z", 4);
  z.cols = 5;
  bench.add(SamplePrior{z, 1, math::RandomPurpose::prior, 1.0f});
  CHECK_THROWS_AS(bench.run(test::executors().front()), std::runtime_error);
}
