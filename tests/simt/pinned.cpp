#include "simt/pinned.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "simt/error.hpp"

namespace vaecuda::simt {

namespace {
constexpr unsigned char kRubbish = 0xFF;
}  // namespace

void* PinnedMemory::allocate(std::size_t bytes) {
  auto memory = std::make_unique<unsigned char[]>(std::max<std::size_t>(bytes, 1));
  unsigned char* address = memory.get();
  std::memset(address, kRubbish, bytes);
  blocks_.emplace(address, std::make_pair(std::move(memory), bytes));
  return address;
}

bool PinnedMemory::release(void* memory) {
  const auto found = blocks_.find(static_cast<const unsigned char*>(memory));
  if (found == blocks_.end()) return false;
  finish(begun_);
  blocks_.erase(found);
  return true;
}

bool PinnedMemory::contains(const void* address, std::size_t bytes) const {
  const auto* first = static_cast<const unsigned char*>(address);
  auto block = blocks_.upper_bound(first);
  if (block == blocks_.begin()) return false;
  --block;
  const auto offset = static_cast<std::size_t>(first - block->first);
  return offset <= block->second.second && bytes <= block->second.second - offset;
}

void PinnedMemory::begin_read(void* host, const void* device, std::size_t bytes) {
  const auto* from = static_cast<const unsigned char*>(device);
  copies_.push_back({++begun_, static_cast<unsigned char*>(host), true, {from, from + bytes}});
  std::memset(host, kRubbish, bytes);
}

void PinnedMemory::begin_write(const void* host, std::size_t bytes) {
  // Never written through: only the direction of the other kind of copy needs the address to be mutable.
  auto* from = const_cast<unsigned char*>(static_cast<const unsigned char*>(host));
  copies_.push_back({++begun_, from, false, {from, from + bytes}});
}

void PinnedMemory::finish(std::uint64_t count) {
  const auto open =
      std::find_if(copies_.begin(), copies_.end(), [&](const Copy& copy) { return copy.number > count; });
  bool changed = false;
  for (auto copy = copies_.begin(); copy != open; ++copy) {
    if (copy->to_host) {
      std::memcpy(copy->host, copy->bytes.data(), copy->bytes.size());
    } else {
      changed = changed || std::memcmp(copy->host, copy->bytes.data(), copy->bytes.size()) != 0;
    }
  }
  copies_.erase(copies_.begin(), open);
  if (!changed) return;
  Fault fault;
  fault.what = "pinned memory was changed while it was being copied to the device";
  throw SimtError(std::move(fault));
}

}  // namespace vaecuda::simt
