// Shared memory of the blocks that are alive: regions are handed out by size and come back after a launch.
#pragma once

#include <cstddef>
#include <map>
#include <vector>

#include "simt/memory.hpp"

namespace vaecuda::simt {

class SharedPool {
 public:
  explicit SharedPool(Memory& memory) : memory_(&memory) {}
  /// A region that no block uses; it lasts until give_back_all().
  [[nodiscard]] Region& take(std::size_t bytes);
  void give_back_all();

 private:
  Memory* memory_;
  std::map<std::size_t, std::vector<Region*>> free_;
  std::vector<Region*> taken_;
};

}  // namespace vaecuda::simt
