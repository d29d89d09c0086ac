// Memory for a data set: asked for once where its size is known, in blocks where it is not.
#pragma once

#include <algorithm>
#include <cstdint>
#include <exception>
#include <span>
#include <string>
#include <vector>

#include "host/data/message.hpp"

namespace vaecuda::data {

/// Reserves address space for `count` elements; pages become resident only as they are filled.
/// \throws OutOfMemoryError naming the file and the size.
template <class T>
void reserve_elements(std::vector<T>& values, std::int64_t count, const std::string& path) {
  try {
    values.reserve(static_cast<std::size_t>(count));
  } catch (const std::exception&) {  // bad_alloc, or length_error where no address space could hold it
    throw OutOfMemoryError(fmt::format(
        "{}: needs {} of memory for {}, which is not available; use fewer rows or a machine with more memory",
        path, readable_bytes(static_cast<double>(count) * static_cast<double>(sizeof(T))),
        counted(count, "element")));
  }
}

/// Elements whose number is known only at the end. Unlike a growing vector it never holds them twice: take()
/// gives each block back as soon as it has been copied.
template <class T>
class BlockList {
 public:
  void append(std::span<const T> values) {
    while (!values.empty()) {
      if (blocks_.empty() || blocks_.back().size() == kBlockElements) {
        blocks_.emplace_back();
        blocks_.back().reserve(kBlockElements);
      }
      std::vector<T>& block = blocks_.back();
      const std::span<const T> part = values.first(std::min(values.size(), kBlockElements - block.size()));
      block.insert(block.end(), part.begin(), part.end());
      values = values.subspan(part.size());
      size_ += static_cast<std::int64_t>(part.size());
    }
  }
  [[nodiscard]] std::int64_t size() const { return size_; }
  /// All elements in one vector; the list is empty afterwards. \throws OutOfMemoryError.
  std::vector<T> take(const std::string& path) {
    std::vector<T> all;
    reserve_elements(all, size_, path);
    for (std::vector<T>& block : blocks_) {
      all.insert(all.end(), block.begin(), block.end());
      block = std::vector<T>();
    }
    blocks_.clear();
    size_ = 0;
    return all;
  }

 private:
  // Larger than glibc's highest threshold for mmap (32 MiB), so that a freed block goes back to the system at
  // once; what is not filled of a block is never resident.
  static constexpr std::size_t kBlockElements = (std::size_t{40} << 20) / sizeof(T);
  std::vector<std::vector<T>> blocks_;
  std::int64_t size_ = 0;
};

}  // namespace vaecuda::data
