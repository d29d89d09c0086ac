// The temporary files that this process is writing, for signal handlers (remove_unfinished_files of the
// public API).
#pragma once

#include <string>

namespace vaecuda {

/// Lists a file during its lifetime. There are 64 slots; a file without a slot is not listed, and remains if
/// a signal ends the process.
class UnfinishedFile {
 public:
  /// `folder`: descriptor of the file's folder, which must stay open during the lifetime of this object.
  UnfinishedFile(int folder, const std::string& name);
  ~UnfinishedFile();
  UnfinishedFile(const UnfinishedFile&) = delete;
  UnfinishedFile& operator=(const UnfinishedFile&) = delete;

 private:
  struct Entry;
  friend struct UnfinishedPlaces;
  Entry* entry_;
};

}  // namespace vaecuda
