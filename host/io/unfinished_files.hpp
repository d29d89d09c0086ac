// Which temporary files of this process are under construction, for handlers of signals
// (remove_unfinished_files of the public API).
#pragma once

#include <string>

namespace vaecuda {

/// Lists a file while it lives. There are 64 places; what finds none is not listed, and stays behind where a
/// signal ends the process.
class UnfinishedFile {
 public:
  /// `folder`: the descriptor of the file's folder, open for as long as this lives.
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
