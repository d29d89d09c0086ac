// What stands behind simt/device.hpp: the functions that kernels call.
#include <curand_kernel.h>

#include <cstring>

#include "simt/block.hpp"
#include "simt/device.hpp"
#include "simt/observe.hpp"
#include "simt/observe_atomic.hpp"

#undef threadIdx
#undef blockIdx
#undef blockDim
#undef gridDim

namespace vaecuda::simt {
namespace {

[[noreturn]] void fail(FaultKind kind, const char* what) {
  {
    Unobserved guard;
    set_fault(guard.context(), kind, nullptr, what);
  }
  abandon_thread();
}

}  // namespace

Index3 thread_index() noexcept {
  const Fiber& fiber = g_block->fiber();
  return {fiber.x, fiber.y, 0};
}

Index3 block_index() noexcept {
  return {g_block->index(), 0, 0};
}

Index3 block_extent() noexcept {
  return {g_block->head().threads_x, g_block->head().threads_y, 1};
}

Index3 grid_extent() noexcept {
  return {g_block->head().blocks, 1, 1};
}

void* shared_array(const void* key, std::size_t bytes) {
  return reinterpret_cast<void*>(g_block->shared_array(key, bytes).base);
}

void* dynamic_shared() {
  Region* region = g_block->dynamic_shared();
  if (region == nullptr)
    fail(FaultKind::launch_shape, "asks for dynamic shared memory, and the launch has none");
  return reinterpret_cast<void*>(region->base);
}

void block_barrier(const char* file, unsigned line) {
  g_block->wait_at_barrier(Wait::block_barrier, {file, line});
}

void grid_barrier(const char* file, unsigned line) {
  if (!g_block->head().cooperative)
    fail(FaultKind::divergence, "comes to a grid barrier, in a launch that is not cooperative");
  g_block->wait_at_barrier(Wait::grid_barrier, {file, line});
}

std::uint64_t shuffle_xor(std::uint64_t bits, unsigned bytes, int mask) {
  if (mask < 0 || mask >= static_cast<int>(kWarp))
    fail(FaultKind::divergence, "shuffles with a mask outside 0 to 31");
  return g_block->shuffle(bits, bytes, mask);
}

void raise_flag(std::int32_t* flag) {
  observe_atomic(flag, sizeof(*flag));
  *flag |= 1;
}

void atomic_min(std::int64_t* target, std::int64_t value) {
  observe_atomic(target, sizeof(*target));
  if (value < *target) *target = value;
}

std::uint32_t take_ticket(std::uint32_t* counter) {
  observe_atomic(counter, sizeof(*counter));
  {
    Unobserved guard;
    Context& context = guard.context();
    context.pass->tickets.take(counter, g_block->order(), g_block->running(), context.pass->memory->tick());
    context.me = make_record(g_block->order().now, who_of(context.me));
  }
  return (*counter)++;
}

void refuse_random_offset() {
  fail(FaultKind::launch_shape, "asks curand_init for an offset that is no multiple of 4");
}

void copy_8_bytes(void* to, const void* from) {
  observe<Access::read, 8>(from);
  observe<Access::write, 8>(to);
  std::memcpy(to, from, 8);
}

void copy_16_bytes(void* to, const void* from) {
  observe<Access::read, 16>(from);
  observe<Access::write, 16>(to);
  std::memcpy(to, from, 16);
}

}  // namespace vaecuda::simt
