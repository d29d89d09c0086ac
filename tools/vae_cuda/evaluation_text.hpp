// The figures of an evaluation, as text and as JSON.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "vaecuda/vaecuda.hpp"

namespace vaecuda::tool {

/// The table on stdout.
[[nodiscard]] std::string evaluation_text(const Evaluation& evaluation, const ModelInfo& model,
                                          const std::string& data_name);

/// The document of --json. Figures that do not apply are left out.
[[nodiscard]] nlohmann::ordered_json evaluation_json(const Evaluation& evaluation, const ModelInfo& model);

}  // namespace vaecuda::tool
