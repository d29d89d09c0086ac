#include "simt/shared_pool.hpp"

namespace vaecuda::simt {

Region& SharedPool::take(std::size_t bytes) {
  std::vector<Region*>& list = free_[bytes];
  Region* region = nullptr;
  if (list.empty()) {
    region = &memory_->allocate_shared(bytes, "shared memory");
  } else {
    region = list.back();
    list.pop_back();
  }
  taken_.push_back(region);
  return *region;
}

void SharedPool::give_back_all() {
  for (Region* region : taken_) {
    region->owner = kAnyBlock - 1;  // no block's
    free_[region->bytes].push_back(region);
  }
  taken_.clear();
}

}  // namespace vaecuda::simt
