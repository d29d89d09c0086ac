#include "host/train/run_replacement.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>
#include <vector>

#include "host/train/run_files.hpp"
#include "vaecuda/error.hpp"

namespace vaecuda {
namespace {

namespace fs = std::filesystem;

constexpr const char* kGrowing = ".new-run";
constexpr const char* kNext = ".next-run";
/// Is moved first: as long as it is in kNext, nothing was moved.
constexpr const char* kFirst = "config.toml";

/// \throws RuntimeError where something else has the name
void require_folder(const Folder& run, const char* name) {
  std::error_code error;
  const fs::path path = run.path_now() / name;
  if (!fs::exists(path, error) || fs::is_directory(path, error)) return;
  throw RuntimeError(fmt::format(
      "'{}' is not a folder, but a run that replaces another needs a folder of this name; rename or "
      "remove it, or choose another folder for the run",
      path.string()));
}

/// With what it holds, which is files alone.
void remove_hidden(const Folder& run, const char* name) {
  if (!run.holds(name)) return;
  require_folder(run, name);
  {
    const Folder hidden(run, name);
    for (const std::string& file : hidden.names()) hidden.remove(file);
  }
  run.remove_folder(name);
}

void remove_all_but(const Folder& run, const std::vector<std::string>& names) {
  for (const std::string& name : files_of_run(run)) {
    if (!std::binary_search(names.begin(), names.end(), name)) run.remove(name);
  }
}

}  // namespace

bool has_broken_replacement(const Folder& run) {
  return run.holds(kGrowing);
}

bool has_open_replacement(const fs::path& run) {
  std::error_code error;
  return fs::exists(run / kNext, error);
}

std::shared_ptr<const Folder> begin_replacement(const Folder& run) {
  run.make_folder(kGrowing);
  return std::make_shared<const Folder>(run, kGrowing);
}

void replace_run(const Folder& run) {
  // What it holds is on the disk since the checkpoint was.
  run.rename(kGrowing, run, kNext);
  run.sync();
  finish_replacement(run);
}

void finish_replacement(const Folder& run) {
  remove_hidden(run, kGrowing);
  if (!run.holds(kNext)) return;
  require_folder(run, kNext);
  const Folder next(run, kNext);
  const std::vector<std::string> names = next.names();
  if (next.holds(kFirst)) {
    remove_all_but(run, names);
    run.sync();
    next.rename(kFirst, run, kFirst);
    run.sync();
  }
  for (const std::string& name : names) {
    if (name != kFirst) next.rename(name, run, name);
  }
  run.sync();
  run.remove_folder(kNext);
  run.sync();
}

Place find_run_file(const std::shared_ptr<const Folder>& run, const std::string& name) {
  if (run->holds(kNext)) {
    require_folder(*run, kNext);
    auto next = std::make_shared<const Folder>(*run, kNext);
    if (next->holds(name)) return {std::move(next), name};
  }
  return {run, name};
}

fs::path find_run_file(const fs::path& run, const std::string& name) {
  std::error_code error;
  fs::path next = run / kNext / name;
  return fs::exists(next, error) ? next : run / name;
}

}  // namespace vaecuda
