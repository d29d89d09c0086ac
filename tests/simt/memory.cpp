#include "simt/memory.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <stdexcept>
#include <utility>

#include "simt/error.hpp"
#include "simt/segments.hpp"

namespace vaecuda::simt {
namespace {

constexpr std::size_t kArenaBytes = std::size_t{1} << 36;
// A buffer begins here in its first page: 256-byte aligned and no more, as CUDA promises.
constexpr std::size_t kLead = 256;
// Neither written nor read by a kernel in its right mind: not-a-number in fp32, fp64 and bf16.
constexpr int kUnwrittenByte = 0xFF;

void* reserve(std::size_t bytes, int protection) {
  void* memory = ::mmap(nullptr, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  return memory;
}

template <typename T>
T* allocate_zeroed(std::size_t count) {
  void* memory = std::calloc(std::max<std::size_t>(count, 1), sizeof(T));
  if (memory == nullptr) throw std::bad_alloc();
  return static_cast<T*>(memory);
}

void drop_shadow(Region& region) {
  std::free(region.cells);
  std::free(region.saved_by);
  region.cells = nullptr;
  region.saved_by = nullptr;
}

[[noreturn]] void fail(FaultKind kind, const Region* region, std::int64_t offset, std::string what) {
  Fault fault;
  fault.kind = kind;
  fault.what = std::move(what);
  if (region != nullptr) {
    fault.buffer = region->name;
    fault.offset = offset;
  }
  throw SimtError(std::move(fault));
}

}  // namespace

void refine(Region& region, unsigned shift) {
  const std::size_t copies = std::size_t{1} << (region.cell_shift - shift);
  const std::size_t old_count = region.cell_count();
  Cell* old = region.cells;
  region.cell_shift = shift;
  const std::size_t count = region.cell_count();
  region.cells = allocate_zeroed<Cell>(count);
  for (std::size_t i = 0; i < old_count; ++i) {
    // Cells that nobody has touched stay untouched memory.
    if (old[i].write == 0 && old[i].read == 0) continue;
    for (std::size_t j = i * copies; j < std::min(count, (i + 1) * copies); ++j) region.cells[j] = old[i];
  }
  std::free(old);
}

Memory::Memory()
    : base_(reinterpret_cast<std::uintptr_t>(reserve(kArenaBytes, PROT_NONE))), next_(base_ + kPageBytes) {
  page_map_ = static_cast<Region**>(reserve(pages() * sizeof(Region*), PROT_READ | PROT_WRITE));
}

Memory::~Memory() {
  for (const auto& region : regions_) drop_shadow(*region);
  ::munmap(page_map_, pages() * sizeof(Region*));
  ::munmap(reinterpret_cast<void*>(base_), kArenaBytes);
}

std::size_t Memory::pages() const {
  return kArenaBytes >> kPageShift;
}

std::uint32_t Memory::tick() {
  if (clock_ == UINT32_MAX) throw std::overflow_error("the SIMT executor's clock has run out");
  return ++clock_;
}

Region& Memory::place(std::size_t bytes, std::string name) {
  const std::size_t span = (kLead + bytes + kPageBytes - 1) / kPageBytes * kPageBytes;
  // The page behind stays forbidden.
  if (span + kPageBytes > base_ + kArenaBytes - next_) throw std::bad_alloc();
  const std::uintptr_t start = next_;
  if (::mprotect(reinterpret_cast<void*>(start), span, PROT_READ | PROT_WRITE) != 0) throw std::bad_alloc();
  auto region = std::make_unique<Region>();
  region->base = start + kLead;
  region->bytes = bytes;
  region->allocated_bytes = bytes;
  region->name = std::move(name);
  region->cells = allocate_zeroed<Cell>(region->cell_count());
  std::memset(reinterpret_cast<void*>(region->base), kUnwrittenByte, bytes);
  next_ = start + span + kPageBytes;
  const std::size_t first = (start - base_) >> kPageShift;
  std::fill_n(page_map_ + first, span >> kPageShift, region.get());
  regions_.push_back(std::move(region));
  return *regions_.back();
}

Region& Memory::allocate(std::size_t bytes, std::string name) {
  Region& region = place(bytes, std::move(name));
  region.saved_by = allocate_zeroed<std::uint32_t>((bytes + kPageBytes - 1) >> kPageShift);
  live_bytes_ += bytes;
  ++live_buffers_;
  return region;
}

Region& Memory::allocate_shared(std::size_t bytes, std::string name) {
  return place(bytes, std::move(name));
}

bool Memory::release(void* address) {
  Region* region = find(address);
  if (region == nullptr || region->is_shared() || region->base != reinterpret_cast<std::uintptr_t>(address) ||
      region->cells == nullptr)
    return false;
  live_bytes_ -= region->bytes;
  --live_buffers_;
  drop_shadow(*region);
  region->bytes = 0;
  const std::size_t span = (kLead + region->allocated_bytes + kPageBytes - 1) / kPageBytes * kPageBytes;
  void* start = reinterpret_cast<void*>(region->base - kLead);
  // A new mapping gives the memory back to the system.
  return ::mmap(start, span, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) ==
         start;
}

Region* Memory::find(const void* address) const {
  const std::size_t page = (reinterpret_cast<std::uintptr_t>(address) - base_) >> kPageShift;
  return page < pages() ? page_map_[page] : nullptr;
}

std::string Memory::describe(const void* address) const {
  const auto a = reinterpret_cast<std::uintptr_t>(address);
  if (address == nullptr) return "the null pointer";
  if (a - base_ >= kArenaBytes) return "memory that is not the device's (" + mapping_of(address) + ")";
  const std::size_t page = (a - base_) >> kPageShift;
  Region* region = page_map_[page];
  if (region == nullptr && page > 0) region = page_map_[page - 1];
  if (region == nullptr && page + 1 < pages()) region = page_map_[page + 1];
  if (region == nullptr) return "device memory that was never allocated";
  const std::string kind = region->cells == nullptr ? "freed buffer"
                           : region->is_shared()    ? "shared array"
                                                    : "buffer";
  const std::string named =
      kind + " '" + region->name + "' (" + std::to_string(region->allocated_bytes) + " bytes)";
  if (a < region->base) return std::to_string(region->base - a) + " bytes before " + named;
  const std::size_t offset = a - region->base;
  if (offset >= region->allocated_bytes && region->cells != nullptr)
    return std::to_string(offset - region->allocated_bytes) + " bytes past the end of " + named;
  return "byte " + std::to_string(offset) + " of " + named;
}

Region& Memory::check_inside(const void* address, std::size_t bytes, const std::string& user) const {
  Region* region = find(address);
  const std::size_t offset = region == nullptr ? 0 : reinterpret_cast<std::uintptr_t>(address) - region->base;
  if (region == nullptr || region->is_shared() || offset > region->bytes || bytes > region->bytes - offset) {
    fail(FaultKind::out_of_bounds, region, static_cast<std::int64_t>(offset),
         user + ": " + std::to_string(bytes) + " bytes from " + describe(address) +
             " are not inside one buffer");
  }
  return *region;
}

void Memory::check_written(const void* address, std::size_t bytes, const std::string& user) const {
  if (bytes == 0) return;
  const Region& region = check_inside(address, bytes, user);
  const std::size_t offset = reinterpret_cast<std::uintptr_t>(address) - region.base;
  const std::size_t last = (offset + bytes - 1) >> region.cell_shift;
  for (std::size_t i = offset >> region.cell_shift; i <= last; ++i) {
    if (region.cells[i].write != 0) continue;
    const std::size_t at = std::max(offset, i << region.cell_shift);
    fail(FaultKind::uninitialized, &region, static_cast<std::int64_t>(at),
         user + " reads " + describe(reinterpret_cast<const void*>(region.base + at)) +
             ", which nothing has written");
  }
}

void Memory::set_cells(const void* address, std::size_t bytes, Record write, const std::string& user) {
  if (bytes == 0) return;
  Region& region = check_inside(address, bytes, user);
  const std::size_t offset = reinterpret_cast<std::uintptr_t>(address) - region.base;
  const bool to_the_end = offset + bytes == region.bytes;
  while (region.cell_shift > 0 &&
         ((offset & ((1U << region.cell_shift) - 1)) != 0 ||
          (((offset + bytes) & ((1U << region.cell_shift) - 1)) != 0 && !to_the_end)))
    refine(region, region.cell_shift - 1);
  const std::size_t last = (offset + bytes - 1) >> region.cell_shift;
  for (std::size_t i = offset >> region.cell_shift; i <= last; ++i) region.cells[i] = Cell{write, 0};
}

void Memory::mark_written(const void* address, std::size_t bytes, const std::string& user) {
  set_cells(address, bytes, make_record(clock_, 0), user);
}

void Memory::scramble(void* address, std::size_t bytes, const std::string& user) {
  set_cells(address, bytes, 0, user);
  std::memset(address, kUnwrittenByte, bytes);
}

}  // namespace vaecuda::simt
