// The check of one load or store. The common case is decided here, inline in every callback: the fiber's own
// stack first, then one look into the page map, then the cells.
#pragma once

#include <cstddef>
#include <cstdint>

#include "simt/context.hpp"

namespace vaecuda::simt {

enum class Access { read, write };

/// An address outside the arena: passes if kernels may touch it, else reports.
void check_foreign(const void* address, std::size_t bytes, Access access);
[[noreturn]] void report_outside(const void* address, std::size_t bytes, Access access);
[[noreturn]] void report_misaligned(const void* address, std::size_t bytes, Access access);
[[noreturn]] void report_unwritten(const void* address, std::size_t bytes);
/// The write found a record that may not be ordered before it.
void check_before_write(const Region& region, Cell& cell, std::size_t bytes);
/// The read found a write by another thread that may not be ordered before it.
void check_before_read(const Region& region, const Cell& cell, std::size_t bytes);
/// The same for an atomic operation, which need not be ordered behind other atomics.
void check_before_atomic(const Region& region, const Cell& cell, std::size_t bytes);
/// Adds the running thread to the readers of a cell that another thread has read.
void note_reader(Cell& cell);
void save_page(Region& region, std::size_t page);

/// Accesses before this time need no further look.
inline std::uint32_t floor_of(const Region& region) {
  return g_context.floor > region.valid_from ? g_context.floor : region.valid_from;
}

inline void read_cell(Region& region, Cell& cell, std::size_t bytes, const void* address) {
  const Record write = cell.write;
  if (time_of(write) < region.valid_from) [[unlikely]]
    report_unwritten(address, bytes);
  const std::uint32_t floor = floor_of(region);
  const Record me = g_context.me;
  if (time_of(write) >= floor && low_of(write) != low_of(me)) check_before_read(region, cell, bytes);
  const Record read = cell.read;
  if (time_of(read) < floor || low_of(read) == low_of(me)) {
    cell.read = me;
  } else {
    note_reader(cell);
  }
}

inline void write_cell(Region& region, Cell& cell, std::size_t bytes) {
  const std::uint32_t floor = floor_of(region);
  const Record me = g_context.me;
  const Record write = cell.write;
  const Record read = cell.read;
  if ((time_of(write) >= floor && low_of(write) != low_of(me)) ||
      (time_of(read) >= floor && low_of(read) != low_of(me)))
    check_before_write(region, cell, bytes);
  cell.write = me;
  cell.read = 0;
}

/// The region that holds all the bytes, or a report.
inline Region& region_of(const void* address, std::size_t page, std::size_t bytes, Access access) {
  Region* region = g_context.page_map[page];
  if (region == nullptr) [[unlikely]]
    report_outside(address, bytes, access);
  const std::size_t offset = reinterpret_cast<std::uintptr_t>(address) - region->base;
  if (offset >= region->bytes || bytes > region->bytes - offset) [[unlikely]]
    report_outside(address, bytes, access);
  if (region->owner != kAnyBlock && region->owner != g_context.order->block) [[unlikely]]
    report_outside(address, bytes, access);
  return *region;
}

/// True for addresses that are watched cell by cell; false for those that pass as they are.
inline bool is_watched(const void* address, std::size_t bytes, Access access, std::size_t& page) {
  const auto a = reinterpret_cast<std::uintptr_t>(address);
  if (a - g_context.stack < g_context.stack_bytes) return false;
  page = (a - g_context.arena) >> kPageShift;
  if (page < g_context.arena_pages) return true;
  if (a - g_context.data < g_context.data_bytes) return false;
  if (access == Access::read && a - g_context.arguments < g_context.arguments_bytes) return false;
  if (g_context.active) check_foreign(address, bytes, access);
  return false;
}

/// Bytes without an alignment of their own, as a struct copied whole has them.
template <Access kAccess>
void observe_range(const void* address, std::size_t bytes) {
  std::size_t page = 0;
  if (bytes == 0 || !is_watched(address, bytes, kAccess, page)) return;
  Region& region = region_of(address, page, bytes, kAccess);
  const std::size_t offset = reinterpret_cast<std::uintptr_t>(address) - region.base;
  const std::size_t end = offset + bytes;
  while (((offset | end) & ((std::size_t{1} << region.cell_shift) - 1)) != 0)
    refine(region, region.cell_shift - 1);
  const std::size_t last = (end - 1) >> region.cell_shift;
  if constexpr (kAccess == Access::write) {
    if (region.saved_by != nullptr) {
      for (std::size_t p = offset >> kPageShift; p <= (end - 1) >> kPageShift; ++p) {
        if (region.saved_by[p] != g_context.launch) save_page(region, p);
      }
    }
  }
  for (std::size_t i = offset >> region.cell_shift; i <= last; ++i) {
    if constexpr (kAccess == Access::write) {
      write_cell(region, region.cells[i], bytes);
    } else {
      read_cell(region, region.cells[i], bytes, address);
    }
  }
}

/// An access of 1, 2, 4, 8 or 16 bytes that must be aligned to its size.
template <Access kAccess, std::size_t kBytes>
inline void observe(const void* address) {
  const auto a = reinterpret_cast<std::uintptr_t>(address);
  if ((a & (kBytes - 1)) != 0) [[unlikely]] {
    if (g_context.active) report_misaligned(address, kBytes, kAccess);
    return;
  }
  std::size_t page = 0;
  if (!is_watched(address, kBytes, kAccess, page)) return;
  Region& region = region_of(address, page, kBytes, kAccess);
  const std::size_t offset = a - region.base;
  if constexpr (kBytes < 4) {
    if (kBytes < (std::size_t{1} << region.cell_shift)) [[unlikely]]
      refine(region, kBytes == 1 ? 0 : 1);
  }
  if constexpr (kAccess == Access::write) {
    if (region.saved_by != nullptr && region.saved_by[offset >> kPageShift] != g_context.launch)
      save_page(region, offset >> kPageShift);
  }
  Cell* cell = region.cells + (offset >> region.cell_shift);
  const std::size_t cells = kBytes >> region.cell_shift;
  for (std::size_t i = 0; i < cells; ++i) {
    if constexpr (kAccess == Access::write) {
      write_cell(region, cell[i], kBytes);
    } else {
      read_cell(region, cell[i], kBytes, address);
    }
  }
}

}  // namespace vaecuda::simt
