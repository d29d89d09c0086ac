#include "host/train/run_files.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "host/report/tensorboard.hpp"

namespace vaecuda {
namespace {

constexpr std::array kRunFiles = {"state.safetensors", "config.toml", "metrics.jsonl", "model.safetensors",
                                  "last.safetensors"};
/// What else a run leaves, for a person.
constexpr std::array kPages = {"reconstructions.png", "samples.png", "manifold.png", "report.html"};

}  // namespace

std::span<const char* const> run_files() {
  return kRunFiles;
}

std::span<const char* const> run_pages() {
  return kPages;
}

std::span<const char* const> run_pictures() {
  return std::span(kPages).first(kPages.size() - 1);
}

std::string first_run_file(const Folder& folder) {
  const auto* const found = std::find_if(kRunFiles.begin(), kRunFiles.end(),
                                         [&folder](const char* name) { return folder.holds(name); });
  return found == kRunFiles.end() ? std::string() : *found;
}

bool is_left_over(const std::string& name) {
  constexpr std::string_view kEnd = ".tmp";
  const auto writes = [&](std::string_view file) {
    if (!name.starts_with(file) || !name.ends_with(kEnd) || name.size() < file.size() + kEnd.size() + 2)
      return false;
    const std::string_view mark = std::string_view(name).substr(file.size());
    const std::string_view writer = mark.substr(1, mark.size() - 1 - kEnd.size());
    return mark.front() == '.' && writer.find_first_not_of("0123456789-") == std::string_view::npos;
  };
  return name == kFirstMark || writes(kFirstMark) ||
         std::any_of(kRunFiles.begin(), kRunFiles.end(), writes) ||
         std::any_of(kPages.begin(), kPages.end(), writes);
}

std::vector<std::string> files_of_run(const Folder& folder) {
  std::vector<std::string> files(kRunFiles.begin(), kRunFiles.end());
  files.insert(files.end(), kPages.begin(), kPages.end());
  std::erase_if(files, [&folder](const std::string& name) { return !folder.holds(name); });
  for (std::string& name : folder.names()) {
    if (is_left_over(name)) files.push_back(std::move(name));
  }
  for (std::string& name : event_files(folder)) files.push_back(std::move(name));
  return files;
}

}  // namespace vaecuda
