// Outputs of the commands: a picture or rows, and one line or document that reports them.
#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "vae_cuda/request.hpp"

namespace vaecuda::tool {

/// Reports the result: `line` as a message, or `document` on stdout with --json.
void report(const cli::Arguments& arguments, cli::Console& console, const std::string& line,
            const nlohmann::ordered_json& document);

/// Writes rows in data units to --out, as a sheet `cells_across` cells wide (0: about square) or as an array,
/// and reports it. `document` gets the path, the number of rows and their columns.
void write_result(const cli::Arguments& arguments, cli::Console& console, const ModelInfo& model,
                  std::span<const float> rows, std::int64_t cells_across, nlohmann::ordered_json document);

/// A table's header for latents: z0, z1, …
[[nodiscard]] std::vector<std::string> latent_names(const ModelInfo& model, std::string_view prefix);

}  // namespace vaecuda::tool
