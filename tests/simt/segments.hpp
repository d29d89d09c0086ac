// Where the program's own code and data lie in memory.
#pragma once

namespace vaecuda::simt {

/// True for addresses in the program's segments (constants, tables, and gcov's counters), and in those of its
/// libraries; with `writable` only in those that may be written.
[[nodiscard]] bool is_in_program(const void* address, bool writable);

/// Reads the segments of everything that is loaded now.
void find_segments();

}  // namespace vaecuda::simt
