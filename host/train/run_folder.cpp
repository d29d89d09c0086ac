#include "host/train/run_folder.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <span>
#include <system_error>
#include <vector>

#include "host/config/scopes.hpp"
#include "host/io/atomic_file.hpp"
#include "host/io/folder.hpp"
#include "host/io/output_descriptor.hpp"
#include "host/io/path_links.hpp"
#include "host/io/seekable_bytes.hpp"
#include "host/model/json_writer.hpp"
#include "host/train/run_files.hpp"
#include "host/train/run_replacement.hpp"
#include "vaecuda/error.hpp"
#include "vaecuda/output.hpp"

namespace vaecuda {
namespace {

namespace fs = std::filesystem;

constexpr const char* kState = "state.safetensors";
constexpr const char* kLastModel = "last.safetensors";
constexpr const char* kBestModel = "model.safetensors";

double unix_seconds() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

/// A line's numbers, which go to metrics.jsonl and to the event file.
class LineWriter {
 public:
  void terms(const LossTerms& terms, const std::string& group) {
    number(group, "loss", terms.loss);
    number(group, "reconstruction", terms.reconstruction);
    number(group, "kl", terms.kl);
  }
  void quantization(const LossTerms& terms, const std::string& group) {
    if (!terms.quantization) return;
    number(group, "quantization_error", terms.quantization->error);
    number(group, "perplexity", terms.quantization->perplexity);
    number(group, "least_perplexity", terms.quantization->least_perplexity);
  }
  void latents(const LossTerms& terms, const std::string& group) {
    if (!terms.latents) return;
    json.member("active_units", terms.latents->active_units);
    json.array("kl_per_latent", terms.latents->kl);
    scalars.push_back({group + "active_units", static_cast<float>(terms.latents->active_units)});
  }
  void number(const std::string& group, const char* name, double value) {
    json.member(name, value);
    scalars.push_back({group + name, static_cast<float>(value)});
  }

  JsonWriter json;
  std::vector<Scalar> scalars;
};

void remove_left_overs(const Folder& folder) {
  for (const std::string& name : folder.names()) {
    if (is_left_over(name)) folder.remove(name);
  }
}

[[noreturn]] void refuse_to_replace(const fs::path& dir, const std::string& file) {
  throw ConfigError(
      fmt::format("--out {}: this folder already holds a run ({}); name another folder, or replace the run "
                  "with --overwrite",
                  dir.string(), file));
}

/// How a line of metrics.jsonl begins: step is its first key.
constexpr std::string_view kLineStart = R"({"step":)";

/// Gives the lines of a file one after the other, without their ends.
class LineReader {
 public:
  explicit LineReader(const Place& place) : file_(open_bytes(place)) {}

  /// False at the end; what follows the last line's end is no line.
  bool next(std::string& line) {
    line.clear();
    for (;;) {
      const std::string_view ahead = std::string_view(block_).substr(at_);
      const std::size_t end = ahead.find('\n');
      line += ahead.substr(0, end);
      if (end != std::string_view::npos) {
        at_ += end + 1;
        return true;
      }
      if (read_ == file_->size()) return false;
      at_ = 0;
      block_.resize(static_cast<std::size_t>(std::min(kBlockBytes, file_->size() - read_)));
      file_->read(read_, std::as_writable_bytes(std::span(block_)));
      read_ += static_cast<std::int64_t>(block_.size());
    }
  }

 private:
  static constexpr std::int64_t kBlockBytes = std::int64_t{1} << 16;
  std::unique_ptr<SeekableBytes> file_;
  std::string block_;
  std::size_t at_ = 0;     ///< in the block
  std::int64_t read_ = 0;  ///< of the file
};

/// Where the lines that stay end, and the last of them. A line without its end is not kept.
std::int64_t kept_bytes(const Place& metrics, const std::function<bool(std::int64_t)>& keeps,
                        std::string& last) {
  LineReader lines(metrics);
  std::int64_t kept = 0;
  for (std::string line; lines.next(line);) {
    std::int64_t step = 0;
    if (!line.starts_with(kLineStart)) break;
    const char* end = line.data() + line.size();
    if (std::from_chars(line.data() + kLineStart.size(), end, step).ec != std::errc{} || !keeps(step)) break;
    kept += static_cast<std::int64_t>(line.size()) + 1;
    last.swap(line);
  }
  return kept;
}

/// The event file to continue, its half record cut off; empty where there is none. A file that was killed
/// before its first record is removed.
std::string last_event_file(const std::shared_ptr<const Folder>& folder) {
  std::string last;
  for (const std::string& name : event_files(*folder)) {
    const Place place(folder, name);
    cut_event_file(place, [](std::int64_t) { return true; });
    if (open_bytes(place)->size() > 0) {
      last = name;
    } else {
      folder->remove(name);
    }
  }
  return last;
}

double seconds_of(const std::string& line) {
  constexpr std::string_view kKey = R"("seconds":)";
  const std::size_t at = line.find(kKey);
  double seconds = 0.0;
  if (at == std::string::npos) return seconds;
  const auto [end, error] =
      std::from_chars(line.data() + at + kKey.size(), line.data() + line.size(), seconds);
  return error == std::errc{} && std::isfinite(seconds) ? seconds : 0.0;
}

}  // namespace

void RunFolder::check_free(const fs::path& dir, bool overwrite) {
  std::error_code error;
  const fs::file_status status = fs::status(dir, error);
  if (!fs::exists(status)) return;
  if (!fs::is_directory(status)) {
    throw ConfigError(fmt::format("--out {}: this is a file; name a folder", dir.string()));
  }
  if (overwrite) return;
  for (const char* name : run_files()) {
    if (fs::exists(dir / name, error)) refuse_to_replace(dir, name);
  }
  for (const char* name : run_pages()) {
    if (!fs::is_regular_file(dir / name, error)) continue;
    throw ConfigError(
        fmt::format("--out {}: this folder holds {}, which is no run's and would be replaced; name another "
                    "folder, move the file, or replace it with --overwrite",
                    dir.string(), name));
  }
}

void RunFolder::check_inputs(const RunConfig& config) {
  const fs::path dir = config.output.dir;
  std::vector<NamedFile> outputs;
  for (const auto names : {run_files(), run_pages()}) {
    for (const char* name : names) outputs.push_back({"--out", (dir / name).string()});
  }
  const DataConfig& data = config.data;
  std::vector<NamedFile> inputs = {{"--data", data.train.path},
                                   {"--labels", data.train.labels_path},
                                   {"--test", data.test_path},
                                   {"--valid", data.valid_path},
                                   {"--init-from", config.train.init_from}};
  // Of a folder the files with a data set's names are read, which are not those of a run.
  std::error_code error;
  std::erase_if(inputs, [&error](const NamedFile& file) { return fs::is_directory(file.path, error); });
  require_other_files(outputs, inputs);
}

std::shared_ptr<const Folder> RunFolder::hold(const fs::path& dir) {
  auto folder = std::make_shared<const Folder>(dir);
  folder->lock();
  return folder;
}

std::optional<Place> RunFolder::find_state(const std::shared_ptr<const Folder>& held) {
  Place state = find_run_file(held, kState);
  if (!state.folder()->holds(kState)) return std::nullopt;
  return state;
}

void RunFolder::require_unsaved(const std::shared_ptr<const Folder>& held) {
  const std::vector<std::string> names = held->names();
  const bool was_begun = std::any_of(names.begin(), names.end(), [](const std::string& name) {
    return is_left_over(name) && name.starts_with(kState);
  });
  if (was_begun) return;
  for (const char* model : {kLastModel, kBestModel}) {
    if (!find_run_file(held, model).folder()->holds(model)) continue;
    const std::string dir = held->path().string();
    throw FileError(
        fmt::format("{0}: {1}, from which a run resumes, is missing, but {2} exists: training from the start "
                    "would replace it. Restore {1}; or start from the model (--init-from {0}/{2} --out "
                    "OTHER), or repeat the run (--config {0}/config.toml --out OTHER)",
                    dir, kState, model));
  }
}

void RunFolder::begin_checkpoint() {
  if (!files_->holds(kState)) write_file_atomically(place(kFirstMark), std::string_view());
}

void RunFolder::end_checkpoint() {
  const bool is_part = !files_->holds(kState) && (files_->holds(kLastModel) || files_->holds(kBestModel));
  if (files_->holds(kFirstMark) && !is_part) files_->remove(kFirstMark);
}

Place RunFolder::last_model(const std::shared_ptr<const Folder>& held) {
  return find_run_file(held, kLastModel);
}

RunFolder::RunFolder(const RunConfig& config, Start start, std::shared_ptr<const Folder> held)
    : folder_(std::move(held)) {
  const fs::path dir = config.output.dir;
  if (start == Start::fresh) {
    check_free(dir, config.output.overwrite);
    std::error_code error;
    fs::create_directories(dir, error);
    if (error)
      throw RuntimeError(
          fmt::format("{}: the output folder cannot be made: {}", dir.string(), error.message()));
  }
  if (!folder_) folder_ = hold(dir);
  finish_replacement(*folder_);
  files_ = folder_;
  remove_left_overs(*folder_);
  if (start == Start::fresh) {
    const std::string found = first_run_file(*folder_);
    // Another process may have begun and ended its run here since the first look.
    if (!found.empty() && !config.output.overwrite) refuse_to_replace(dir, found);
    if (!found.empty()) {
      files_ = begin_replacement(*folder_);
    } else if (config.output.overwrite) {
      for (const std::string& name : files_of_run(*folder_)) folder_->remove(name);
    }
  }
  write_config(config);
  metrics_.emplace(place("metrics.jsonl"));
  const std::string events = start == Start::resume ? last_event_file(files_) : std::string();
  if (events.empty()) {
    events_.emplace(files_, unix_seconds());
  } else {
    events_.emplace(place(events));
  }
}

void RunFolder::take_place() {
  if (!is_growing()) return;
  replace_run(*folder_);
  files_ = folder_;
}

void RunFolder::write_config(const RunConfig& config) {
  RunConfig repeatable = config;
  repeatable.output.overwrite = false;  // repeating the run must not replace it without a word
  write_file_atomically(place("config.toml"), to_toml(repeatable));
}

double RunFolder::cut_back(const std::function<bool(std::int64_t)>& keeps) {
  const Place metrics = place("metrics.jsonl");
  std::string last;
  OutputDescriptor file(metrics, O_WRONLY);
  file.truncate(kept_bytes(metrics, keeps, last));
  file.sync();
  file.close();
  for (const std::string& name : event_files(*files_)) cut_event_file(place(name), keeps);
  return last.empty() ? 0.0 : seconds_of(last);
}

void RunFolder::log(const MetricsLine& line) {
  LineWriter writer;
  JsonWriter& json = writer.json;
  json.open_object();
  json.member("step", line.step);
  json.member("epoch", line.epoch);
  writer.terms(line.loss, "train/");
  writer.number("train/", "gradient_norm", line.gradient_norm);
  writer.number("train/", "lr", line.lr);
  writer.number("train/", "kl_weight", line.loss_weight);
  json.member("seconds", line.seconds);
  writer.number("train/", "samples_per_second", line.samples_per_second);
  writer.quantization(line.loss, "train/");
  if (line.valid) {
    json.key("valid");
    json.open_object();
    writer.terms(*line.valid, "valid/");
    writer.quantization(*line.valid, "valid/");
    writer.latents(*line.valid, "valid/");
    json.close_object();
  }
  if (line.skipped > 0) json.member("skipped", line.skipped);
  json.close_object();
  metrics_->append(json.take() + "\n");
  events_->add_scalars(writer.scalars, line.step, unix_seconds());
}

void RunFolder::sync_logs() {
  metrics_->sync();
  events_->sync();
}

void RunFolder::close_logs() {
  sync_logs();
  metrics_->close();
  events_->close();
}

void RunFolder::add_image(const std::string& tag, const EncodedImage& image, std::int64_t step) {
  events_->add_image(tag, image, step, unix_seconds());
}

RunConfig load_run_config(const std::string& dir) {
  const std::string path = find_run_file(fs::path(dir), "config.toml").string();
  if (!fs::exists(path)) {
    throw FileError(fmt::format("{}: holds no run: config.toml is missing; name the folder of a run", dir));
  }
  refuse_pipes(dir);
  refuse_pipes(fs::path(path).parent_path());
  RunConfig config = config::load_kept_config(path);
  config.output.dir = dir;
  return config;
}

}  // namespace vaecuda
