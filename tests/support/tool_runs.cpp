#include "tests/support/tool_runs.hpp"

#include "tests/support/catch.hpp"
#include "vaecuda/trainer.hpp"

namespace vaecuda::test {

ProgramResult run_tool(const Words& words, const ProgramOptions& options) {
  return run_program(VAECUDA_TOOL_PATH, words, options);
}

nlohmann::json tool_json(const Words& words) {
  const ProgramResult result = run_tool(words + Words{"--json", "--device", "cpu"});
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  // Beside the document stderr has warnings, of models that are trained for a moment here, and what was read.
  CHECK(result.err.find("error:") == std::string::npos);
  return nlohmann::json::parse(result.out);  // throws where anything follows the document
}

void check_tool_refuses(const Words& words, int exit_code, std::string_view part) {
  check_refuses(VAECUDA_TOOL_PATH, words + Words{"--device", "cpu"}, exit_code, part);
}

std::string train_small(const std::filesystem::path& dir, const std::string& data,
                        const std::function<void(RunConfig&)>& change) {
  RunConfig config;
  config.data.train.path = data;
  config.model.hidden = {8};
  config.model.latent_dim = 2;
  config.train.device = "cpu";
  config.train.steps = 60;
  config.output.dir = dir.string();
  if (change) change(config);
  return Trainer(config).run().model;
}

}  // namespace vaecuda::test
