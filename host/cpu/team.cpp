#include "host/cpu/team.hpp"

#include <algorithm>
#include <utility>

namespace vaecuda::cpu {
Team::Team(int threads, std::shared_ptr<RegionCounter> regions) {
  if (threads < 2) return;
  regions_ = std::move(regions);
  const int running = regions_ != nullptr ? regions_->fetch_add(1) + 1 : 1;
  threads_ = std::max(1, threads / running);
}

Team::~Team() {
  if (regions_ != nullptr) regions_->fetch_sub(1);
}

}  // namespace vaecuda::cpu
