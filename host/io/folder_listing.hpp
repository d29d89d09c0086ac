// The names in a folder.
#pragma once

#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

namespace vaecuda {

/// All names except . and .., sorted, so that nothing depends on the order of the file system. `error` is
/// set, and the names are incomplete, if the folder cannot be read. Used instead of std::filesystem's
/// iterators, which end the process if memory is short. \throws std::bad_alloc
[[nodiscard]] std::vector<std::string> list_folder(const std::filesystem::path& folder,
                                                   std::error_code& error);
/// The same for a folder that is open as `descriptor`, which is left unchanged.
[[nodiscard]] std::vector<std::string> list_folder(int descriptor, std::error_code& error);

/// \throws FileError naming an entry of the folder that is neither a file nor a folder (links are followed):
/// reading would wait for a pipe, and never end for a device.
void refuse_pipes(const std::filesystem::path& folder);

}  // namespace vaecuda
