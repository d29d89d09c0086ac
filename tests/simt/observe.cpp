#include "simt/observe.hpp"

#include <initializer_list>
#include <string>
#include <utility>

#include "simt/fiber.hpp"
#include "simt/segments.hpp"

namespace vaecuda::simt {
namespace {

std::string count(std::size_t bytes) {
  return std::to_string(bytes) + (bytes == 1 ? " byte" : " bytes");
}

std::string verb(Access access) {
  return access == Access::read ? "reads " : "writes ";
}

const void* address_of(const Region& region, const Cell& cell) {
  return reinterpret_cast<const void*>(region.base +
                                       (static_cast<std::size_t>(&cell - region.cells) << region.cell_shift));
}

bool is_before_now(const Region& region, Record record) {
  if (time_of(record) < floor_of(region)) return true;
  return g_context.order->is_ordered(record, thread_of(g_context.me));
}

[[noreturn]] void report_race(const Region& region, const Cell& cell, Access access, std::size_t bytes,
                              Record other, const char* did) {
  {
    const void* address = address_of(region, cell);
    Unobserved guard;
    Context& context = guard.context();
    const bool other_block = block_of(other) != context.order->block;
    set_fault(context, FaultKind::race, address,
              verb(access) + context.pass->memory->describe(address) + " (an access of " + count(bytes) +
                  "), which " + thread_name(*context.pass->head, who_of(other), other_block) + " " + did +
                  " in the same launch with no " +
                  (other_block ? "ticket or grid barrier" : "block barrier") + " between");
  }
  abandon_thread();
}

const char* deed(Record record) {
  return (low_of(record) & kAtomicFlag) != 0 ? "changed atomically" : "wrote";
}

void check_write_record(const Region& region, const Cell& cell, Access access, std::size_t bytes) {
  if ((low_of(cell.write) & kAtomicFlag) != 0) {
    const auto& log = g_context.pass->atomics;
    const auto found = log.find(reinterpret_cast<std::uintptr_t>(address_of(region, cell)));
    if (found != log.end()) {
      for (const Record record : found->second) {
        if (!is_before_now(region, record)) report_race(region, cell, access, bytes, record, deed(record));
      }
    }
  }
  if (!is_before_now(region, cell.write))
    report_race(region, cell, access, bytes, cell.write, deed(cell.write));
}

void check_readers(const Region& region, const Cell& cell, std::size_t bytes) {
  const Record read = cell.read;
  if (time_of(read) < floor_of(region)) return;
  if ((low_of(read) & kSharedFlag) == 0) {
    if (!is_before_now(region, read)) report_race(region, cell, Access::write, bytes, read, "read");
    return;
  }
  const ReadSet& set = g_context.pass->read_sets[low_of(read) & ~kSharedFlag];
  for (const Record reader : {set.latest, set.other_thread, set.other_block}) {
    if (!is_before_now(region, reader)) report_race(region, cell, Access::write, bytes, reader, "read");
  }
}

[[noreturn]] void report_deep_stack() {
  {
    Unobserved guard;
    set_fault(guard.context(), FaultKind::out_of_bounds, nullptr, kDeepStack);
  }
  abandon_thread();
}

}  // namespace

void check_foreign(const void* address, std::size_t bytes, Access access) {
  if (const Segment* segment = find_segment(address, access == Access::write)) {
    if (segment->writable) {
      g_context.data = segment->start;
      g_context.data_bytes = segment->bytes;
    }
    return;
  }
  const auto a = reinterpret_cast<std::uintptr_t>(address);
  if (g_context.stack - a < kStackBytes) report_deep_stack();
  report_outside(address, bytes, access);
}

void report_outside(const void* address, std::size_t bytes, Access access) {
  {
    Unobserved guard;
    Context& context = guard.context();
    set_fault(context, FaultKind::out_of_bounds, address,
              verb(access) + count(bytes) + " at " + context.pass->memory->describe(address));
  }
  abandon_thread();
}

void report_misaligned(const void* address, std::size_t bytes, Access access) {
  {
    Unobserved guard;
    Context& context = guard.context();
    set_fault(context, FaultKind::misaligned, address,
              verb(access) + count(bytes) + " at " + context.pass->memory->describe(address) +
                  ", an address that is no multiple of " + std::to_string(bytes));
  }
  abandon_thread();
}

void report_unwritten(const void* address, std::size_t bytes) {
  {
    Unobserved guard;
    Context& context = guard.context();
    set_fault(context, FaultKind::uninitialized, address,
              "reads " + count(bytes) + " at " + context.pass->memory->describe(address) +
                  ", which nothing has written");
  }
  abandon_thread();
}

void check_before_read(const Region& region, const Cell& cell, std::size_t bytes) {
  check_write_record(region, cell, Access::read, bytes);
}

void check_before_write(const Region& region, Cell& cell, std::size_t bytes) {
  if (time_of(cell.write) >= floor_of(region)) {
    check_write_record(region, cell, Access::write, bytes);
    if ((low_of(cell.write) & kAtomicFlag) != 0)
      g_context.pass->atomics.erase(reinterpret_cast<std::uintptr_t>(address_of(region, cell)));
  }
  check_readers(region, cell, bytes);
}

void check_before_atomic(const Region& region, const Cell& cell, std::size_t bytes) {
  if ((low_of(cell.write) & kAtomicFlag) == 0) {
    if (!is_before_now(region, cell.write))
      report_race(region, cell, Access::write, bytes, cell.write, deed(cell.write));
  } else {
    const auto& log = g_context.pass->atomics;
    const auto found = log.find(reinterpret_cast<std::uintptr_t>(address_of(region, cell)));
    if (found != log.end()) {
      for (const Record record : found->second) {
        if ((low_of(record) & kAtomicFlag) == 0 && !is_before_now(region, record))
          report_race(region, cell, Access::write, bytes, record, deed(record));
      }
    }
  }
  check_readers(region, cell, bytes);
}

void note_reader(Cell& cell) {
  Pass& pass = *g_context.pass;
  const Record me = g_context.me;
  const Record read = cell.read;
  ReadSet* set = nullptr;
  if ((low_of(read) & kSharedFlag) == 0) {
    // Whatever is ordered behind this read is also behind one that is ordered before it.
    if (g_context.order->is_ordered(read, thread_of(me))) {
      cell.read = me;
      return;
    }
    const auto index = static_cast<std::uint32_t>(pass.read_sets.size());
    pass.read_sets.push_back(ReadSet{read, 0, 0});
    cell.read = make_record(time_of(me), kSharedFlag | index);
    set = &pass.read_sets.back();
  } else {
    set = &pass.read_sets[low_of(read) & ~kSharedFlag];
    cell.read = make_record(time_of(me), low_of(read));
  }
  if (block_of(set->latest) == block_of(me)) {
    if (thread_of(set->latest) != thread_of(me)) set->other_thread = set->latest;
  } else {
    if (set->other_block == 0 || pass.tickets.is_published(set->other_block)) {
      const bool hidden = set->other_thread != 0 && pass.tickets.is_published(set->latest) &&
                          !pass.tickets.is_published(set->other_thread);
      set->other_block = hidden ? set->other_thread : set->latest;
    }
    set->other_thread = 0;
  }
  set->latest = me;
}

void save_page(Region& region, std::size_t page) {
  Unobserved guard;
  guard.context().pass->pages->save(region, page);
}

}  // namespace vaecuda::simt
