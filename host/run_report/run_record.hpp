// The record of a run, read from its folder.
#pragma once

#include <cstdint>
#include <filesystem>
#include <istream>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "vaecuda/config.hpp"
#include "vaecuda/trainer.hpp"

namespace vaecuda {

/// A line of metrics.jsonl. A figure that was not finite is NaN.
struct RecordLine {
  std::int64_t step = 0;
  double epoch = 0.0;
  LossTerms loss;
  double gradient_norm = 0.0;
  double lr = 0.0;
  double kl_weight = 0.0;
  double seconds = 0.0;
  std::optional<LossTerms> valid;
};

struct RunRecord {
  std::string name;  ///< of the folder
  RunConfig config;
  std::vector<RecordLine> lines;  ///< by ascending step; epochs do not decrease
  std::int64_t broken_lines = 0;  ///< lines that could not be read: for a killed run, the last one
  std::map<std::string, std::string> pictures;  ///< PNG files by their names in a run folder
};

/// Adds the lines of a metrics.jsonl, which may be arbitrary text, to a record.
void read_metrics(std::istream& file, RunRecord& run);
/// \throws FileError if `dir` is not a run's folder, or config.toml cannot be read
[[nodiscard]] RunRecord read_run(const std::filesystem::path& dir);

/// The mean over the steps of the epoch that the last line belongs to; none without lines.
[[nodiscard]] std::optional<LossTerms> last_epoch(const RunRecord& run);
/// The validation of the model that was saved as the best: the one with the lowest loss, in case of ties the
/// first.
[[nodiscard]] const RecordLine* best_line(const RunRecord& run);
/// Training rows per second between the line before `index` and this one; NaN if unknown.
[[nodiscard]] double rows_per_second(const RunRecord& run, std::size_t index);

}  // namespace vaecuda
