// vae_cuda as tests call it, and small models for it to work on.
#pragma once

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "tests/support/run_program.hpp"
#include "tests/support/words.hpp"
#include "vaecuda/config.hpp"

namespace vaecuda::test {

[[nodiscard]] ProgramResult run_tool(const Words& words, const ProgramOptions& options = {});

/// Runs a command on the CPU and requires success; gives its document.
nlohmann::json tool_json(const Words& words);

/// Runs a command on the CPU, which must fail so, with nothing on stdout and `part` in the message.
void check_tool_refuses(const Words& words, int exit_code, std::string_view part);

/// A model of `data` trained for a moment on the CPU; gives its path inside `dir`. `change` sets what differs
/// from 8 hidden units, 2 latents and 60 steps.
[[nodiscard]] std::string train_small(const std::filesystem::path& dir, const std::string& data,
                                      const std::function<void(RunConfig&)>& change = {});

}  // namespace vaecuda::test
