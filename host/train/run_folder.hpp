// The folder of a run: which files it holds, and that no earlier run is lost by accident.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "host/io/append_file.hpp"
#include "host/io/folder_lock.hpp"
#include "host/report/tensorboard.hpp"
#include "vaecuda/config.hpp"
#include "vaecuda/trainer.hpp"

namespace vaecuda {

/// One line of metrics.jsonl: what was measured over some steps up to `step`.
struct MetricsLine {
  std::int64_t step = 0;
  double epoch = 0.0;  ///< step·B / N
  LossTerms loss;      ///< mean over the steps since the last line
  double gradient_norm = 0.0;
  double lr = 0.0;
  double kl_weight = 0.0;  ///< β, or the weight of what a model has in the KL's place
  double seconds = 0.0;
  double samples_per_second = 0.0;
  std::optional<LossTerms> valid;  ///< on the lines at an epoch's end
  std::int64_t skipped = 0;        ///< steps left out since the run began; 0 is not written
};

/// Creates the folder, writes into it, and knows its file names. Errors are RuntimeErrors naming the path.
class RunFolder {
 public:
  /// Throws ConfigError if the folder holds a run and `overwrite` is not set, or if the path is no folder.
  /// Writes nothing.
  static void check_free(const std::filesystem::path& dir, bool overwrite);

  /// Makes the folder, removes an earlier run's files where that was asked for, writes config.toml. With
  /// Start::resume the folder has to be there, and only what a killed run left half done is removed.
  /// \throws ConfigError as check_free, and if another process is training in this folder
  explicit RunFolder(const RunConfig& config, Start start = Start::fresh);

  /// Cuts metrics.jsonl and the event files back to before the first line or event whose step `keeps`
  /// refuses. Gives the training seconds of the last line that is left, 0 where there is none.
  double cut_back(const std::function<bool(std::int64_t)>& keeps);
  void log(const MetricsLine& line);
  void add_image(const std::string& tag, const Image& image, std::int64_t step);

  [[nodiscard]] std::filesystem::path best_model() const { return dir_ / "model.safetensors"; }
  [[nodiscard]] std::filesystem::path last_model() const { return dir_ / "last.safetensors"; }
  [[nodiscard]] std::filesystem::path state() const { return dir_ / "state.safetensors"; }
  [[nodiscard]] std::filesystem::path picture(const std::string& name) const {
    return dir_ / (name + ".png");
  }

  /// Returns when all lines, records and pictures so far are on the disk.
  void sync_logs();
  /// At the end of the run: nothing may follow.
  void close_logs();

 private:
  void write_config(const RunConfig& config);

  std::filesystem::path dir_;
  std::optional<FolderLock> lock_;
  std::optional<AppendFile> metrics_;
  std::optional<EventFile> events_;
};

}  // namespace vaecuda
