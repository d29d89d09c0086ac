// The figures of an evaluation, for persons and for programs.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "vaecuda/vaecuda.hpp"

namespace vaecuda::tool {

/// The table on stdout.
[[nodiscard]] std::string evaluation_text(const Evaluation& evaluation, const ModelInfo& model,
                                          const std::string& data_name);

/// The document of --json. What does not apply is left out.
[[nodiscard]] nlohmann::ordered_json evaluation_json(const Evaluation& evaluation, const ModelInfo& model);

}  // namespace vaecuda::tool
