// How a run takes the place of an older one in its folder (--overwrite).
//
// Files lie in the run's folder itself, beside files that are no run's, and the folder may be a link, a mount
// or the current one: it keeps its name and stays the same folder. The new run grows in a hidden folder in
// it. When it has a checkpoint, one rename says that it is the run from here on; then its files take their
// names. Whoever finds a process killed in between goes on with that: finish_replacement().
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "host/io/folder.hpp"

namespace vaecuda {

/// Whether a run that was to replace the one in this folder ended before its first checkpoint.
[[nodiscard]] bool has_broken_replacement(const Folder& run);
/// Whether a run that has replaced the one in this folder was killed before all of its files had their names.
[[nodiscard]] bool has_open_replacement(const std::filesystem::path& run);

/// The hidden folder, empty, in which the new run grows. The run's folder is locked, and nothing is left over
/// in it.
[[nodiscard]] std::shared_ptr<const Folder> begin_replacement(const Folder& run);
/// The new run has a checkpoint: takes the old one's place. What is open for writing stays open.
void replace_run(const Folder& run);
/// Ends what a killed process has left, or removes it where it had no checkpoint. The run's folder is locked.
void finish_replacement(const Folder& run);

/// Where a run's file is, also before finish_replacement().
[[nodiscard]] Place find_run_file(const std::shared_ptr<const Folder>& run, const std::string& name);
/// The same by path.
[[nodiscard]] std::filesystem::path find_run_file(const std::filesystem::path& run, const std::string& name);

}  // namespace vaecuda
