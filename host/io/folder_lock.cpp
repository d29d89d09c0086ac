#include "host/io/folder_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

#include "host/io/output_descriptor.hpp"
#include "vaecuda/error.hpp"

namespace vaecuda {

FolderLock::FolderLock(const std::filesystem::path& folder)
    : descriptor_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  if (descriptor_ < 0) throw_output_error("open", folder, errno);
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) return;
  ::close(descriptor_);
  throw ConfigError(fmt::format("{}: another process is training in this folder; wait for it or end it first",
                                folder.string()));
}

FolderLock::~FolderLock() {
  ::close(descriptor_);
}

}  // namespace vaecuda
