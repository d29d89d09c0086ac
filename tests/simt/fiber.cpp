#include "simt/fiber.hpp"

#include <sys/mman.h>

#include <new>

namespace vaecuda::simt {
namespace {

constexpr std::size_t kChunk = 1024;

}  // namespace

StackPool& StackPool::instance() {
  static thread_local StackPool pool;
  return pool;
}

StackPool::~StackPool() {
  for (const std::uintptr_t chunk : chunks_) {
    ::munmap(reinterpret_cast<void*>(chunk), kChunk * kStackBytes);
  }
}

std::uintptr_t StackPool::stack(std::size_t index) {
  while (index >= chunks_.size() * kChunk) {
    void* memory = ::mmap(nullptr, kChunk * kStackBytes, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    chunks_.push_back(reinterpret_cast<std::uintptr_t>(memory));
  }
  return chunks_[index / kChunk] + (index % kChunk) * kStackBytes;
}

boost::context::detail::fcontext_t make_fiber(std::uintptr_t stack, std::size_t index, FiberEntry entry) {
  *reinterpret_cast<std::uint64_t*>(stack) = kStackEnd;
  const std::size_t colour = index % 61 * 128;
  const std::size_t bytes = kStackBytes - colour;
  return boost::context::detail::make_fcontext(reinterpret_cast<void*>(stack + bytes), bytes, entry);
}

}  // namespace vaecuda::simt
