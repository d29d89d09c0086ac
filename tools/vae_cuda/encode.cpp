// vae_cuda encode: rows to latents.
#include <fmt/format.h>

#include "vae_cuda/command.hpp"
#include "vae_cuda/result.hpp"

namespace vaecuda::tool {
namespace {

int run(const cli::Arguments& arguments, cli::Console& console) {
  const std::string& out = required(arguments, "--out");
  const std::string* logvar_path = arguments.find("--logvar");
  const Vae vae = load_model(arguments, console);
  const ModelInfo& info = vae.info();
  if (logvar_path != nullptr && info.model.latent == LatentKind::deterministic) {
    throw ConfigError("--logvar: this model's latent is deterministic; a code has no variance");
  }
  const auto rows = open_data(arguments, info);
  RowWriter mean(out, info.model.latent_dim, RowType::f32, latent_names(info, "z"));
  std::optional<RowWriter> logvar;
  if (logvar_path != nullptr) {
    logvar.emplace(*logvar_path, info.model.latent_dim, RowType::f32, latent_names(info, "logvar"));
  }
  const std::int64_t count = vae.encode(*rows, [&](const EncodedBlock& block) {
    mean.append(block.mean);
    if (logvar) logvar->append(block.logvar);
  });
  mean.commit();
  if (logvar) logvar->commit();
  nlohmann::ordered_json document{{"rows", count}, {"latent_dim", info.model.latent_dim}, {"out", out}};
  if (logvar) document["logvar"] = *logvar_path;
  report(arguments, console, fmt::format("{}: {} latents of {} values", out, count, info.model.latent_dim),
         document);
  return 0;
}

}  // namespace

Command encode_command() {
  std::vector<cli::ProgramOption> options = joined(
      {kModel}, joined(data_options(), {{"--out", "FILE", "posterior means: .npy or .csv, one latent a row"},
                                        {"--logvar", "FILE", "also log variances of the posterior"}}));
  return {"encode", "rows to latents",
          "Writes the mean of q(z|x) for every row. Files of any size are read and written block by block.\n"
          "Example: vae_cuda encode model.safetensors --data table.csv --out z.npy",
          std::move(options), run};
}

}  // namespace vaecuda::tool
