// Where the program's own code and data lie in memory.
#pragma once

#include <string>

namespace vaecuda::simt {

/// True for addresses in the program's segments (constants, tables, and gcov's counters), and in those of its
/// libraries; with `writable` only in those that may be written.
[[nodiscard]] bool is_in_program(const void* address, bool writable);

/// What the system has mapped where the address lies: its protection and its name, a file or "[heap]".
[[nodiscard]] std::string mapping_of(const void* address);

/// Reads the segments of everything that is loaded now, for launches of the calling thread.
void find_segments();

}  // namespace vaecuda::simt
