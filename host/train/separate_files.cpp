// What may be written where: on no other output, on nothing that is read, and on no file of a run.
#include <set>
#include <system_error>

#include "host/io/path_links.hpp"
#include "host/report/tensorboard.hpp"
#include "host/train/run_files.hpp"
#include "vaecuda/output.hpp"

namespace vaecuda {
namespace {

namespace fs = std::filesystem;

/// Of the file that writing to the path makes or replaces.
fs::path folder_of(const std::string& path) {
  fs::path target = path;
  try {
    target = follow_links(target);
  } catch (const fs::filesystem_error&) {
    // Whoever opens it says what is wrong.
  }
  return target.has_parent_path() ? target.parent_path() : fs::path(".");
}

std::vector<std::string> event_files_in(const fs::path& folder) {
  try {
    return event_files(Folder(folder, folder));
  } catch (const RuntimeError&) {
    return {};  // a folder that may not be listed
  }
}

/// Models and a configuration of a person's may have a run's names, metrics beside them hardly.
bool holds_run(const fs::path& folder) {
  std::error_code error;
  return fs::exists(folder / "config.toml", error) && fs::exists(folder / "metrics.jsonl", error);
}

}  // namespace

void require_no_file_of_run(const fs::path& folder, std::span<const NamedFile> outputs) {
  std::vector<NamedFile> files;
  std::error_code error;
  const auto keep = [&](const char* what, const fs::path& path) {
    if (fs::exists(path, error)) files.push_back({what, path.string()});
  };
  for (const char* name : run_files()) keep("the run's file", folder / name);
  for (const char* name : run_pictures()) keep("the run's picture", folder / name);
  for (const std::string& name : event_files_in(folder)) keep("the run's event file", folder / name);
  require_other_files(outputs, files, "the run would lose it");
}

void require_separate_files(std::span<const NamedFile> outputs, std::span<const NamedFile> inputs) {
  require_other_files(outputs, inputs);
  std::set<fs::path> folders;
  for (const std::span<const NamedFile> files : {outputs, inputs}) {
    for (const NamedFile& file : files) {
      if (!file.path.empty()) folders.insert(folder_of(file.path));
    }
  }
  for (const fs::path& folder : folders) {
    if (holds_run(folder)) require_no_file_of_run(folder, outputs);
  }
}

}  // namespace vaecuda
