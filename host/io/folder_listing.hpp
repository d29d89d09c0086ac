// The names in a folder.
#pragma once

#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

namespace vaecuda {

/// All but . and .., sorted, so that nothing depends on the order in which a file system lists them.
/// `error` is set, and the names are incomplete, if the folder cannot be read. In the place of
/// std::filesystem's iterators, which end the process where memory is short. \throws std::bad_alloc
[[nodiscard]] std::vector<std::string> list_folder(const std::filesystem::path& folder,
                                                   std::error_code& error);
/// The same of a folder that is open as `descriptor`, which stays as it is.
[[nodiscard]] std::vector<std::string> list_folder(int descriptor, std::error_code& error);

/// \throws FileError naming an entry of the folder that is neither a file nor a folder, links being followed:
/// a pipe would be waited for, and a device be read without end.
void refuse_pipes(const std::filesystem::path& folder);

}  // namespace vaecuda
