#include "host/io/folder_listing.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string_view>

#include "vaecuda/error.hpp"

namespace vaecuda {
namespace {

/// `stream`: null after an error, with errno set; it is always closed.
std::vector<std::string> names_of(DIR* stream, std::error_code& error) {
  error.clear();
  std::vector<std::string> names;
  const std::unique_ptr<DIR, int (*)(DIR*)> open(stream, &closedir);
  const auto fail = [&error] { error = std::error_code(errno, std::generic_category()); };
  if (!open) {
    fail();
    return names;
  }
  for (;;) {
    errno = 0;  // the end of the folder does not set it, an error does
    const dirent* entry = readdir(open.get());
    if (entry == nullptr) break;
    const std::string_view name(entry->d_name);
    if (name != "." && name != "..") names.emplace_back(name);
  }
  if (errno != 0) fail();
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

std::vector<std::string> list_folder(const std::filesystem::path& folder, std::error_code& error) {
  return names_of(opendir(folder.c_str()), error);
}

std::vector<std::string> list_folder(int descriptor, std::error_code& error) {
  // Opens the folder again, because a descriptor has only one position in its list of names.
  const int own = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* const stream = own < 0 ? nullptr : fdopendir(own);
  if (own >= 0 && stream == nullptr) {
    error = std::error_code(errno, std::generic_category());
    close(own);
    return {};
  }
  return names_of(stream, error);
}

void refuse_pipes(const std::filesystem::path& folder) {
  namespace fs = std::filesystem;
  std::error_code error;
  for (const std::string& name : list_folder(folder, error)) {
    const fs::file_status status = fs::status(folder / name, error);
    if (!fs::exists(status) || fs::is_regular_file(status) || fs::is_directory(status)) continue;
    throw FileError(
        fmt::format("{}: is a pipe or a device; the folder of a run holds files and folders alone: remove it",
                    (folder / name).string()));
  }
}

}  // namespace vaecuda
