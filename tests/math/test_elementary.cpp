// The float functions of kernels/math/elementary.h over their whole range against double precision. Each
// sweep runs twice: with the instructions that every x86-64 has, and, where the machine has it, with fused
// multiply-adds, as the CPU backend's vector clones and the GPU compute. The bounds are in ulp of the result
// and repeat the functions' own comments; maxima measured over every 13th float: exp 1.035, log1p 1.95, log
// 0.84, tanh 1.33, erf 1.30, logistic 2.40.
#include "kernels/math/elementary.h"

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "support/catch.hpp"

namespace math = vaecuda::math;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr std::size_t kChunk = 4096;
using Chunk = std::array<float, kChunk>;

// One functor per swept function: the float function and its double reference.
struct Exponential {
  static inline __attribute__((always_inline)) float value(float x) { return math::exponential(x); }
  static double reference(double x) { return std::exp(x); }
};
struct Log1pUnit {
  static inline __attribute__((always_inline)) float value(float x) { return math::log1p_unit(x); }
  static double reference(double x) { return std::log1p(x); }
};
struct Logarithm {
  static inline __attribute__((always_inline)) float value(float x) { return math::logarithm(x); }
  static double reference(double x) { return std::log(x); }
};
struct HyperbolicTangent {
  static inline __attribute__((always_inline)) float value(float x) { return math::hyperbolic_tangent(x); }
  static double reference(double x) { return std::tanh(x); }
};
struct ErrorFunction {
  static inline __attribute__((always_inline)) float value(float x) { return math::error_function(x); }
  static double reference(double x) { return std::erf(x); }
};
struct Logistic {
  static inline __attribute__((always_inline)) float value(float x) { return math::logistic(x); }
  static double reference(double x) { return 1.0 / (1.0 + std::exp(-x)); }
};
struct SquareRoot {
  static inline __attribute__((always_inline)) float value(float x) { return math::square_root(x); }
  static double reference(double x) { return std::sqrt(x); }
};

template <typename F>
__attribute__((noinline)) void evaluate_plain(const Chunk& in, Chunk& out) {
  for (std::size_t i = 0; i < kChunk; ++i) out[i] = F::value(in[i]);
}

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define VAECUDA_TEST_FMA 1
template <typename F>
__attribute__((noinline, target("avx2,fma"))) void evaluate_fused(const Chunk& in, Chunk& out) {
  for (std::size_t i = 0; i < kChunk; ++i) out[i] = F::value(in[i]);
}
#endif

using Evaluate = void (*)(const Chunk&, Chunk&);

template <typename F>
std::vector<Evaluate> variants() {
  std::vector<Evaluate> all = {evaluate_plain<F>};
#ifdef VAECUDA_TEST_FMA
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) all.push_back(evaluate_fused<F>);
#endif
  return all;
}

// The distance from a float to the next, at the magnitude of `value`.
double ulp_of(double value) {
  const double magnitude = std::fabs(value);
  if (magnitude < 0x1p-126) return 0x1p-149;
  const auto bits = __builtin_bit_cast(std::uint64_t, magnitude);
  return __builtin_bit_cast(double, (bits & 0x7ff0000000000000U) - (std::uint64_t{23} << 52));
}

struct Worst {
  double ulp = 0.0;
  double absolute = 0.0;
  float at = 0.0f;  // of the largest error in ulp
  std::int64_t points = 0;
};

// Every `stride`-th float (by bit pattern) from `first` to `last`, both of one sign, and both ends.
template <typename F>
Worst sweep(Evaluate evaluate, float first, float last, std::uint32_t stride) {
  std::uint32_t low = math::float_to_bits(first);
  std::uint32_t high = math::float_to_bits(last);
  if (low > high) std::swap(low, high);
  Worst worst;
  Chunk in{};
  Chunk out{};
  std::uint64_t bits = low;
  bool done = false;
  while (!done) {
    for (float& x : in) {
      x = math::bits_to_float(static_cast<std::uint32_t>(bits < high ? bits : high));
      done = bits >= high;
      bits += stride;
    }
    evaluate(in, out);
    for (std::size_t i = 0; i < kChunk; ++i) {
      const double reference = F::reference(static_cast<double>(in[i]));
      const double error = std::fabs(static_cast<double>(out[i]) - reference);
      const double ulp = error / ulp_of(reference);
      worst.absolute = std::fmax(worst.absolute, error);
      if (!(ulp <= worst.ulp)) {
        worst.ulp = std::isnan(ulp) ? std::numeric_limits<double>::infinity() : ulp;
        worst.at = in[i];
      }
    }
    worst.points += kChunk;
  }
  return worst;
}

// Checks both variants of F between two floats of one sign.
template <typename F>
void check_range(float first, float last, std::uint32_t stride, double bound_ulp) {
  bool fused = false;
  for (const Evaluate evaluate : variants<F>()) {
    const Worst worst = sweep<F>(evaluate, first, last, stride);
    INFO("between " << first << " and " << last << (fused ? ", fused" : ", plain") << ": worst at "
                    << worst.at << " of " << worst.points << " points");
    CHECK(worst.ulp <= bound_ulp);
    fused = true;
  }
}

// y(x) never falls from one float to the next by more than `slack_ulp` around `centre`: where two formulas
// meet, the seam must not show.
template <typename F>
void check_rising(float centre, double slack_ulp) {
  for (const Evaluate evaluate : variants<F>()) {
    Chunk in{};
    Chunk out{};
    float x = centre;
    for (std::size_t i = 0; i < kChunk / 2; ++i) x = std::nextafterf(x, -kInfinity);
    for (float& slot : in) {
      slot = x;
      x = std::nextafterf(x, kInfinity);
    }
    evaluate(in, out);
    for (std::size_t i = 1; i < kChunk; ++i) {
      const double fall = static_cast<double>(out[i - 1]) - static_cast<double>(out[i]);
      if (fall > slack_ulp * ulp_of(static_cast<double>(out[i]))) {
        INFO("at " << in[i]);
        CHECK(fall <= slack_ulp * ulp_of(static_cast<double>(out[i])));
        return;
      }
    }
    CHECK(out[0] <= out[kChunk - 1]);
  }
}

}  // namespace

TEST_CASE("the sweep finds a wrong function", "[elementary]") {
  struct Off {
    static float value(float x) { return math::exponential(x) * 1.0000005f; }
    static double reference(double x) { return std::exp(x); }
  };
  CHECK(sweep<Off>(evaluate_plain<Off>, 0.0f, 80.0f, 100003U).ulp > 3.0);
  struct Broken {
    static float value(float) { return kNan; }
    static double reference(double x) { return x; }
  };
  CHECK(sweep<Broken>(evaluate_plain<Broken>, 1.0f, 2.0f, 100003U).ulp > 1e30);
}

TEST_CASE("exponential is within its bound of e^x", "[elementary]") {
  constexpr double kBound = 1.05;
  check_range<Exponential>(0.0f, 88.72283f, 997U, kBound);
  check_range<Exponential>(-0.0f, -87.3365f, 997U, kBound);
  // Gradual underflow: an ulp is 2^-149 there.
  check_range<Exponential>(-87.3365f, -104.0f, 1U, kBound);
  check_range<Exponential>(-104.0f, -3.4e38f, 100003U, kBound);
  // Dense where the rounding of the exponent changes and at the range's end.
  for (int k = -12; k <= 12; ++k) {
    const float seam = (static_cast<float>(k) + 0.5f) * 0.69314718f;
    check_range<Exponential>(seam * 0.9999f, seam * 1.0001f, 1U, kBound);
  }
}

TEST_CASE("exponential at its edges", "[elementary]") {
  CHECK(math::exponential(0.0f) == 1.0f);
  CHECK(math::exponential(-0.0f) == 1.0f);
  CHECK(math::exponential(1e-40f) == 1.0f);
  CHECK(math::exponential(88.73f) == kInfinity);
  CHECK(math::exponential(1e30f) == kInfinity);
  CHECK(math::exponential(kInfinity) == kInfinity);
  CHECK(math::exponential(-kInfinity) == 0.0f);
  CHECK(math::exponential(-104.0f) == 0.0f);
  CHECK(math::exponential(-103.9f) > 0.0f);
  CHECK(std::isfinite(math::exponential(88.72f)));
  CHECK(std::isnan(math::exponential(kNan)));
  CHECK(std::isnan(math::exponential(-kNan)));
  check_rising<Exponential>(1.0f, 1.0);
}

TEST_CASE("log1p_unit is within its bound of log(1 + x)", "[elementary]") {
  constexpr double kBound = 2.0;
  check_range<Log1pUnit>(0.0f, 1.0f, 499U, kBound);
  check_range<Log1pUnit>(0.5f, 1.0f, 1U, kBound);
  check_range<Log1pUnit>(0.0f, 1.2e-38f, 9973U, kBound);  // denormal
  CHECK(math::log1p_unit(0.0f) == 0.0f);
  CHECK(std::isnan(math::log1p_unit(kNan)));
  check_rising<Log1pUnit>(0.5f, 2.0);
}

TEST_CASE("logarithm is within its bound of log x", "[elementary]") {
  constexpr double kBound = 1.0;
  check_range<Logarithm>(1.17549435e-38f, 3.40282347e38f, 997U, kBound);
  check_range<Logarithm>(0.99f, 1.01f, 1U, kBound);
  check_range<Logarithm>(0.70f, 0.72f, 1U, kBound);
  check_range<Logarithm>(1.41f, 1.42f, 1U, kBound);
  CHECK(math::logarithm(1.0f) == 0.0f);
  // The smallest and largest numbers of uniform_from_bits.
  CHECK(math::logarithm(0x1p-33f) == Approx(-33.0 * std::log(2.0)).epsilon(1e-7));
  check_rising<Logarithm>(1.0f, 2.0);
  check_rising<Logarithm>(1.41421356f, 2.0);
}

TEST_CASE("hyperbolic_tangent is within its bound of tanh x", "[elementary]") {
  constexpr double kBound = 1.5;
  check_range<HyperbolicTangent>(0.0f, 20.0f, 499U, kBound);
  check_range<HyperbolicTangent>(-0.0f, -20.0f, 499U, kBound);
  check_range<HyperbolicTangent>(20.0f, 3.4e38f, 9973U, kBound);
  check_range<HyperbolicTangent>(0.6f, 0.7f, 1U, kBound);
  CHECK(math::hyperbolic_tangent(kInfinity) == 1.0f);
  CHECK(math::hyperbolic_tangent(-kInfinity) == -1.0f);
  CHECK(math::hyperbolic_tangent(0.0f) == 0.0f);
  CHECK(std::signbit(math::hyperbolic_tangent(-0.0f)));
  CHECK(std::isnan(math::hyperbolic_tangent(kNan)));
  for (const float x : {1e-30f, 0.1f, 0.624f, 0.626f, 3.0f, 12.0f}) {
    CHECK(math::hyperbolic_tangent(-x) == -math::hyperbolic_tangent(x));
  }
  check_rising<HyperbolicTangent>(0.625f, 2.0);
  check_rising<HyperbolicTangent>(-0.625f, 2.0);
}

TEST_CASE("error_function is within its bound of erf x", "[elementary]") {
  constexpr double kBound = 1.5;
  check_range<ErrorFunction>(1e-37f, 4.5f, 499U, kBound);
  check_range<ErrorFunction>(-1e-37f, -4.5f, 499U, kBound);
  check_range<ErrorFunction>(0.0f, 1e-37f, 9973U, kBound);
  check_range<ErrorFunction>(4.0f, 3.4e38f, 9973U, kBound);
  check_range<ErrorFunction>(0.8f, 0.95f, 1U, kBound);
  CHECK(math::error_function(kInfinity) == 1.0f);
  CHECK(math::error_function(-kInfinity) == -1.0f);
  CHECK(math::error_function(0.0f) == 0.0f);
  CHECK(std::signbit(math::error_function(-0.0f)));
  CHECK(std::isnan(math::error_function(kNan)));
  for (const float x : {1e-30f, 0.1f, 0.874f, 0.876f, 3.0f, 12.0f}) {
    CHECK(math::error_function(-x) == -math::error_function(x));
  }
  check_rising<ErrorFunction>(0.875f, 2.0);
  check_rising<ErrorFunction>(-0.875f, 2.0);
}

TEST_CASE("logistic is within its bound", "[elementary]") {
  // One ulp of the exponential, half of the sum and half of the quotient, and what they shift one another.
  constexpr double kBound = 2.5;
  check_range<Logistic>(0.0f, 100.0f, 997U, kBound);
  check_range<Logistic>(-0.0f, -86.0f, 997U, kBound);
  check_range<Logistic>(-86.0f, -104.0f, 1U, kBound);
  CHECK(math::logistic(0.0f) == 0.5f);
  CHECK(math::logistic(kInfinity) == 1.0f);
  CHECK(math::logistic(-kInfinity) == 0.0f);
  CHECK(std::isnan(math::logistic(kNan)));
}

TEST_CASE("square_root is correctly rounded", "[elementary]") {
  check_range<SquareRoot>(0.0f, 3.40282347e38f, 997U, 0.5);
  CHECK(std::isnan(math::square_root(-1.0f)));
  CHECK(math::square_root(kInfinity) == kInfinity);
}

TEST_CASE("sincos_turn is within its bound of sin and cos", "[elementary]") {
  constexpr double kBound = 1.2e-7;  // absolute, as its comment says
  constexpr long double kTurn = 6.283185307179586476925286766559L;
  double worst = 0.0;
  std::uint32_t at = 0;
  const auto look = [&](std::uint32_t turn) {
    const math::SinCos got = math::sincos_turn(turn);
    const auto angle = static_cast<double>(kTurn * (static_cast<long double>(turn) + 0.5L) / 4294967296.0L);
    const double error = std::fmax(std::fabs(static_cast<double>(got.sin) - std::sin(angle)),
                                   std::fabs(static_cast<double>(got.cos) - std::cos(angle)));
    if (!(error <= worst)) {
      worst = error;
      at = turn;
    }
  };
  for (std::uint64_t turn = 0; turn < (std::uint64_t{1} << 32); turn += 2003)
    look(static_cast<std::uint32_t>(turn));
  for (std::uint32_t eighth = 0; eighth < 8; ++eighth) {
    for (std::uint32_t i = 0; i < 40000; ++i) look((eighth << 29) + i - 20000U);
  }
  INFO("at turn " << at);
  CHECK(worst <= kBound);
}

TEST_CASE("bit helpers", "[elementary]") {
  CHECK(math::absolute(-3.5f) == 3.5f);
  CHECK_FALSE(std::signbit(math::absolute(-0.0f)));
  CHECK(math::absolute(-3.5) == 3.5);
  CHECK(math::with_sign(2.0f, -7.0f) == -2.0f);
  CHECK(math::with_sign(-2.0f, 7.0f) == 2.0f);
  CHECK(std::signbit(math::with_sign(0.0f, -1.0f)));
  CHECK(math::is_nonfinite(kNan));
  CHECK(math::is_nonfinite(kInfinity));
  CHECK(math::is_nonfinite(-kInfinity));
  CHECK_FALSE(math::is_nonfinite(3.40282347e38f));
  CHECK_FALSE(math::is_nonfinite(1e-45f));
  CHECK_FALSE(math::is_nonfinite(0.0f));
}
