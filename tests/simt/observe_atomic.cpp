#include "simt/observe_atomic.hpp"

#include <vector>

#include "simt/observe.hpp"

namespace vaecuda::simt {
namespace {

void add_to_log(std::uintptr_t address, Record previous, Record record) {
  Unobserved guard;
  std::vector<Record>& log = guard.context().pass->atomics[address];
  if (previous == 0 || (low_of(previous) & kAtomicFlag) == 0) log.clear();
  if (log.empty() && previous != 0) log.push_back(previous);
  // One entry a thread is enough: whatever is ordered behind its latest is behind all of them.
  if (!log.empty() && low_of(log.back()) == low_of(record)) {
    log.back() = record;
  } else {
    log.push_back(record);
  }
}

}  // namespace

void observe_atomic(const void* address, std::size_t bytes) {
  const auto a = reinterpret_cast<std::uintptr_t>(address);
  if ((a & (bytes - 1)) != 0) report_misaligned(address, bytes, Access::write);
  std::size_t page = 0;
  if (!is_watched(address, bytes, Access::write, page)) report_outside(address, bytes, Access::write);
  Region& region = region_of(address, page, bytes, Access::write);
  const std::size_t offset = a - region.base;
  if (region.saved_by != nullptr && region.saved_by[offset >> kPageShift] != g_context.launch)
    save_page(region, offset >> kPageShift);
  const std::size_t cells = bytes >> region.cell_shift;
  Cell* cell = region.cells + (offset >> region.cell_shift);
  for (std::size_t i = 0; i < cells; ++i) {
    const Record write = cell[i].write;
    if (time_of(write) < region.valid_from) report_unwritten(address, bytes);
    const bool live = time_of(write) >= floor_of(region);
    check_before_atomic(region, cell[i], bytes);
    add_to_log(a + (i << region.cell_shift), live ? write : 0, g_context.me | kAtomicFlag);
    cell[i].write = g_context.me | kAtomicFlag;
  }
}

}  // namespace vaecuda::simt
