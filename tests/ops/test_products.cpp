// The CPU's products and loops, of each table that runs here and OpenBLAS. Op tests see only the fastest.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "host/cpu/loops.hpp"
#include "support/catch.hpp"
#include "support/op_bench.hpp"
#include "support/tolerance.hpp"
#include "vaecuda/error.hpp"

using namespace vaecuda;
using cpu::Loops;
using cpu::Products;

namespace {

struct Shape {
  std::int64_t m;  // rows of the result
  std::int64_t n;  // columns of the result
  std::int64_t k;  // terms of a sum
};

// Around the widths of vectors (8, 16), strips (16, 32) and blocks (6, 12), and across the lengths at which
// sums are cut (256 and 1,024).
const std::vector<Shape> kShapes = {{1, 1, 1},     {2, 3, 5},     {5, 8, 15},    {6, 15, 16},
                                    {7, 16, 17},   {11, 17, 31},  {12, 31, 32},  {13, 32, 33},
                                    {31, 33, 257}, {23, 47, 300}, {24, 64, 513}, {9, 40, 1030}};

/// A matrix with two columns of guards behind every row.
struct Guarded {
  std::int64_t rows;
  std::int64_t cols;
  std::int64_t stride;
  std::vector<float> values;
  Guarded(std::int64_t r, std::int64_t c)
      : rows(r), cols(c), stride(c + 2), values(static_cast<std::size_t>(r * (c + 2)), test::guard_value()) {}
  float* data() { return values.data(); }
  [[nodiscard]] float at(std::int64_t r, std::int64_t c) const {
    return values[static_cast<std::size_t>(r * stride + c)];
  }
};

Guarded random_matrix(std::int64_t rows, std::int64_t cols, std::uint64_t seed) {
  Guarded matrix(rows, cols);
  const std::vector<float> noise = test::noise(rows * cols, seed, 1.0);
  for (std::int64_t r = 0; r < rows; ++r)
    std::copy_n(noise.begin() + r * cols, cols, matrix.data() + r * matrix.stride);
  return matrix;
}

std::vector<float> scratch_for(const Products& products, std::int64_t n, std::int64_t k, std::int64_t depth) {
  return std::vector<float>(static_cast<std::size_t>(products.scratch_size(n, k, depth)) + 16);
}
float* aligned(std::vector<float>& scratch) {
  const auto at = reinterpret_cast<std::uintptr_t>(scratch.data());
  return scratch.data() + (64 - at % 64) % 64 / sizeof(float);
}

enum class Kind { forward, data_gradient, weight_gradient };
constexpr Kind kKinds[] = {Kind::forward, Kind::data_gradient, Kind::weight_gradient};

/// The operands of a product of a kind.
struct Operands {
  Guarded left;
  Guarded right;
};
Operands operands_of(Kind kind, const Shape& s) {
  switch (kind) {
    case Kind::forward:
      return {random_matrix(s.m, s.k, 1), random_matrix(s.n, s.k, 2)};
    case Kind::data_gradient:
      return {random_matrix(s.m, s.k, 1), random_matrix(s.k, s.n, 2)};
    default:
      return {random_matrix(s.k, s.m, 1), random_matrix(s.k, s.n, 2)};
  }
}
float left_at(Kind kind, const Operands& o, std::int64_t i, std::int64_t p) {
  return kind == Kind::weight_gradient ? o.left.at(p, i) : o.left.at(i, p);
}
float right_at(Kind kind, const Operands& o, std::int64_t p, std::int64_t j) {
  return kind == Kind::forward ? o.right.at(j, p) : o.right.at(p, j);
}

/// Rows `row` … and columns `col` … of the product, so many as `out` has.
void multiply(const Products& products, Kind kind, Operands& o, const Shape& s, std::int64_t row,
              std::int64_t col, Guarded& out) {
  std::vector<float> scratch = scratch_for(products, out.rows, out.cols, s.k);
  const cpu::Result result{out.data(), out.stride};
  switch (kind) {
    case Kind::forward:
      return products.forward({o.left.data() + row * o.left.stride, o.left.stride},
                              {o.right.data() + col * o.right.stride, o.right.stride}, result, out.rows,
                              out.cols, s.k, aligned(scratch), cpu::StripDone());
    case Kind::data_gradient:
      return products.data_gradient({o.left.data() + row * o.left.stride, o.left.stride},
                                    {o.right.data() + col, o.right.stride}, result, out.rows, out.cols, s.k,
                                    aligned(scratch), cpu::StripDone());
    case Kind::weight_gradient:
      return products.weight_gradient({o.left.data() + row, o.left.stride},
                                      {o.right.data() + col, o.right.stride}, result, out.rows, out.cols, s.k,
                                      aligned(scratch));
  }
}

/// The largest error of a product in units of 2⁻²⁴ of its terms' size; infinite where a guard was written
/// over.
double largest_error(const Products& products, Kind kind, const Shape& s) {
  Operands o = operands_of(kind, s);
  Guarded out(s.m, s.n);
  multiply(products, kind, o, s, 0, 0, out);
  if (!test::check_guards(out.values, 0, s.n, 2).empty()) return std::numeric_limits<double>::infinity();
  double largest = 0.0;
  for (std::int64_t i = 0; i < s.m; ++i) {
    for (std::int64_t j = 0; j < s.n; ++j) {
      double sum = 0.0;
      double size = 0.0;
      for (std::int64_t p = 0; p < s.k; ++p) {
        const double term =
            static_cast<double>(left_at(kind, o, i, p)) * static_cast<double>(right_at(kind, o, p, j));
        sum += term;
        size += std::fabs(term);
      }
      const double error = std::fabs(static_cast<double>(out.at(i, j)) - sum) / (size * 0x1p-24);
      if (!(error <= largest)) largest = error;
    }
  }
  return largest;
}

bool has_own_products(const Loops& loops) {
  return &loops.products() != &cpu::blas_products();
}

cpu::UpdateTarget target_of(Guarded& parameter, Guarded& moment1, Guarded& moment2) {
  return {.constants =
              {.beta1 = 0.9f, .beta2 = 0.999f, .epsilon = 1e-8f, .weight_decay = 0.01f, .decoupled = true},
          .step = {1e-3f, 2e-3f, 1.5f, 0.75f},
          .parameter = parameter.data(),
          .moment1 = moment1.data(),
          .moment2 = moment2.data(),
          .stride = parameter.stride};
}

}  // namespace

TEST_CASE("matrix products of every table are sums of products", "[products]") {
  for (const Loops* loops : cpu::supported_loops()) {
    for (const Kind kind : kKinds) {
      for (const Shape& s : kShapes) {
        INFO(loops->name << ", product " << static_cast<int>(kind) << ", (" << s.m << ", " << s.n << ") over "
                         << s.k);
        // As in the table of tolerances: roundings add up like a random walk.
        CHECK(largest_error(loops->products(), kind, s) <= 2.0 + 2.0 * std::sqrt(static_cast<double>(s.k)));
      }
    }
  }
}

TEST_CASE("our products give the same bits in any cutting and with any width of vectors", "[products]") {
  const Shape s{29, 75, 1100};
  for (const Kind kind : kKinds) {
    Operands o = operands_of(kind, s);
    std::vector<float> first;
    for (const Loops* loops : cpu::supported_loops()) {
      if (!has_own_products(*loops)) continue;
      Guarded whole(s.m, s.n);
      multiply(loops->products(), kind, o, s, 0, 0, whole);
      if (first.empty()) first = whole.values;
      INFO(loops->name << ", product " << static_cast<int>(kind));
      CHECK(test::compare_bits(whole.values, first) == "");
      for (const auto& [row, col, rows, cols] :
           {std::array<std::int64_t, 4>{0, 0, 1, 1}, {28, 74, 1, 1}, {3, 5, 17, 40}, {12, 32, 13, 43}}) {
        Guarded part(rows, cols);
        multiply(loops->products(), kind, o, s, row, col, part);
        std::int64_t different = 0;
        for (std::int64_t i = 0; i < rows; ++i) {
          for (std::int64_t j = 0; j < cols; ++j) different += part.at(i, j) != whole.at(row + i, col + j);
        }
        CHECK(different == 0);
      }
    }
  }
}

TEST_CASE("a weight update is the gradient and then Adam", "[products]") {
  for (const Loops* loops : cpu::supported_loops()) {
    const Products& products = loops->products();
    for (const Shape& s : kShapes) {
      INFO(loops->name << ", (" << s.m << ", " << s.n << ") over " << s.k);
      Operands o = operands_of(Kind::weight_gradient, s);
      Guarded gradient(s.m, s.n);
      multiply(products, Kind::weight_gradient, o, s, 0, 0, gradient);
      Guarded parameter = random_matrix(s.m, s.n, 3);
      Guarded moment1 = random_matrix(s.m, s.n, 4);
      Guarded moment2 = random_matrix(s.m, s.n, 5);
      for (std::int64_t i = 0; i < s.m * moment2.stride; ++i) {
        float& v = moment2.values[static_cast<std::size_t>(i)];
        if (!test::is_guard(v)) v = std::fabs(v);
      }
      Guarded expected_parameter = parameter;
      Guarded expected_moment1 = moment1;
      Guarded expected_moment2 = moment2;
      const cpu::UpdateTarget expected = target_of(expected_parameter, expected_moment1, expected_moment2);
      double squares = 0.0;
      for (std::int64_t r = 0; r < s.m; ++r) {
        const std::int64_t at = r * expected.stride;
        squares +=
            loops
                ->adam(expected.constants, expected.step, expected.parameter + at, expected.moment1 + at,
                       expected.moment2 + at, gradient.data() + r * gradient.stride, s.n)
                .sum_of_squares;
      }
      std::vector<float> scratch = scratch_for(products, s.m, s.n, s.k);
      const cpu::AdamOutcome outcome =
          products.weight_update({o.left.data(), o.left.stride}, {o.right.data(), o.right.stride},
                                 target_of(parameter, moment1, moment2), s.m, s.n, s.k, aligned(scratch));
      CHECK(outcome.first_bad == -1);
      CHECK(outcome.sum_of_squares == Approx(squares).epsilon(1e-6));
      CHECK(test::compare_bits(parameter.values, expected_parameter.values) == "");
      CHECK(test::compare_bits(moment1.values, expected_moment1.values) == "");
      CHECK(test::compare_bits(moment2.values, expected_moment2.values) == "");
    }
  }
}

TEST_CASE("a weight update names the first unusable gradient and leaves its element alone", "[products]") {
  const Shape s{26, 70, 300};
  constexpr std::int64_t kRow = 13;
  for (const Loops* loops : cpu::supported_loops()) {
    INFO(loops->name);
    const Products& products = loops->products();
    Operands o = operands_of(Kind::weight_gradient, s);
    // One row of the gradient becomes NaN, and one before it 1.5e38, whose square no update can use.
    for (std::int64_t p = 0; p < s.k; ++p) {
      for (std::int64_t j = 0; j < s.n; ++j) o.right.data()[p * o.right.stride + j] = 0.5f;
    }
    o.left.data()[7 * o.left.stride + 2] = 3e38f;
    o.left.data()[100 * o.left.stride + kRow] = std::numeric_limits<float>::quiet_NaN();
    Guarded parameter = random_matrix(s.m, s.n, 3);
    Guarded moment1 = random_matrix(s.m, s.n, 4);
    Guarded moment2(s.m, s.n);
    std::fill(moment2.values.begin(), moment2.values.end(), 0.25f);
    const Guarded before = parameter;
    std::vector<float> scratch = scratch_for(products, s.m, s.n, s.k);
    const cpu::AdamOutcome outcome =
        products.weight_update({o.left.data(), o.left.stride}, {o.right.data(), o.right.stride},
                               target_of(parameter, moment1, moment2), s.m, s.n, s.k, aligned(scratch));
    CHECK(outcome.first_bad == 2 * parameter.stride);
    CHECK_FALSE(std::isfinite(outcome.sum_of_squares));
    for (std::int64_t j = 0; j < s.n; ++j) {
      REQUIRE(parameter.at(2, j) == before.at(2, j));
      REQUIRE(parameter.at(kRow, j) == before.at(kRow, j));
      REQUIRE(parameter.at(kRow + 1, j) != before.at(kRow + 1, j));
    }
  }
}

TEST_CASE("wherever an element cannot be updated, it alone stays", "[products]") {
  struct Place {
    std::int64_t row;
    std::int64_t col;
  };
  // Blocks that are updated beside the next one, in part of it and after it; sums in one part and in two.
  for (const Shape& s : {Shape{26, 70, 300}, {26, 112, 128}, {29, 48, 64}, {13, 33, 20}, {12, 32, 3}}) {
    const std::array<Place, 6> places = {
        {{0, 0}, {s.m - 1, s.n - 1}, {s.m / 2, s.n / 2}, {s.m - 1, 0}, {11, 31}, {0, s.n - 1}}};
    for (const Loops* loops : cpu::supported_loops()) {
      for (std::size_t which = 0; which < places.size(); ++which) {
        const auto [row, col] = places[which];
        const Place other = places[(which + 1) % places.size()];
        INFO(loops->name << ", (" << s.m << ", " << s.n << ") over " << s.k << ", at (" << row << ", " << col
                         << ")");
        const Products& products = loops->products();
        Operands o = operands_of(Kind::weight_gradient, s);
        // 1e30 where both meet, whose square is infinite, and 1e15 elsewhere.
        o.left.data()[(s.k / 2) * o.left.stride + row] = 1e15f;
        o.right.data()[(s.k / 2) * o.right.stride + col] = 1e15f;
        Guarded gradient(s.m, s.n);
        multiply(products, Kind::weight_gradient, o, s, 0, 0, gradient);
        Guarded parameter = random_matrix(s.m, s.n, 3);
        Guarded moment1 = random_matrix(s.m, s.n, 4);
        Guarded moment2(s.m, s.n);
        for (std::int64_t r = 0; r < s.m; ++r) {
          for (std::int64_t c = 0; c < s.n; ++c) moment2.data()[r * moment2.stride + c] = 0.25f;
        }
        // Its gradient can be used, and what comes of it cannot.
        parameter.data()[other.row * parameter.stride + other.col] = std::numeric_limits<float>::infinity();
        const cpu::UpdateTarget target = target_of(parameter, moment1, moment2);
        Guarded expected_parameter = parameter;
        Guarded expected_moment1 = moment1;
        Guarded expected_moment2 = moment2;
        for (std::int64_t r = 0; r < s.m; ++r) {
          for (std::int64_t c = 0; c < s.n; ++c) {
            if ((r == row && c == col) || (r == other.row && c == other.col)) continue;
            const std::int64_t at = r * target.stride + c;
            const cpu::AdamOutcome one = loops->adam(
                target.constants, target.step, expected_parameter.data() + at, expected_moment1.data() + at,
                expected_moment2.data() + at, gradient.data() + r * gradient.stride + c, 1);
            REQUIRE(one.first_bad == -1);
          }
        }
        std::vector<float> scratch = scratch_for(products, s.m, s.n, s.k);
        const cpu::AdamOutcome outcome =
            products.weight_update({o.left.data(), o.left.stride}, {o.right.data(), o.right.stride}, target,
                                   s.m, s.n, s.k, aligned(scratch));
        CHECK(outcome.first_bad ==
              std::min(row * target.stride + col, other.row * target.stride + other.col));
        CHECK(std::isfinite(outcome.sum_of_squares));
        CHECK(outcome.sum_of_squares > 1e59);
        CHECK(test::compare_bits(parameter.values, expected_parameter.values) == "");
        CHECK(test::compare_bits(moment1.values, expected_moment1.values) == "");
        CHECK(test::compare_bits(moment2.values, expected_moment2.values) == "");
      }
    }
  }
}

TEST_CASE("OpenBLAS is refused what it would ask for without end", "[products]") {
  const pid_t child = fork();
  if (child == 0) {
    const rlimit limit{rlim_t{64} << 20, rlim_t{64} << 20};
    bool refused = false;
    try {
      if (setrlimit(RLIMIT_DATA, &limit) == 0) cpu::prepare_blas(1);
    } catch (const OutOfMemoryError& error) {
      refused = std::string(error.what()).find("MiB asked; raise the limit") != std::string::npos;
    }
    _exit(refused ? 0 : 1);
  }
  int status = -1;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  cpu::prepare_blas(2);
  CHECK(std::string(cpu::blas_kernels()) != "");
}

TEST_CASE("the loops of every table agree", "[products]") {
  constexpr std::int64_t kColumns = 333;
  const Loops& baseline = cpu::baseline::table();
  const std::vector<float> a = test::noise(kColumns, 11, 2.0);
  std::vector<float> x = test::noise(kColumns, 12, 0.5);
  for (float& v : x) v += 0.5f;
  const cpu::RandomRow random{5, 77, math::RandomPurpose::latent};
  const auto check_near = [](const std::vector<float>& actual, const std::vector<float>& expected,
                             double relative) {
    REQUIRE(actual.size() == expected.size());
    double largest = 0.0;
    for (std::size_t i = 0; i < actual.size(); ++i) {
      const auto e = static_cast<double>(expected[i]);
      largest = std::max(largest, std::fabs(static_cast<double>(actual[i]) - e) / (1e-3 + std::fabs(e)));
    }
    CHECK(largest <= relative);
  };
  for (const Loops* loops : cpu::supported_loops()) {
    INFO(loops->name);
    for (const math::LikelihoodKind kind :
         {math::kLikelihoodKind<math::BernoulliLogits>, math::kLikelihoodKind<math::Gaussian>}) {
      const math::LikelihoodParameters likelihood{.kind = kind};
      std::vector<float> g(kColumns);
      std::vector<float> expected(kColumns);
      cpu::LikelihoodRow row{};
      row.output = a.data();
      row.x = x.data();
      row.gradient = g.data();
      row.scale = 0.5f;
      row.n = kColumns;
      const float nll = loops->likelihood_row(likelihood, row);
      row.gradient = expected.data();
      CHECK(nll == Approx(baseline.likelihood_row(likelihood, row)).epsilon(1e-6));
      check_near(g, expected, 1e-5);
    }
    for (const math::ActivationKind kind : {math::ActivationKind::relu, math::ActivationKind::tanh,
                                            math::ActivationKind::gelu, math::ActivationKind::silu}) {
      std::vector<float> y = a;
      std::vector<float> expected = a;
      loops->bias_activation(kind, {y.data(), kColumns}, x.data(), {nullptr, 0}, 1, kColumns);
      baseline.bias_activation(kind, {expected.data(), kColumns}, x.data(), {nullptr, 0}, 1, kColumns);
      check_near(y, expected, 1e-5);
    }
    std::vector<float> normals(kColumns);
    std::vector<float> expected(kColumns);
    loops->normals_row(normals.data(), kColumns, random, 1.0f);
    baseline.normals_row(expected.data(), kColumns, random, 1.0f);
    check_near(normals, expected, 1e-5);
    std::vector<float> bits(kColumns, 0.5f);
    std::vector<float> expected_bits(kColumns, 0.5f);
    loops->binarize_stochastic(bits.data(), kColumns, random);
    baseline.binarize_stochastic(expected_bits.data(), kColumns, random);
    CHECK(bits == expected_bits);
  }
}
