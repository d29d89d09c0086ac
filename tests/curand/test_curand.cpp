// The toolkit's own Philox, which the kernels draw from (kernels/device/random.cuh), compiled for the host:
// its integers must be those of math::philox, and its normals those of math::normal_pair within a bound.
#include <cuda_runtime.h>
#include <curand_kernel.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "kernels/math/philox.h"
#include "support/catch.hpp"

namespace math = vaecuda::math;

namespace {

constexpr std::uint64_t kDraws = 200000;

/// Where a draw comes from, each of the three a different function of the draw's number, high halves
/// included.
struct Place {
  std::uint64_t seed;
  std::uint64_t subsequence;
  std::uint64_t block;
};

Place place_of(std::uint64_t draw) {
  const auto purpose = static_cast<math::RandomPurpose>(1 + draw % 9);
  return {3 + draw * 0x9E3779B97F4A7C15U, draw * 77 + (draw << 34),
          math::random_block(purpose, 4 * (draw % 5000))};
}

curandStatePhilox4_32_10_t state_at(const Place& place) {
  curandStatePhilox4_32_10_t state;
  curand_init(place.seed, place.subsequence, 4 * place.block, &state);
  return state;
}

math::Philox4 bits_at(const Place& place) {
  return math::philox(place.seed, place.subsequence, place.block);
}

}  // namespace

TEST_CASE("cuRAND draws the integers of math::philox", "[curand]") {
  std::uint64_t equal = 0;
  for (std::uint64_t draw = 0; draw < kDraws; ++draw) {
    const Place place = place_of(draw);
    curandStatePhilox4_32_10_t state = state_at(place);
    const uint4 words = curand4(&state);
    const math::Philox4 bits = bits_at(place);
    const bool same =
        words.x == bits.v[0] && words.y == bits.v[1] && words.z == bits.v[2] && words.w == bits.v[3];
    equal += same ? 1 : 0;
  }
  CHECK(equal == kDraws);
}

TEST_CASE("cuRAND's normals on the host are those of math::normal_pair", "[curand]") {
  double worst = 0.0;
  const auto look = [&worst](float first, float second, std::uint32_t radius_bits, std::uint32_t angle_bits) {
    const math::NormalPair pair = math::normal_pair(radius_bits, angle_bits);
    const double radius = std::hypot(static_cast<double>(pair.first), static_cast<double>(pair.second));
    const double error = std::max(std::fabs(static_cast<double>(first) - static_cast<double>(pair.first)),
                                  std::fabs(static_cast<double>(second) - static_cast<double>(pair.second)));
    worst = std::max(worst, std::isfinite(error) ? error / radius : std::numeric_limits<double>::infinity());
  };
  for (std::uint64_t draw = 0; draw < kDraws; ++draw) {
    const Place place = place_of(draw);
    curandStatePhilox4_32_10_t state = state_at(place);
    const float4 normal = curand_normal4(&state);
    const math::Philox4 bits = bits_at(place);
    look(normal.x, normal.y, bits.v[0], bits.v[1]);
    look(normal.z, normal.w, bits.v[2], bits.v[3]);
  }
  // By the radius: cuRAND's angle is a float up to 2π, rounded twice (7.2e-7 at most); sincos_turn is off by
  // 1.2e-7, the radius, a sine and the products by 2^-24 each or a few. Measured: 6.0e-7. A card's sine is a
  // hardware approximation, for which 1e-5 is allowed (docs/numerics.md).
  CHECK(worst <= 1.2e-6);
}
