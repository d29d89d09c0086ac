// vae_cuda report: the report of a run.
#include <fmt/format.h>

#include "vae_cuda/command.hpp"
#include "vae_cuda/result.hpp"

namespace vaecuda::tool {
namespace {

int run_report(const cli::Arguments& arguments, cli::Console& console) {
  ReportOptions options;
  options.on = run_on(arguments);
  if (const std::string* out = arguments.find("--out")) options.path = *out;
  const std::string path = write_report(required(arguments, "RUN_DIR"), options);
  report(arguments, console, fmt::format("report      {}", path), {{"out", path}});
  return 0;
}

}  // namespace

Command report_command() {
  return {
      .name = "report",
      .summary = "a run as one page for the browser",
      .details =
          "Writes one HTML file that needs nothing beside it: configuration, curves, final figures, KL per "
          "latent, "
          "latents, pictures. Training writes it too, unless --no-report is given.\n"
          "Example: vae_cuda report runs/shapes",
      .options = {{"RUN_DIR", "", "folder of a run, as vae_cuda_train --out names it"},
                  {"--out", "FILE", "the page [report.html in the folder]"}},
      .run = run_report};
}

}  // namespace vaecuda::tool
