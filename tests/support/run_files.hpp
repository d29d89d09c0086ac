// What a run leaves in its folder, as tests compare it.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace vaecuda::test {

inline std::string read_bytes(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline std::vector<nlohmann::json> lines_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::vector<nlohmann::json> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(nlohmann::json::parse(line));
  return lines;
}

/// All that is the same in every run of one configuration: models, state, metrics without times, and the
/// length of the event files, whose records have the same sizes at any time of day. Two runs agree if these
/// do.
struct RunFiles {
  std::string model;
  std::string last;
  std::string state;
  std::vector<nlohmann::json> metrics;
  std::uintmax_t event_bytes = 0;
  std::size_t files = 0;

  explicit RunFiles(const std::filesystem::path& dir)
      : model(read_bytes(dir / "model.safetensors")),
        last(read_bytes(dir / "last.safetensors")),
        state(read_bytes(dir / "state.safetensors")),
        metrics(lines_of(dir / "metrics.jsonl")) {
    for (nlohmann::json& line : metrics) {
      line.erase("seconds");
      line.erase("samples_per_second");
    }
    for (const auto& entry : std::filesystem::directory_iterator(dir)) {
      ++files;
      if (entry.path().filename().string().starts_with("events.out.")) event_bytes += entry.file_size();
    }
  }
  /// The first that differs, empty where none does.
  [[nodiscard]] std::string difference(const RunFiles& other) const {
    if (state.empty() || model.empty()) return "there is no model or no state";
    if (model != other.model) return "model.safetensors";
    if (last != other.last) return "last.safetensors";
    if (state != other.state) return "state.safetensors";
    if (metrics != other.metrics) return "metrics.jsonl";
    if (event_bytes != other.event_bytes) return "the event files";
    if (files != other.files) return "the number of files";
    return "";
  }
};

}  // namespace vaecuda::test
