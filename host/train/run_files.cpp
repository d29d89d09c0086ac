#include "host/train/run_files.hpp"

#include <algorithm>
#include <array>

#include "host/report/tensorboard.hpp"

namespace vaecuda {
namespace {

constexpr std::array kRunFiles = {"state.safetensors", "config.toml", "metrics.jsonl", "model.safetensors",
                                  "last.safetensors"};
/// What else a run leaves, for a person.
constexpr std::array kPictures = {"reconstructions.png", "samples.png", "manifold.png", "report.html"};

}  // namespace

std::span<const char* const> run_files() {
  return kRunFiles;
}

std::span<const char* const> run_pages() {
  return kPictures;
}

std::string first_run_file(const Folder& folder) {
  const auto* const found = std::find_if(kRunFiles.begin(), kRunFiles.end(),
                                         [&folder](const char* name) { return folder.holds(name); });
  return found == kRunFiles.end() ? std::string() : *found;
}

bool is_left_over(const std::string& name) {
  const auto begins = [&](const char* file) { return name.starts_with(std::string(file) + "."); };
  return name.ends_with(".tmp") && (std::any_of(kRunFiles.begin(), kRunFiles.end(), begins) ||
                                    std::any_of(kPictures.begin(), kPictures.end(), begins));
}

std::vector<std::string> files_of_run(const Folder& folder) {
  std::vector<std::string> files(kRunFiles.begin(), kRunFiles.end());
  files.insert(files.end(), kPictures.begin(), kPictures.end());
  std::erase_if(files, [&folder](const std::string& name) { return !folder.holds(name); });
  for (std::string& name : folder.names()) {
    if (is_left_over(name)) files.push_back(std::move(name));
  }
  for (std::string& name : event_files(folder)) files.push_back(std::move(name));
  return files;
}

}  // namespace vaecuda
