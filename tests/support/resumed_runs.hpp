// Small runs that stop after any step and go on in another one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "support/run_files.hpp"
#include "vaecuda/config.hpp"

namespace vaecuda::test {

inline constexpr std::int64_t kSteps = 50;

/// kSteps steps on 37 rows of 12 bytes, written to `dir`: an epoch of batches of 5 ends within a batch, seven
/// times.
[[nodiscard]] RunConfig small_run(const std::filesystem::path& dir);
/// A file of labels for these rows: three kinds, in turn.
[[nodiscard]] std::string write_labels(const std::filesystem::path& dir);

RunFiles train_at_once(RunConfig config, const std::filesystem::path& out);
/// Stops at the checkpoint after step k, as a signal does.
void train_until(RunConfig config, const std::filesystem::path& out, std::int64_t k);
/// Trains what is left of kSteps steps.
void resume(const std::filesystem::path& out);

}  // namespace vaecuda::test
