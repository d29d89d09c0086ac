// Where paths lead that have links in them.
#pragma once

#include <filesystem>
#include <span>
#include <string_view>
#include <system_error>

namespace vaecuda {

struct NamedFile;  // vaecuda/output.hpp

/// `path` with the links at its end followed, also where the last of them leads to nothing: the file that
/// writing to `path` makes or replaces. \throws filesystem_error for a ring of links
[[nodiscard]] std::filesystem::path follow_links(std::filesystem::path path);

/// The path from the root, without "." and "..": where one follows a link it means the folder above that to
/// which the link leads, as everywhere in the system. Other links stay as they are.
[[nodiscard]] std::filesystem::path absolute_path(const std::filesystem::path& path);

/// True if both are one regular file, by whatever spelling or link, or would be if they were written.
[[nodiscard]] bool is_same_file(const std::filesystem::path& one, const std::filesystem::path& other);

/// As require_separate_files, but for what runs keep. `consequence`: of an output that is an input.
void require_other_files(std::span<const NamedFile> outputs, std::span<const NamedFile> inputs,
                         std::string_view consequence = "what is read would be replaced");

}  // namespace vaecuda
