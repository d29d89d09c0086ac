// Pinned host memory, and the copies that are under way to and from it: a copy is done when the host has
// waited for it, and not before.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

namespace vaecuda::simt {

class PinnedMemory {
 public:
  [[nodiscard]] void* allocate(std::size_t bytes);
  /// \return false if it is no pinned block's first byte. Copies under way to it arrive before.
  bool release(void* memory);
  [[nodiscard]] bool contains(const void* address, std::size_t bytes) const;

  /// `host` will hold `bytes` of `device` after the wait; until then it holds rubbish.
  void begin_read(void* host, const void* device, std::size_t bytes);
  /// `host` has just been copied to the device and must stay as it is until the wait.
  void begin_write(const void* host, std::size_t bytes);
  /// Copies begun so far.
  [[nodiscard]] std::uint64_t begun() const { return begun_; }
  /// Ends the first `count` copies. \throws SimtError where the host has changed what was still being copied.
  void finish(std::uint64_t count);

 private:
  struct Copy {
    std::uint64_t number;
    unsigned char* host;
    bool to_host;
    std::vector<unsigned char> bytes;
  };
  std::map<const unsigned char*, std::pair<std::unique_ptr<unsigned char[]>, std::size_t>> blocks_;
  std::vector<Copy> copies_;
  std::uint64_t begun_ = 0;
};

}  // namespace vaecuda::simt
