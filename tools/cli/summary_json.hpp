// The document of --json.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "vaecuda/trainer.hpp"

namespace vaecuda::cli {

/// A number, or null if it is not finite, which JSON cannot represent.
[[nodiscard]] nlohmann::ordered_json json_number(double value);
[[nodiscard]] nlohmann::ordered_json to_json(const LossTerms& terms);
[[nodiscard]] nlohmann::ordered_json to_json(const TrainSummary& summary);
/// One line of text. Bytes that are not UTF-8 (in a path) are replaced.
[[nodiscard]] std::string dump_line(const nlohmann::ordered_json& document);

}  // namespace vaecuda::cli
