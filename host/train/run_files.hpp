// The names of a run's files.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "host/io/folder.hpp"
#include "vaecuda/output.hpp"

namespace vaecuda {

/// Empty, beside models whose first checkpoint is not whole: a left-over by its name.
inline constexpr const char* kFirstMark = "state.safetensors.first.tmp";

/// Those by which a folder is known to hold a run. The state comes first: without it, what a removal that was
/// cut short leaves behind is no run that could go on.
[[nodiscard]] std::span<const char* const> run_files();
/// What else a run writes, for a person: pictures, and the report that shows them.
[[nodiscard]] std::span<const char* const> run_pages();
/// Those of run_pages() that the report shows.
[[nodiscard]] std::span<const char* const> run_pictures();
/// The first of run_files() that the folder has; empty where it holds no run.
[[nodiscard]] std::string first_run_file(const Folder& folder);
/// What a killed process was writing: one of a run's files, its process and a count
/// (host/io/atomic_file.hpp).
[[nodiscard]] bool is_left_over(const std::string& name);
/// Refuses outputs that are files of the run in the folder, by whatever spelling or link: all that it is
/// resumed, used and shown by. The report is none of them, which is made from the others. \throws ConfigError
void require_no_file_of_run(const std::filesystem::path& folder, std::span<const NamedFile> outputs);
/// All that a run may have left in the folder: its files, what it has for a person, and what is left over.
[[nodiscard]] std::vector<std::string> files_of_run(const Folder& folder);

}  // namespace vaecuda
