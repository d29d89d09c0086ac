// Resolving links in paths.
#pragma once

#include <filesystem>
#include <span>
#include <string_view>
#include <system_error>

namespace vaecuda {

struct NamedFile;  // vaecuda/output.hpp

/// `path` with the links at its end followed, also if the last one is dangling: the file that writing to
/// `path` creates or replaces. \throws filesystem_error for a cycle of links
[[nodiscard]] std::filesystem::path follow_links(std::filesystem::path path);

/// The absolute path, without "." and "..": ".." after a link is the parent of the link's target, as in
/// system calls. Other links are kept.
[[nodiscard]] std::filesystem::path absolute_path(const std::filesystem::path& path);

/// True if both are the same regular file, through any spelling or link, or would be after writing.
[[nodiscard]] bool is_same_file(const std::filesystem::path& one, const std::filesystem::path& other);

/// As require_separate_files, but without the check for files of runs. `consequence`: text for an output that
/// is an input.
void require_other_files(std::span<const NamedFile> outputs, std::span<const NamedFile> inputs,
                         std::string_view consequence = "what is read would be replaced");

}  // namespace vaecuda
