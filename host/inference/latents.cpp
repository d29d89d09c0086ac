#include "host/inference/latents.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <new>
#include <span>

#include "host/latents/latent.hpp"
#include "host/plan/builder.hpp"
#include "kernels/math/codebook.h"
#include "kernels/math/philox.h"
#include "vaecuda/vae.hpp"

namespace vaecuda {
namespace {

double norm_of(std::span<const float> z) {
  double sum = 0.0;
  for (const float v : z) sum += static_cast<double>(v) * static_cast<double>(v);
  return std::sqrt(sum);
}

/// The angle between two latents, 0 where there is no arc to walk on.
double angle_between(std::span<const float> z1, std::span<const float> z2, double norms) {
  if (norms == 0.0) return 0.0;
  double dot = 0.0;
  for (std::size_t i = 0; i < z1.size(); ++i) dot += static_cast<double>(z1[i]) * static_cast<double>(z2[i]);
  const double cosine = dot / norms;
  constexpr double kParallel = 1.0 - 1e-9;  // nearer to it, sin of the angle has no digits left
  return std::fabs(cosine) < kParallel ? std::acos(cosine) : 0.0;
}

}  // namespace

std::vector<float> room_for(std::int64_t rows, std::int64_t width, std::string_view what) {
  std::vector<float> room;
  try {
    const auto most = static_cast<std::int64_t>(room.max_size());
    if (width > 0 && rows > most / width) throw std::bad_alloc();
    room.reserve(static_cast<std::size_t>(rows * width));
  } catch (const std::bad_alloc&) {
    throw OutOfMemoryError(
        fmt::format("{} {} of {} values do not fit in memory; ask for fewer at a time", rows, what, width));
  }
  return room;
}

double normal_quantile(double probability) {
  // By bisection of erfc: exact to double precision and called a few times only.
  double low = -40.0;
  double high = 40.0;
  for (int i = 0; i < 64; ++i) {
    const double middle = 0.5 * (low + high);
    (0.5 * std::erfc(-middle / std::sqrt(2.0)) < probability ? low : high) = middle;
  }
  return 0.5 * (low + high);
}

void check_draw(const ModelConfig& model, std::int64_t count, double temperature) {
  if (const std::string reason = why_no_prior(model); !reason.empty()) throw ConfigError(reason);
  if (count < 0) throw ConfigError(fmt::format("{} samples; expected 0 or more", count));
  if (!(temperature >= 0.0) || !std::isfinite(temperature)) {
    throw ConfigError(fmt::format("temperature {}; expected a finite number, 0 or more", temperature));
  }
  latent_of(model.latent).check_temperature(temperature);
}

std::vector<float> draw_prior(std::int64_t first, std::int64_t count, std::int64_t latent_dim,
                              std::uint64_t seed, double temperature) {
  const auto deviation = static_cast<float>(temperature);
  std::vector<float> z = room_for(count, latent_dim, "latents");
  for (std::int64_t row = first; row < first + count; ++row) {
    for_each_normal(seed, row, math::RandomPurpose::prior, static_cast<std::size_t>(latent_dim),
                    [&](std::size_t /*column*/, float normal) { z.push_back(deviation * normal); });
  }
  return z;
}

std::vector<float> draw_codes(std::int64_t first, std::int64_t count, const CodebookParameters& codebook,
                              std::span<const float> parameters, std::uint64_t seed) {
  std::vector<float> z = room_for(count, codebook.groups * codebook.width, "latents");
  for (std::int64_t row = first; row < first + count; ++row) {
    for (std::int64_t g = 0; g < codebook.groups; ++g) {
      const math::Philox4 bits =
          math::philox(seed, static_cast<std::uint64_t>(row),
                       math::random_block(math::RandomPurpose::prior, static_cast<std::uint64_t>(g)));
      const std::int64_t code = g * codebook.size + math::index_from_bits(bits.v[g % 4], codebook.size);
      const auto vector = parameters.subspan(static_cast<std::size_t>(codebook.codes + code * codebook.width),
                                             static_cast<std::size_t>(codebook.width));
      z.insert(z.end(), vector.begin(), vector.end());
    }
  }
  return z;
}

std::vector<float> latent_grid(std::int64_t side, std::int64_t latent_dim, std::int64_t across,
                               std::int64_t up) {
  const auto exists = [latent_dim](std::int64_t dim) { return dim >= 0 && dim < latent_dim; };
  if (!exists(across) || !exists(up) || across == up || side < 1) {
    throw ConfigError(
        fmt::format("a grid of {0} x {0} cells over latents {1} and {2} of {3}; expected two different "
                    "ones from 0 to {4} and at least one cell",
                    side, across, up, latent_dim, latent_dim - 1));
  }
  const auto quantile = [side](std::int64_t i) {
    return static_cast<float>(normal_quantile((static_cast<double>(i) + 0.5) / static_cast<double>(side)));
  };
  constexpr std::int64_t kMostSide = 1'000'000'000;  // so that the square is a number
  std::vector<float> z = room_for(side > kMostSide ? std::numeric_limits<std::int64_t>::max() : side * side,
                                  latent_dim, "latents");
  z.resize(static_cast<std::size_t>(side * side * latent_dim), 0.0f);
  for (std::int64_t row = 0; row < side; ++row) {
    for (std::int64_t column = 0; column < side; ++column) {
      float* latent = z.data() + (row * side + column) * latent_dim;
      latent[across] = quantile(column);
      latent[up] = quantile(side - 1 - row);
    }
  }
  return z;
}

std::vector<float> latents_around(std::span<const float> z, std::int64_t count, double radius,
                                  std::uint64_t seed) {
  if (count < 0 || !(radius >= 0.0) || !std::isfinite(radius)) {
    throw ConfigError(fmt::format(
        "{} latents at a distance of {}; expected 0 or more of both, and a finite one", count, radius));
  }
  const auto latent_dim = static_cast<std::int64_t>(z.size());
  std::vector<float> points =
      room_for(count < std::numeric_limits<std::int64_t>::max() ? count + 1 : count, latent_dim, "latents");
  points.insert(points.end(), z.begin(), z.end());
  // A standard normal vector points evenly in all directions.
  const std::vector<float> normals = draw_prior(0, count, latent_dim, seed, 1.0);
  for (std::int64_t i = 0; i < count; ++i) {
    const auto direction = std::span(normals).subspan(static_cast<std::size_t>(i) * z.size(), z.size());
    const double norm = norm_of(direction);
    const double factor = norm > 0.0 ? radius / norm : 0.0;
    for (std::size_t k = 0; k < z.size(); ++k) {
      points.push_back(
          static_cast<float>(static_cast<double>(z[k]) + factor * static_cast<double>(direction[k])));
    }
  }
  return points;
}

std::vector<float> interpolate_latents(std::span<const float> z1, std::span<const float> z2,
                                       std::int64_t steps, bool spherical) {
  if (z1.size() != z2.size() || z1.empty()) {
    throw ConfigError(fmt::format("a path between latents of {} and {} values; expected as many in both",
                                  z1.size(), z2.size()));
  }
  if (steps < 2)
    throw ConfigError(fmt::format("a path of {} steps; expected 2 or more: both ends belong to it", steps));
  const double norm1 = norm_of(z1);
  const double norm2 = norm_of(z2);
  const double angle = spherical ? angle_between(z1, z2, norm1 * norm2) : 0.0;
  std::vector<float> path = room_for(steps, static_cast<std::int64_t>(z1.size()), "latents");
  for (std::int64_t step = 0; step < steps; ++step) {
    const double t = static_cast<double>(step) / static_cast<double>(steps - 1);
    double weight1 = 1.0 - t;
    double weight2 = t;
    if (angle > 0.0) {
      const double length = (1.0 - t) * norm1 + t * norm2;
      weight1 = length * std::sin((1.0 - t) * angle) / (std::sin(angle) * norm1);
      weight2 = length * std::sin(t * angle) / (std::sin(angle) * norm2);
    }
    for (std::size_t i = 0; i < z1.size(); ++i) {
      path.push_back(
          static_cast<float>(weight1 * static_cast<double>(z1[i]) + weight2 * static_cast<double>(z2[i])));
      if (std::isfinite(path.back())) continue;
      throw ConfigError(fmt::format(
          "the way between two latents of length {:.3g} and {:.3g}: value {} of step {} is beyond "
          "what a float holds; latents of a model have lengths near the root of their number",
          norm1, norm2, i, step));
    }
  }
  return path;
}

}  // namespace vaecuda
