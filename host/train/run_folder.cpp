#include "host/train/run_folder.hpp"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>
#include <system_error>

#include "host/io/atomic_file.hpp"
#include "vaecuda/error.hpp"

namespace vaecuda {
namespace {

namespace fs = std::filesystem;

/// The files by which a folder is known to hold a run, and what else a run leaves for a person.
constexpr std::array kRunFiles = {"config.toml", "metrics.jsonl", "model.safetensors", "last.safetensors"};
constexpr std::array kPictures = {"reconstructions.png", "samples.png", "manifold.png", "report.html"};

double unix_seconds() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

/// JSON has no NaN: a figure that is not finite is null.
nlohmann::ordered_json number(double value) {
  return std::isfinite(value) ? nlohmann::ordered_json(value) : nlohmann::ordered_json(nullptr);
}

void add_quantization(const LossTerms& terms, const std::string& group, nlohmann::ordered_json& json,
                      std::vector<Scalar>& scalars) {
  if (!terms.quantization) return;
  const QuantizationTerms& quantization = *terms.quantization;
  for (const auto& [name, value] :
       {std::pair{"quantization_error", quantization.error}, std::pair{"perplexity", quantization.perplexity},
        std::pair{"least_perplexity", quantization.least_perplexity}}) {
    json[name] = number(value);
    scalars.push_back({group + name, static_cast<float>(value)});
  }
}

void remove_run(const fs::path& dir) {
  const auto remove = [](const fs::path& path) {
    std::error_code error;
    fs::remove(path, error);
    if (error) throw RuntimeError(fmt::format("{}: cannot be removed: {}", path.string(), error.message()));
  };
  for (const char* name : kRunFiles) remove(dir / name);
  for (const char* name : kPictures) remove(dir / name);
  for (const auto& entry : fs::directory_iterator(dir)) {
    if (entry.path().filename().string().starts_with("events.out.tfevents.")) remove(entry.path());
  }
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
  for (const char* name : kRunFiles) {
    if (fs::exists(dir / name, error)) {
      throw ConfigError(fmt::format(
          "--out {}: this folder already holds a run ({}); name another folder, or replace the run "
          "with --overwrite",
          dir.string(), name));
    }
  }
}

RunFolder::RunFolder(const RunConfig& config) : dir_(config.output.dir) {
  check_free(dir_, config.output.overwrite);
  std::error_code error;
  fs::create_directories(dir_, error);
  if (error)
    throw RuntimeError(
        fmt::format("{}: the output folder cannot be made: {}", dir_.string(), error.message()));
  if (config.output.overwrite) remove_run(dir_);
  RunConfig repeatable = config;
  repeatable.output.overwrite = false;  // repeating the run must not replace it without a word
  write_file_atomically(dir_ / "config.toml", to_toml(repeatable));
  metrics_.emplace(dir_ / "metrics.jsonl");
  events_.emplace(dir_, unix_seconds());
}

void RunFolder::log(const MetricsLine& line) {
  nlohmann::ordered_json json = {
      {"step", line.step},
      {"epoch", number(line.epoch)},
      {"loss", number(line.loss.loss)},
      {"reconstruction", number(line.loss.reconstruction)},
      {"kl", number(line.loss.kl)},
      {"gradient_norm", number(line.gradient_norm)},
      {"lr", number(line.lr)},
      {"kl_weight", number(line.kl_weight)},
      {"seconds", number(line.seconds)},
      {"samples_per_second", number(line.samples_per_second)},
  };
  std::vector<Scalar> scalars = {
      {"train/loss", static_cast<float>(line.loss.loss)},
      {"train/reconstruction", static_cast<float>(line.loss.reconstruction)},
      {"train/kl", static_cast<float>(line.loss.kl)},
      {"train/gradient_norm", static_cast<float>(line.gradient_norm)},
      {"train/lr", static_cast<float>(line.lr)},
      {"train/kl_weight", static_cast<float>(line.kl_weight)},
      {"train/samples_per_second", static_cast<float>(line.samples_per_second)},
  };
  add_quantization(line.loss, "train/", json, scalars);
  if (line.valid) {
    json["valid"] = {{"loss", number(line.valid->loss)},
                     {"reconstruction", number(line.valid->reconstruction)},
                     {"kl", number(line.valid->kl)}};
    add_quantization(*line.valid, "valid/", json["valid"], scalars);
    scalars.push_back({"valid/loss", static_cast<float>(line.valid->loss)});
    scalars.push_back({"valid/reconstruction", static_cast<float>(line.valid->reconstruction)});
    scalars.push_back({"valid/kl", static_cast<float>(line.valid->kl)});
  }
  metrics_->append(json.dump() + "\n");
  events_->add_scalars(scalars, line.step, unix_seconds());
}

void RunFolder::add_image(const std::string& tag, const Image& image, std::int64_t step) {
  events_->add_image(tag, image, step, unix_seconds());
}

}  // namespace vaecuda
