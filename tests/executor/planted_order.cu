// Planted faults between threads, between blocks, and in the launch.
#include <curand_kernel.h>

#include <cstdint>

#include "executor/planted.cuh"

namespace vaecuda::test {
namespace {

// Threads that should meet and do not.

__global__ void early_exit_kernel(const PlantArgs args) {
  if (args.planted && threadIdx.y == 1) return;
  device::block_barrier();
  args.out[thread_of_grid()] = 1.0f;
}

__global__ void shuffle_beside_barrier_kernel(const PlantArgs args) {
  if (args.planted && threadIdx.x >= 16) {
    device::block_barrier();
  } else {
    args.out[thread_of_grid()] = device::shuffle_xor(1.0f, 1);
  }
}

__global__ void shuffle_after_exit_kernel(const PlantArgs args) {
  if (args.planted && is_thread(1, 31, 1)) return;
  args.out[thread_of_grid()] = device::shuffle_xor(1.0f, 1);
}

__global__ void shuffle_masks_kernel(const PlantArgs args) {
  args.out[thread_of_grid()] = device::shuffle_xor(1.0f, args.planted && is_thread(0, 5, 0) ? 2 : 1);
}

__global__ void shuffle_sizes_kernel(const PlantArgs args) {
  if (args.planted && is_thread(0, 4, 1)) {
    args.out[thread_of_grid()] = static_cast<float>(device::shuffle_xor(1.0, 1));
  } else {
    args.out[thread_of_grid()] = device::shuffle_xor(1.0f, 1);
  }
}

__global__ void shuffle_mask_outside_kernel(const PlantArgs args) {
  args.out[thread_of_grid()] = device::shuffle_xor(1.0f, args.planted ? 32 : 31);
}

__global__ void different_barriers_kernel(const PlantArgs args) {
  args.out[thread_of_grid()] = 1.0f;
  if (args.planted && threadIdx.y == 1) {
    device::block_barrier();
  } else {
    device::block_barrier();
  }
}

__global__ void grid_barrier_after_exit_kernel(const PlantArgs args) {
  if (args.planted && blockIdx.x == 1) return;
  device::grid_barrier();
  args.out[thread_of_grid()] = 1.0f;
}

__global__ void grid_barrier_without_thread_kernel(const PlantArgs args) {
  if (args.planted && is_thread(1, 9, 0)) return;
  device::grid_barrier();
  args.out[thread_of_grid()] = 1.0f;
}

__global__ void grid_beside_block_barrier_kernel(const PlantArgs args) {
  if (args.planted && threadIdx.y == 1) device::block_barrier();
  device::grid_barrier();
  args.out[thread_of_grid()] = 1.0f;
}

__global__ void different_grid_barriers_kernel(const PlantArgs args) {
  args.out[thread_of_grid()] = 1.0f;
  if (args.planted && blockIdx.x == 1) {
    device::grid_barrier();
  } else {
    device::grid_barrier();
  }
}

__global__ void grid_barrier_not_cooperative_kernel(const PlantArgs args) {
  if (args.planted && blockIdx.x == 1) device::grid_barrier();
  args.out[thread_of_grid()] = 1.0f;
}

// Races in a block. Shared memory is written once before, behind a barrier.

__device__ __forceinline__ float* filled_shared() {
  auto* s = device::shared_array<float, kPlantedThreads>();
  s[thread_of_block()] = 1.0f;
  device::block_barrier();
  return s;
}

__global__ void read_then_write_kernel(const PlantArgs args) {
  float* s = filled_shared();
  const int t = thread_of_block();
  const float next = s[(t + 1) % kPlantedThreads];
  if (!args.planted) device::block_barrier();
  s[t] = next;
  args.out[thread_of_grid()] = s[t];
}

__global__ void write_then_read_kernel(const PlantArgs args) {
  float* s = filled_shared();
  const int t = thread_of_block();
  s[t] = 2.0f;
  if (!args.planted) device::block_barrier();
  args.out[thread_of_grid()] = s[(t + kPlantedThreads - 1) % kPlantedThreads];
}

__global__ void write_twice_kernel(const PlantArgs args) {
  float* s = filled_shared();
  if (args.planted || thread_of_block() == 0) s[0] = 2.0f;
  args.out[thread_of_grid()] = 1.0f;
}

__global__ void shuffle_is_no_barrier_kernel(const PlantArgs args) {
  float* s = filled_shared();
  const int t = thread_of_block();
  s[t] = device::shuffle_xor(2.0f, 1);
  if (args.planted) {
    s[t] = device::shuffle_xor(s[t], 1);
  } else {
    device::block_barrier();
  }
  args.out[thread_of_grid()] = s[t ^ 1];
}

__global__ void exchange_in_global_kernel(const PlantArgs args) {
  const int i = thread_of_grid();
  args.scratch[i] = 2.0f;
  if (!args.planted) device::block_barrier();
  args.out[i] = args.scratch[i ^ 1];
}

__global__ void bytes_of_a_word_kernel(const PlantArgs args) {
  filled_shared();
  auto* bytes = device::shared_array<std::uint8_t, kPlantedThreads>();
  const int t = thread_of_block();
  bytes[args.planted && is_thread(0, 3, 0) ? 2 : t] = 1;
  args.out[thread_of_grid()] = 1.0f;
}

// Races between blocks.

__global__ void blocks_write_then_read_kernel(const PlantArgs args) {
  const int t = thread_of_block();
  if (blockIdx.x == 0) {
    args.scratch[t] = 2.0f;
  } else {
    args.out[t] = args.scratch[args.planted ? t : kPlantedThreads + t];
  }
}

__global__ void blocks_read_then_write_kernel(const PlantArgs args) {
  const int t = thread_of_block();
  if (blockIdx.x == 0) {
    args.out[t] = args.scratch[t];
  } else {
    args.scratch[args.planted && is_thread(1, 6, 1) ? t : kPlantedThreads + t] = 2.0f;
  }
}

__global__ void blocks_write_alike_kernel(const PlantArgs args) {
  if (thread_of_block() == 0) args.scratch[args.planted ? 0 : blockIdx.x] = 2.0f;
}

__global__ void flag_and_plain_read_kernel(const PlantArgs args) {
  if (thread_of_block() != 0) return;
  auto* flag = reinterpret_cast<std::int32_t*>(args.counter);
  if (args.planted && blockIdx.x == 1) {
    args.out[0] = *flag == 0 ? 1.0f : 2.0f;
  } else {
    device::raise_flag(flag);
  }
}

__global__ void minimum_and_plain_write_kernel(const PlantArgs args) {
  if (thread_of_block() != 0) return;
  auto* lowest = reinterpret_cast<std::int64_t*>(args.words);
  if (args.planted && blockIdx.x == 1) {
    *lowest = -1;
  } else {
    device::atomic_min(lowest, -1);
  }
}

__device__ __forceinline__ bool has_ticket(const PlantArgs& args, std::uint32_t wanted) {
  auto* mine = device::shared_array<bool, 1, 7>();
  if (thread_of_block() == 0) *mine = device::take_ticket(args.counter) == wanted;
  device::block_barrier();
  return *mine;
}

__device__ __forceinline__ void add_both(const PlantArgs& args) {
  const int t = thread_of_block();
  args.out[t] = args.scratch[t] + args.scratch[kPlantedThreads + t];
}

__global__ void ticket_without_barrier_kernel(const PlantArgs args) {
  args.scratch[thread_of_grid()] = 2.0f;
  if (!args.planted) device::block_barrier();
  if (has_ticket(args, 1)) add_both(args);
}

__global__ void first_ticket_kernel(const PlantArgs args) {
  args.scratch[thread_of_grid()] = 2.0f;
  device::block_barrier();
  if (has_ticket(args, args.planted ? 0 : 1)) add_both(args);
}

__device__ __forceinline__ void take_others(const PlantArgs& args) {
  args.out[thread_of_grid()] = args.scratch[(thread_of_grid() + kPlantedThreads) % kPlantedFloats];
}

__global__ void grid_barrier_kernel(const PlantArgs args) {
  for (int turn = 0; turn < 3; ++turn) {
    args.scratch[thread_of_grid()] = static_cast<float>(turn);
    device::grid_barrier();
    take_others(args);
    if (!(args.planted && turn == 1)) device::grid_barrier();
  }
}

__global__ void grid_barrier_by_hand_kernel(const PlantArgs args) {
  std::uint32_t barriers = 0;
  for (int turn = 0; turn < 3; ++turn) {
    args.scratch[thread_of_grid()] = static_cast<float>(turn);
    device::grid_barrier_by_hand(args.counter, barriers++, gridDim.x);
    take_others(args);
    if (!(args.planted && turn == 1)) device::grid_barrier_by_hand(args.counter, barriers++, gridDim.x);
  }
}

__global__ void cluster_barrier_kernel(const PlantArgs args) {
  for (int turn = 0; turn < 3; ++turn) {
    args.scratch[thread_of_grid()] = static_cast<float>(turn);
    device::cluster_barrier();
    take_others(args);
    if (!(args.planted && turn == 1)) device::cluster_barrier();
  }
}

// Results that depend on who comes first, without a race.

__global__ void block_order_kernel(const PlantArgs args) {
  if (thread_of_block() != 0) return;
  const std::uint32_t ticket = device::take_ticket(args.counter);
  args.words[blockIdx.x] = args.planted ? ticket : blockIdx.x;
}

__global__ void lane_order_kernel(const PlantArgs args) {
  const auto ticket = static_cast<float>(device::take_ticket(args.counter));
  const int i = thread_of_grid();
  args.scratch[i] = args.planted && i >= 32 ? ticket : static_cast<float>(i);
}

// Launches.

__global__ void no_dynamic_shared_kernel(const PlantArgs args) {
  if (args.planted) *device::dynamic_shared<float>() = 1.0f;
  args.out[thread_of_grid()] = 1.0f;
}

__global__ void too_much_shared_kernel(const PlantArgs args) {
  auto* s = device::shared_array<float, 8192>();
  s[thread_of_block()] = 1.0f;
  if (args.planted) device::shared_array<float, 4097>()[thread_of_block()] = 1.0f;
  args.out[thread_of_grid()] = s[thread_of_block()];
}

__global__ void random_offset_kernel(const PlantArgs args) {
  curandStatePhilox4_32_10_t state;
  curand_init(1, 2, args.planted && is_thread(1, 1, 1) ? 6 : 8, &state);
  args.out[thread_of_grid()] = static_cast<float>(curand4(&state).x);
}

constexpr auto kGrid = LaunchKind::cooperative;

constexpr Planted kTable[] = {
    {"early exit", early_exit_kernel},
    {"shuffle beside barrier", shuffle_beside_barrier_kernel},
    {"shuffle after exit", shuffle_after_exit_kernel},
    {"shuffle masks", shuffle_masks_kernel},
    {"shuffle sizes", shuffle_sizes_kernel},
    {"shuffle mask outside", shuffle_mask_outside_kernel},
    {"different barriers", different_barriers_kernel},
    {"grid barrier after exit", grid_barrier_after_exit_kernel, kGrid},
    {"grid barrier without thread", grid_barrier_without_thread_kernel, kGrid},
    {"grid beside block barrier", grid_beside_block_barrier_kernel, kGrid},
    {"different grid barriers", different_grid_barriers_kernel, kGrid},
    {"grid barrier, not cooperative", grid_barrier_not_cooperative_kernel},
    {"read then write", read_then_write_kernel},
    {"write then read", write_then_read_kernel},
    {"write twice", write_twice_kernel},
    {"shuffle is no barrier", shuffle_is_no_barrier_kernel},
    {"exchange in global", exchange_in_global_kernel},
    {"bytes of a word", bytes_of_a_word_kernel},
    {"blocks write then read", blocks_write_then_read_kernel},
    {"blocks read then write", blocks_read_then_write_kernel},
    {"blocks write alike", blocks_write_alike_kernel},
    {"flag and plain read", flag_and_plain_read_kernel},
    {"minimum and plain write", minimum_and_plain_write_kernel},
    {"ticket without barrier", ticket_without_barrier_kernel},
    {"first ticket", first_ticket_kernel},
    {"grid barrier", grid_barrier_kernel, kGrid},
    {"grid barrier by hand", grid_barrier_by_hand_kernel, kGrid},
    {"cluster barrier", cluster_barrier_kernel, LaunchKind::clusters},
    {"block order", block_order_kernel},
    {"lane order", lane_order_kernel, LaunchKind::plain, {1, 32, 2, 0}},
    {"no dynamic shared", no_dynamic_shared_kernel},
    {"too much shared", too_much_shared_kernel},
    {"random offset", random_offset_kernel},
    {"no blocks", early_exit_kernel, LaunchKind::plain, {0, 32, 2, 0}},
    {"no whole warps", early_exit_kernel, LaunchKind::plain, {2, 24, 2, 0}},
    {"too many threads", early_exit_kernel, LaunchKind::plain, {2, 1024, 2, 0}},
    {"too many blocks", early_exit_kernel, LaunchKind::plain, {(1U << 20) + 1, 32, 2, 0}},
    {"too much dynamic shared", early_exit_kernel, LaunchKind::plain, {2, 32, 2, (48U << 10) + 1}},
    {"grid that is not resident", early_exit_kernel, kGrid, {65, 32, 2, 0}},
};

}  // namespace

bool launch_planted_order(const std::string& name, const PlantArgs& args, kernels::Stream stream) {
  return launch_by_name(kTable, name, args, stream);
}

}  // namespace vaecuda::test
