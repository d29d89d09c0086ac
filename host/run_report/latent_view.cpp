#include "host/run_report/latent_view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <utility>

#include "host/report/image_sheet.hpp"

namespace vaecuda {
namespace {

constexpr std::int64_t kRows = 4000;
constexpr std::int64_t kPairs = 6;
constexpr std::int64_t kSteps = 10;
constexpr double kActive = 0.01;

Dataset first_rows(const Dataset& data) {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(std::min(kRows, data.rows())));
  std::iota(rows.begin(), rows.end(), 0);
  return data.select(rows);
}

/// KL(N(μ, σ²) ‖ N(0, 1)) = ½(μ² + σ² − log σ² − 1) of every latent, mean over the rows.
std::vector<KlOfLatent> kl_of_latents(const std::vector<float>& mean, const std::vector<float>& logvar,
                                      std::int64_t latents) {
  const auto width = static_cast<std::size_t>(latents);
  const std::size_t count = mean.size() / width;
  const auto rows = static_cast<double>(count);
  std::vector<KlOfLatent> result;
  for (std::size_t j = 0; j < width; ++j) {
    double kl = 0.0;
    double sum = 0.0;
    double squares = 0.0;
    for (std::size_t i = j; i < mean.size(); i += width) {
      const auto mu = static_cast<double>(mean[i]);
      const double log_variance = std::clamp(static_cast<double>(logvar[i]), -30.0, 20.0);
      kl += 0.5 * (mu * mu + std::exp(log_variance) - log_variance - 1.0);
      sum += mu;
      squares += mu * mu;
    }
    const double variance = squares / rows - sum / rows * (sum / rows);
    result.push_back({static_cast<std::int64_t>(j), kl / rows, variance > kActive});
  }
  const auto known = [](const KlOfLatent& one) { return std::isfinite(one.kl) ? one.kl : -1.0; };
  std::stable_sort(result.begin(), result.end(),
                   [&](const KlOfLatent& a, const KlOfLatent& b) { return known(a) > known(b); });
  return result;
}

PlaneView plane_of(const std::vector<float>& mean, std::int64_t latents) {
  if (latents > 2) return principal_plane(mean, latents);
  PlaneView view;
  const auto width = static_cast<std::size_t>(latents);
  for (std::size_t i = 0; i + width <= mean.size(); i += width) {
    view.points.push_back({static_cast<double>(mean[i]), width > 1 ? static_cast<double>(mean[i + 1]) : 0.0});
  }
  return view;
}

using Pair = std::pair<std::int64_t, std::int64_t>;

/// Whether each row of `mean` is finite, as interpolation requires.
std::vector<bool> finite_rows(const std::vector<float>& mean, std::int64_t latents) {
  std::vector<bool> finite;
  for (auto row = mean.begin(); row != mean.end(); row += latents) {
    finite.push_back(std::all_of(row, row + latents, [](float value) { return std::isfinite(value); }));
  }
  return finite;
}

/// Pairs of rows to interpolate: neighbours in the order of the data; for a conditional model, two rows of
/// the same class. Rows that are not `usable` are left out.
std::vector<Pair> pairs_of(const Dataset& data, bool conditional, const std::vector<bool>& usable) {
  std::vector<Pair> pairs;
  if (!conditional) {
    for (std::int64_t i = 0; static_cast<std::int64_t>(pairs.size()) < kPairs && i + 1 < data.rows();
         i += 2) {
      const auto row = static_cast<std::size_t>(i);
      if (usable[row] && usable[row + 1]) pairs.emplace_back(i, i + 1);
    }
    return pairs;
  }
  std::vector<std::int64_t> waiting(data.label_names().size(), -1);
  std::vector<bool> done(waiting.size(), false);
  for (std::int64_t row = 0; row < data.rows() && static_cast<std::int64_t>(pairs.size()) < kPairs; ++row) {
    const auto label = static_cast<std::size_t>(data.labels()[static_cast<std::size_t>(row)]);
    if (done[label] || !usable[static_cast<std::size_t>(row)]) continue;
    if (waiting[label] < 0) {
      waiting[label] = row;
      continue;
    }
    pairs.emplace_back(waiting[label], row);
    done[label] = true;
  }
  return pairs;
}

/// Scales and standardizes values as in training, so that the columns of a table are comparable.
void standardize(std::vector<float>& values, const ModelInfo& info) {
  const std::size_t width = info.mean.size();
  for (std::size_t i = 0; i < values.size() && width > 0; ++i) {
    values[i] = (values[i] * info.scale - info.mean[i % width]) * info.inverse_deviation[i % width];
  }
}

Image draw_ways(const Vae& vae, const Dataset& data, const std::vector<float>& mean,
                const std::vector<Pair>& pairs) {
  const ModelInfo& info = vae.info();
  const std::int64_t latents = info.model.latent_dim;
  std::vector<float> pictures;
  for (const Pair& pair : pairs) {
    const std::span<const float> all(mean);
    const std::vector<float> way = interpolate_latents(
        all.subspan(static_cast<std::size_t>(pair.first * latents), static_cast<std::size_t>(latents)),
        all.subspan(static_cast<std::size_t>(pair.second * latents), static_cast<std::size_t>(latents)),
        kSteps);
    const auto points = rows_of(way, latents);
    const auto keep = [&pictures](const DecodedBlock& block) {
      pictures.insert(pictures.end(), block.mean.begin(), block.mean.end());
    };
    if (info.model.condition_dim > 0) {
      const auto label = static_cast<std::size_t>(data.labels()[static_cast<std::size_t>(pair.first)]);
      const auto told = with_label(*points, data.label_names()[label]);
      vae.decode(*told, keep);
    } else {
      vae.decode(*points, keep);
    }
  }
  SheetOptions options;
  options.cells_across = kSteps;
  if (info.image) {
    ValueRange range{0.0F, 1.0F / info.scale};
    for (const float value : pictures) {
      if (!std::isfinite(value)) continue;
      range.low = std::min(range.low, value);
      range.high = std::max(range.high, value);
    }
    options.range = range;
  } else {
    standardize(pictures, info);
  }
  return image_sheet(pictures, info.model.input_dim, info.image, options);
}

}  // namespace

LatentView view_latents(const Vae& vae, const Dataset& data) {
  const Dataset some = first_rows(data);
  const ModelInfo& info = vae.info();
  Encoded encoded;
  const auto rows = rows_of(some);
  vae.encode(*rows, [&encoded](const EncodedBlock& block) {
    encoded.mean.insert(encoded.mean.end(), block.mean.begin(), block.mean.end());
    encoded.logvar.insert(encoded.logvar.end(), block.logvar.begin(), block.logvar.end());
  });
  LatentView view;
  view.rows = some.rows();
  if (!encoded.logvar.empty()) view.kl = kl_of_latents(encoded.mean, encoded.logvar, info.model.latent_dim);
  view.principal = info.model.latent_dim > 2;
  view.plane = plane_of(encoded.mean, info.model.latent_dim);
  view.labels.assign(some.labels().begin(), some.labels().end());
  view.label_names = some.label_names();
  if (info.model.condition_dim > 0 && some.labels().empty()) {
    view.no_interpolations = "The model is conditioned on a vector per row; there is none between two rows.";
    return view;
  }
  const std::vector<Pair> pairs =
      pairs_of(some, info.model.condition_dim > 0, finite_rows(encoded.mean, info.model.latent_dim));
  if (pairs.empty()) {
    view.no_interpolations = "There are too few rows with finite latents to walk between.";
    return view;
  }
  view.interpolations = draw_ways(vae, some, encoded.mean, pairs);
  view.way_steps = kSteps;
  for (const auto& [from, to] : pairs) {
    std::string name = fmt::format("{} → {}", from, to);
    if (info.model.condition_dim > 0) {
      const auto label = static_cast<std::size_t>(some.labels()[static_cast<std::size_t>(from)]);
      name = fmt::format("{}: {}", some.label_names()[label], name);
    }
    view.way_names.push_back(std::move(name));
  }
  return view;
}

}  // namespace vaecuda
