// Large blocks of memory for the fuzzer, kept from one execution to the next. AddressSanitizer maps each of
// them anew, which takes a hundred times what the parsers need for a small file. The linker leads the
// program's own new and delete here (--wrap, see fuzz.sh). Small blocks are AddressSanitizer's as ever.
//
// A block has the guards that AddressSanitizer would give it: what lies before and behind it is poisoned, and
// so is all of it (its first MiB: small files fill no more) once it was given back. One thread.
#include <sanitizer/asan_interface.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "fuzz/large_blocks.hpp"

// The names are the linker's.
// NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp,readability-identifier-naming)
extern "C" {
void* __real__Znwm(std::size_t size);
void __real__ZdlPv(void* block);
}

namespace {

constexpr std::size_t kLeast = std::size_t{64} << 10;
constexpr std::size_t kMost = std::size_t{64} << 20;
constexpr std::size_t kGuard = std::size_t{64} << 10;
constexpr std::size_t kPoisoned = std::size_t{1} << 20;
constexpr std::size_t kRange = std::size_t{4} << 30;

struct Block {
  std::uint8_t* start = nullptr;
  std::size_t room = 0;  ///< a power of two
  std::size_t size = 0;  ///< in use; 0: free
};

struct Pool {
  std::uint8_t* range = nullptr;
  std::size_t taken = 0;
  std::array<Block, 256> blocks;
  std::size_t count = 0;
  std::size_t in_use = 0;
  bool open = false;  ///< within a target
};

Pool& pool() {
  static Pool instance;
  return instance;
}

Block* add_block(std::size_t room) {
  Pool& p = pool();
  if (p.range == nullptr) {
    void* const range =
        ::mmap(nullptr, kRange, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (range == MAP_FAILED) std::abort();
    p.range = static_cast<std::uint8_t*>(range);
    ASAN_POISON_MEMORY_REGION(p.range, kGuard);
    p.taken = kGuard;
  }
  if (p.count == p.blocks.size() || kRange - p.taken < room + kGuard) return nullptr;
  Block& block = p.blocks[p.count++];
  block = {p.range + p.taken, room, 0};
  p.taken += room + kGuard;
  ASAN_POISON_MEMORY_REGION(block.start + room, kGuard);
  return &block;
}

void* take(std::size_t size) {
  Pool& p = pool();
  const std::size_t room = std::bit_ceil(size);
  auto* const end = p.blocks.begin() + p.count;
  auto* found =
      std::find_if(p.blocks.begin(), end, [&](const Block& b) { return b.size == 0 && b.room == room; });
  Block* const block = found != end ? &*found : add_block(room);
  if (block == nullptr) return nullptr;
  block->size = size;
  ++p.in_use;
  ASAN_UNPOISON_MEMORY_REGION(block->start, std::min(size, kPoisoned));
  ASAN_POISON_MEMORY_REGION(block->start + size, std::min(room - size, kPoisoned));
  return block->start;
}

/// False where the block is none of these.
bool give_back(void* start) {
  Pool& p = pool();
  auto* const at = static_cast<std::uint8_t*>(start);
  if (p.range == nullptr || at < p.range || at >= p.range + p.taken) return false;
  auto* const end = p.blocks.begin() + p.count;
  auto* const block = std::find_if(p.blocks.begin(), end, [&](const Block& b) { return b.start == at; });
  if (block == end || block->size == 0) std::abort();  // never handed out, or given back twice
  ASAN_UNPOISON_MEMORY_REGION(block->start + block->size, std::min(block->room - block->size, kPoisoned));
  ASAN_POISON_MEMORY_REGION(block->start, std::min(block->size, kPoisoned));
  block->size = 0;
  --p.in_use;
  return true;
}

}  // namespace

extern "C" {

void* __wrap__Znwm(std::size_t size) {
  if (pool().open && size >= kLeast && size <= kMost) {
    if (void* const block = take(size)) return block;
  }
  return __real__Znwm(size);
}

void __wrap__ZdlPv(void* block) {
  if (!give_back(block)) __real__ZdlPv(block);
}

}  // extern "C"
// NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp,readability-identifier-naming)

namespace vaecuda::fuzz {

LargeBlocks::LargeBlocks() {
  pool().open = true;
}

LargeBlocks::~LargeBlocks() {
  pool().open = false;
  if (pool().in_use != 0) std::abort();
}

}  // namespace vaecuda::fuzz
