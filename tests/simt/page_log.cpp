#include "simt/page_log.hpp"

#include <algorithm>
#include <cstring>

namespace vaecuda::simt {
namespace {

unsigned char* page_address(const Region& region, std::size_t page) {
  return reinterpret_cast<unsigned char*>(region.base) + page * kPageBytes;
}

}  // namespace

void PageLog::begin(std::uint32_t launch, bool keep) {
  launch_ = launch;
  keep_ = keep;
  pages_.clear();
  bytes_.clear();
}

void PageLog::save(Region& region, std::size_t page) {
  region.saved_by[page] = launch_;
  if (!keep_) return;
  const std::size_t bytes = std::min(kPageBytes, region.bytes - page * kPageBytes);
  const unsigned char* from = page_address(region, page);
  pages_.push_back({&region, page, bytes, bytes_.size()});
  bytes_.insert(bytes_.end(), from, from + bytes);
}

void PageLog::rewind() {
  for (const Page& page : pages_) {
    unsigned char* memory = page_address(*page.region, page.page);
    std::swap_ranges(memory, memory + page.bytes, bytes_.data() + page.at);
  }
}

std::optional<PageLog::Difference> PageLog::compare() const {
  for (const Page& page : pages_) {
    const unsigned char* memory = page_address(*page.region, page.page);
    const unsigned char* kept = bytes_.data() + page.at;
    if (std::memcmp(memory, kept, page.bytes) == 0) continue;
    const auto at = static_cast<std::size_t>(std::mismatch(kept, kept + page.bytes, memory).first - kept);
    return Difference{page.region, page.page * kPageBytes + at};
  }
  return std::nullopt;
}

}  // namespace vaecuda::simt
