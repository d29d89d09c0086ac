// vae_cuda export: a model in another format.
#include <fmt/format.h>

#include "vae_cuda/command.hpp"
#include "vae_cuda/result.hpp"

namespace vaecuda::tool {
namespace {

int run_export(const cli::Arguments& arguments, cli::Console& console) {
  const std::string& format = required(arguments, "--format");
  const std::string& out = required(arguments, "--out");
  if (format != "safetensors" && format != "npz") {
    throw ConfigError(fmt::format("--format: '{}' is not safetensors or npz", format));
  }
  RunOn on;
  on.device = "cpu";  // nothing is computed
  const Vae vae = Vae::load(required(arguments, "MODEL"), on);
  format == "npz" ? vae.save_npz(out) : vae.save(out);
  report(arguments, console, fmt::format("{}: {} tensors", out, vae.info().tensors.size()),
         {{"format", format}, {"tensors", vae.info().tensors.size()}, {"out", out}});
  return 0;
}

}  // namespace

Command export_command() {
  return {
      .name = "export",
      .summary = "the model in another format",
      .details =
          "npz: one array per tensor (numpy.load), with the configuration as the member config.json.\n"
          "Example: vae_cuda export model.safetensors --format npz --out model.npz",
      .options = {kModel, {"--format", "safetensors|npz", "what to write"}, {"--out", "FILE", "where to"}},
      .run = run_export};
}

}  // namespace vaecuda::tool
