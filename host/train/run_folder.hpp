// The folder of a run: which files it holds, and that no earlier run is lost by accident.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "host/io/folder.hpp"
#include "host/io/output_descriptor.hpp"
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
  double loss_weight = 0.0;  ///< β, or the weight of what a model has in the KL's place
  double seconds = 0.0;
  double samples_per_second = 0.0;
  std::optional<LossTerms> valid;  ///< on the lines at an epoch's end
  std::int64_t skipped = 0;        ///< steps left out since the run began; 0 is not written
};

/// Creates the folder, writes into it, and knows its file names. The folder is held open and locked: where it
/// is renamed meanwhile, the run goes with it. Errors are RuntimeErrors naming the path.
class RunFolder {
 public:
  /// Throws ConfigError if the folder holds a run, or a file that a run would replace, and `overwrite` is not
  /// set, or if the path is no folder. Writes nothing.
  static void check_free(const std::filesystem::path& dir, bool overwrite);
  /// Throws ConfigError if what the run reads would be replaced by what it writes: rows would be lost, and
  /// config.toml would name the run's own model as its start.
  static void check_inputs(const RunConfig& config);

  /// Opens the folder of a run that is to be resumed and locks it: from here on what is read in it stays.
  /// \throws ConfigError if another process is training in it
  [[nodiscard]] static std::shared_ptr<const Folder> hold(const std::filesystem::path& dir);
  /// A run's state in its folder; nullopt where no checkpoint was saved yet.
  [[nodiscard]] static std::optional<Place> find_state(const std::shared_ptr<const Folder>& held);
  /// Of a run without a state: its first checkpoint was not reached, or not whole. \throws FileError where
  /// models say that it was, so that the state is lost and training anew would replace them
  static void require_unsaved(const std::shared_ptr<const Folder>& held);
  [[nodiscard]] static Place last_model(const std::shared_ptr<const Folder>& held);

  /// Makes the folder and writes config.toml. With config.output.overwrite a run that the folder holds stays
  /// until take_place(). With Start::resume the folder has to be there. What a killed process left half done
  /// is ended or removed. `held`: as hold() has opened it, or null. \throws ConfigError as check_free, and if
  /// another process is training in this folder
  RunFolder(const RunConfig& config, Start start, std::shared_ptr<const Folder> held);

  /// Cuts metrics.jsonl and the event files back to before the first line or event whose step `keeps`
  /// refuses. Gives the training seconds of the last line that is left, 0 where there is none.
  double cut_back(const std::function<bool(std::int64_t)>& keeps);
  void log(const MetricsLine& line);
  void add_image(const std::string& tag, const EncodedImage& image, std::int64_t step);

  [[nodiscard]] Place best_model() const { return place("model.safetensors"); }
  [[nodiscard]] Place last_model() const { return place("last.safetensors"); }
  [[nodiscard]] Place state() const { return place("state.safetensors"); }
  [[nodiscard]] Place picture(const std::string& name) const { return place(name + ".png"); }
  /// Where the folder is now: as the configuration names it, unless it was renamed.
  [[nodiscard]] std::filesystem::path path_now() const { return folder_->path_now(); }

  /// To be called before and after the files of a checkpoint are written, also where that fails: until the
  /// first is whole, a file says that it was begun, so that models without a state are known for a part of
  /// it.
  void begin_checkpoint();
  void end_checkpoint();

  /// Whether an older run is still in the folder, whose place this one takes in take_place().
  [[nodiscard]] bool is_growing() const { return files_ != folder_; }
  /// After a checkpoint that is worth it.
  void take_place();

  /// Returns when all lines, records and pictures so far are on the disk.
  void sync_logs();
  /// At the end of the run: nothing may follow.
  void close_logs();

 private:
  [[nodiscard]] Place place(std::string name) const { return {files_, std::move(name)}; }
  void write_config(const RunConfig& config);

  std::shared_ptr<const Folder> folder_;  ///< of the run, locked
  std::shared_ptr<const Folder> files_;   ///< where its files are: the same, or a hidden one in it
  std::optional<AppendFile> metrics_;
  std::optional<EventFile> events_;
};

}  // namespace vaecuda
