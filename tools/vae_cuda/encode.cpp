// vae_cuda encode: rows to latents.
#include <fmt/format.h>

#include "vae_cuda/command.hpp"
#include "vae_cuda/result.hpp"
#include "vae_cuda/row_watch.hpp"
#include "vaecuda/latent.hpp"

namespace vaecuda::tool {
namespace {

int run_encode(const cli::Arguments& arguments, cli::Console& console) {
  const std::string& out = required(arguments, "--out");
  const std::string* logvar_path = arguments.find("--logvar");
  const std::string* codes_path = arguments.find("--codes");
  const Vae vae = load_model(arguments, console);
  const ModelInfo& info = vae.info();
  const LatentTraits& traits = traits_of(info.model.latent);
  if (logvar_path != nullptr && !traits.has_density) {
    throw ConfigError(
        fmt::format("--logvar: this model's latent is {}; a code has no variance", traits.adjective));
  }
  if (codes_path != nullptr && !traits.has_codes) {
    throw ConfigError("--codes: this model has no codebooks; train one with --latent vq");
  }
  const auto rows = open_data(arguments, info);
  cli::say_notes(console, rows->notes());
  RowWriter mean(out, info.model.latent_dim, RowType::f32, latent_names(info, "z"));
  std::optional<RowWriter> logvar;
  if (logvar_path != nullptr) {
    logvar.emplace(*logvar_path, info.model.latent_dim, RowType::f32, latent_names(info, "logvar"));
  }
  std::optional<RowWriter> codes;
  if (codes_path != nullptr) {
    std::vector<std::string> names;
    for (std::int64_t g = 0; g < info.model.codebooks; ++g) names.push_back(fmt::format("code{}", g));
    codes.emplace(*codes_path, info.model.codebooks, RowType::i32, names);
  }
  const RowCount done(console, "encoding", rows->rows());
  OverflowWatch watch(info.model.latent_dim);
  const std::int64_t count = vae.encode(*rows, [&](const EncodedBlock& block) {
    watch.add(block.mean);
    done.tell(block.first + block.rows);
    mean.append(block.mean);
    if (logvar) logvar->append(block.logvar);
    if (codes) codes->append(std::vector<std::int32_t>(block.codes.begin(), block.codes.end()));
  });
  mean.commit();
  if (logvar) logvar->commit();
  if (codes) codes->commit();
  nlohmann::ordered_json document{{"rows", count}, {"latent_dim", info.model.latent_dim}, {"out", out}};
  if (logvar) document["logvar"] = *logvar_path;
  if (codes) document["codes"] = *codes_path;
  document["warnings"] = watch.warnings(rows->name());
  print_warnings(console, watch.warnings(rows->name()));
  report(arguments, console, fmt::format("{}: {} latents of {} values", out, count, info.model.latent_dim),
         document);
  return 0;
}

}  // namespace

Command encode_command() {
  std::vector<cli::ProgramOption> options =
      joined({kModel},
             joined(data_options(), {{"--out", "FILE", "posterior means: .npy or .csv, one latent a row"},
                                     {"--logvar", "FILE", "also log variances of the posterior"},
                                     {"--codes", "FILE", "vq: also each codebook's code, counted from 0"}}));
  return {
      .name = "encode",
      .summary = "rows to latents",
      .details =
          "Writes the mean of q(z|x) for every row. Files of any size are read and written block by block.\n"
          "Example: vae_cuda encode model.safetensors --data table.csv --out z.npy",
      .options = std::move(options),
      .run = run_encode};
}

}  // namespace vaecuda::tool
