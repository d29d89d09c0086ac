// One writer a folder.
#pragma once

#include <filesystem>

namespace vaecuda {

/// Held as long as it lives; the system gives it back when the process ends, however it ends. Leaves no file.
/// Where the file system knows no locks it does nothing.
class FolderLock {
 public:
  /// \throws ConfigError if another process holds the folder
  explicit FolderLock(const std::filesystem::path& folder);
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;
  ~FolderLock();

 private:
  int descriptor_ = -1;
};

}  // namespace vaecuda
