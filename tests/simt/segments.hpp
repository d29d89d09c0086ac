// Where the program's own code and data lie in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace vaecuda::simt {

struct Segment {
  std::uintptr_t start;
  std::size_t bytes;
  bool writable;
};

/// The one of the program's segments (constants, tables, and gcov's counters), or of its libraries', that
/// holds the address; with `writable` only those that may be written. Null where there is none.
[[nodiscard]] const Segment* find_segment(const void* address, bool writable);

/// What the system has mapped where the address lies: its protection and its name, a file or "[heap]".
[[nodiscard]] std::string mapping_of(const void* address);

/// Reads the segments of everything that is loaded now, for launches of the calling thread.
void find_segments();

}  // namespace vaecuda::simt
