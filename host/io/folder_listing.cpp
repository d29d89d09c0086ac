#include "host/io/folder_listing.hpp"

#include <dirent.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string_view>

namespace vaecuda {

std::vector<std::string> list_folder(const std::filesystem::path& folder, std::error_code& error) {
  error.clear();
  std::vector<std::string> names;
  const std::unique_ptr<DIR, int (*)(DIR*)> open(opendir(folder.c_str()), &closedir);
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

}  // namespace vaecuda
