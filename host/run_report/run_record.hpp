// What the folder of a run says about it.
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
  std::vector<RecordLine> lines;  ///< ascending steps, epochs that do not fall
  std::int64_t broken_lines = 0;  ///< that could not be read: of a run that was killed, the last one
  std::map<std::string, std::string> pictures;  ///< PNG files by the names that training gives them
};

/// Adds the lines of a metrics.jsonl, whatever they are, to a record.
void read_metrics(std::istream& file, RunRecord& run);
/// \throws FileError if `dir` is no run's folder, or config.toml cannot be read
[[nodiscard]] RunRecord read_run(const std::filesystem::path& dir);

/// The mean over the steps of the epoch that the last line belongs to; none without lines.
[[nodiscard]] std::optional<LossTerms> last_epoch(const RunRecord& run);
/// The validation of the model that was saved as the best: that of the least loss, the first of equals.
[[nodiscard]] const RecordLine* best_line(const RunRecord& run);
/// Rows per second of training between the line before `index` and this one; NaN where that is not known.
[[nodiscard]] double rows_per_second(const RunRecord& run, std::size_t index);

}  // namespace vaecuda
