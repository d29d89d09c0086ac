// Walks in latent space: vae_cuda interpolate, neighbors, manifold and traverse.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "vae_cuda/command.hpp"
#include "vae_cuda/result.hpp"
#include "vaecuda/error.hpp"
#include "vaecuda/latent.hpp"

namespace vaecuda::tool {
namespace {

constexpr std::int64_t kMostRow = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kMostCells = 4096;
constexpr double kFar = 1e6;

/// Posterior means of rows of --data. \throws FileError for one that is not finite, from which no walk is
/// possible
std::vector<float> latents_of(const cli::Arguments& arguments, cli::Console& console, const Vae& vae,
                              const std::vector<std::int64_t>& rows) {
  const auto source = open_data(arguments, vae.info());
  cli::say_notes(console, source->notes());
  const Dataset taken = take_rows(*source, rows);
  std::vector<float> z;
  vae.encode(*rows_of(taken),
             [&](const EncodedBlock& block) { z.insert(z.end(), block.mean.begin(), block.mean.end()); });
  const auto bad = std::find_if_not(z.begin(), z.end(), [](float value) { return std::isfinite(value); });
  if (bad != z.end()) {
    const std::int64_t place = (bad - z.begin()) / vae.info().model.latent_dim;
    throw FileError(fmt::format(
        "{}: row {}: its latents are not finite, so that nothing lies around them: its values are too large "
        "for this model",
        source->name(), rows[static_cast<std::size_t>(place)]));
  }
  return z;
}

/// Means of p(x|z); for a conditional model, with the class of --label.
std::vector<float> decoded_rows(const cli::Arguments& arguments, const Vae& vae, std::span<const float> z) {
  const auto latents = rows_of(z, vae.info().model.latent_dim, "the latents");
  std::vector<float> rows;
  const auto sink = [&](const DecodedBlock& block) {
    rows.insert(rows.end(), block.mean.begin(), block.mean.end());
  };
  const std::string label = label_for(arguments, vae.info());
  if (label.empty()) {
    vae.decode(*latents, sink);
  } else {
    vae.decode(*with_label(*latents, label), sink);
  }
  return rows;
}

int run_interpolate(const cli::Arguments& arguments, cli::Console& console) {
  check_output(arguments);
  const std::int64_t from = integer_of(arguments, "--from", 0, kMostRow);
  const std::int64_t to = integer_of(arguments, "--to", 0, kMostRow);
  const std::int64_t steps = integer_or(arguments, "--steps", 10, 2, kMostCells);
  const Vae vae = load_model(arguments, console);
  const std::vector<float> ends = latents_of(arguments, console, vae, {from, to});
  const auto z = std::span(ends).first(ends.size() / 2);
  const auto z2 = std::span(ends).subspan(ends.size() / 2);
  const std::vector<float> rows =
      decoded_rows(arguments, vae, interpolate_latents(z, z2, steps, arguments.flag("--slerp")));
  write_result(arguments, console, vae.info(), rows, steps, {{"from", from}, {"to", to}});
  return 0;
}

int run_neighbors(const cli::Arguments& arguments, cli::Console& console) {
  check_output(arguments);
  const std::int64_t row = integer_of(arguments, "--row", 0, kMostRow);
  const std::int64_t count = integer_or(arguments, "--count", 16, 1, kMostCells - 1);
  const double radius = real_or(arguments, "--radius", 1.0, 0.0, kFar);
  const Vae vae = load_model(arguments, console);
  const std::uint64_t seed = seed_or(arguments, vae.info().seed);
  const std::vector<float> z = latents_of(arguments, console, vae, {row});
  const std::vector<float> rows = decoded_rows(arguments, vae, latents_around(z, count, radius, seed));
  write_result(arguments, console, vae.info(), rows, 0, {{"row", row}, {"radius", radius}, {"seed", seed}});
  return 0;
}

int run_manifold(const cli::Arguments& arguments, cli::Console& console) {
  check_output(arguments);
  const std::int64_t side = integer_or(arguments, "--grid", 20, 2, 64);
  const Vae vae = load_model(arguments, console);
  const std::int64_t latent_dim = vae.info().model.latent_dim;
  const LatentTraits& traits = traits_of(vae.info().model.latent);
  if (!traits.has_normal_prior) {
    throw ConfigError(
        fmt::format("a model with a {} latent has no normal prior, at whose quantiles a manifold is decoded; "
                    "vae_cuda traverse sweeps its latents",
                    traits.adjective));
  }
  std::vector<std::int64_t> dims = {0, 1};
  if (arguments.find("--dims") != nullptr) dims = integers(arguments, "--dims", 0, latent_dim - 1);
  if (dims.size() != 2 || dims[0] == dims[1]) {
    throw ConfigError(fmt::format(
        "--dims: two different latents from 0 to {} span the plane, as in --dims 0,1", latent_dim - 1));
  }
  if (latent_dim < 2) throw ConfigError("this model has one latent; vae_cuda traverse shows it");
  const std::vector<float> rows =
      decoded_rows(arguments, vae, latent_grid(side, latent_dim, dims[0], dims[1]));
  write_result(arguments, console, vae.info(), rows, side, {{"dims", dims}, {"grid", side}});
  return 0;
}

int run_traverse(const cli::Arguments& arguments, cli::Console& console) {
  check_output(arguments);
  const std::int64_t steps = integer_or(arguments, "--steps", 11, 2, 64);
  const double range = real_or(arguments, "--range", 3.0, 0.0, kFar);
  const Vae vae = load_model(arguments, console);
  const std::int64_t latent_dim = vae.info().model.latent_dim;
  std::vector<std::int64_t> dims;
  if (arguments.find("--dims") != nullptr) {
    dims = integers(arguments, "--dims", 0, latent_dim - 1);
  } else {
    for (std::int64_t i = 0; i < latent_dim; ++i) dims.push_back(i);
  }
  std::vector<float> base(static_cast<std::size_t>(latent_dim), 0.0f);
  if (arguments.find("--row") != nullptr) {
    base = latents_of(arguments, console, vae, {integer_of(arguments, "--row", 0, kMostRow)});
  } else if (arguments.find("--data") != nullptr) {
    throw ConfigError("--data: --row says which row to start from");
  }
  std::vector<float> z;
  for (const std::int64_t dim : dims) {
    for (std::int64_t step = 0; step < steps; ++step) {
      z.insert(z.end(), base.begin(), base.end());
      const double t = static_cast<double>(step) / static_cast<double>(steps - 1);
      z[z.size() - base.size() + static_cast<std::size_t>(dim)] = static_cast<float>(range * (2.0 * t - 1.0));
    }
  }
  write_result(arguments, console, vae.info(), decoded_rows(arguments, vae, z), steps,
               {{"dims", dims}, {"steps", steps}, {"range", range}});
  return 0;
}

constexpr cli::ProgramOption kLabel{"--label", "CLASS|V1,V2,...",
                                    "label of a conditional model: a class, or the numbers of a vector"};
constexpr cli::ProgramOption kOut{"--out", "FILE", ".png: a sheet; .npy or .csv: rows"};

}  // namespace

Command interpolate_command() {
  return {.name = "interpolate",
          .summary = "the way from one row to another",
          .details =
              "Decodes latents on the way between the posterior means of two rows, both ends included.\n"
              "Example: vae_cuda interpolate model.safetensors --data shapes --from 0 --to 7 --out way.png",
          .options = joined(
              {kModel}, joined(data_options(), {{"--from", "ROW", "row to start from, counted from 0"},
                                                {"--to", "ROW", "row to end at"},
                                                {"--steps", "N", "rows in all [10]"},
                                                {"--slerp", "", "on the arc instead of the straight line"},
                                                kLabel,
                                                kOut,
                                                kImage})),
          .run = run_interpolate};
}

Command neighbors_command() {
  return {
      .name = "neighbors",
      .summary = "what lies around a row in latent space",
      .details =
          "Decodes the row's posterior mean, then points at a distance from it in random directions.\n"
          "Example: vae_cuda neighbors model.safetensors --data shapes --row 3 --radius 0.5 --out near.png",
      .options =
          joined({kModel}, joined(data_options(), {{"--row", "ROW", "the row, counted from 0"},
                                                   {"-n,--count", "N", "points around it [16]"},
                                                   {"--radius", "R", "their distance in latent space [1]"},
                                                   kLabel,
                                                   kOut,
                                                   kImage})),
      .run = run_neighbors};
}

Command manifold_command() {
  return {
      .name = "manifold",
      .summary = "a plane of the latent space, decoded",
      .details =
          "Decodes a grid at the prior's quantiles in two latents, the others 0: every cell stands for equal "
          "probability.\nExample: vae_cuda manifold model.safetensors --dims 0,1 --out plane.png",
      .options = {kModel,
                  {"--dims", "A,B", "the latents to the right and upwards [0,1]"},
                  {"--grid", "N", "cells in a row [20]"},
                  kLabel,
                  kOut,
                  kImage},
      .run = run_manifold};
}

Command traverse_command() {
  return {
      .name = "traverse",
      .summary = "each latent swept while the others stand still",
      .details =
          "One line of cells for each latent, from -range to +range; the others are 0, or those of a row.\n"
          "Example: vae_cuda traverse model.safetensors --out sweep.png",
      .options = joined({kModel}, joined({{"--dims", "A[,B...]", "the latents to sweep [all]"},
                                          {"--steps", "N", "cells in a line [11]"},
                                          {"--range", "R", "how far from 0 [3]"},
                                          {"--row", "ROW", "start from this row of --data instead of 0"},
                                          kLabel,
                                          kOut,
                                          kImage},
                                         data_options())),
      .run = run_traverse};
}

}  // namespace vaecuda::tool
