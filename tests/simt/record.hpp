// What the executor keeps of one access: when, and by which thread of which block.
#pragma once

#include <cstdint>

namespace vaecuda::simt {

/// Time (32 bits) | shared (1) | atomic (1) | block (20) | thread (10). Time is a clock that every block
/// takes a new value from where it begins, passes a barrier or takes a ticket: a value belongs to one stretch
/// of one block. 0 stands for no access at all.
using Record = std::uint64_t;

inline constexpr std::uint32_t kSharedFlag = std::uint32_t{1} << 31;  ///< low bits: index of a ReadSet
inline constexpr std::uint32_t kAtomicFlag = std::uint32_t{1} << 30;
inline constexpr unsigned kThreadBits = 10;
inline constexpr unsigned kMaxThreads = 1U << kThreadBits;
inline constexpr unsigned kMaxBlocks = 1U << 20;

/// Thread and block in one number, the lower half of a record.
constexpr std::uint32_t make_who(std::uint32_t block, std::uint32_t thread) {
  return (block << kThreadBits) | thread;
}
constexpr Record make_record(std::uint32_t time, std::uint32_t who) {
  return (Record{time} << 32) | who;
}
constexpr std::uint32_t time_of(Record record) {
  return static_cast<std::uint32_t>(record >> 32);
}
/// With the flags.
constexpr std::uint32_t low_of(Record record) {
  return static_cast<std::uint32_t>(record);
}
constexpr std::uint32_t who_of(Record record) {
  return low_of(record) & ~(kSharedFlag | kAtomicFlag);
}
constexpr std::uint32_t block_of(Record record) {
  return who_of(record) >> kThreadBits;
}
constexpr std::uint32_t thread_of(Record record) {
  return low_of(record) & (kMaxThreads - 1);
}

/// Last write and reads of 4, 2 or 1 bytes.
struct Cell {
  Record write = 0;
  Record read = 0;  ///< with kSharedFlag: several readers, in Launch::read_sets
};

/// Readers of one cell where one record is not enough: the latest read, the latest one of that block by
/// another thread, and one of another block (one that nothing can be ordered behind is never displaced).
struct ReadSet {
  Record latest = 0;
  Record other_thread = 0;
  Record other_block = 0;
};

}  // namespace vaecuda::simt
