// Planted faults of single accesses: out of bounds, misaligned, never written.
#include <cstdint>

#include "executor/planted.cuh"

namespace vaecuda::test {
namespace {

// Out of bounds.

__global__ void copy_kernel(const PlantArgs args) {
  const int i = thread_of_grid();
  args.out[i] = args.in[i];
}

__global__ void read_past_end_kernel(const PlantArgs args) {
  const int i = thread_of_grid();
  args.out[i] = args.in[args.planted && is_thread(1, 31, 1) ? kPlantedFloats : i];
}

__global__ void write_past_end_kernel(const PlantArgs args) {
  const int i = thread_of_grid();
  args.out[args.planted && is_thread(0, 5, 0) ? kPlantedFloats : i] = 1.0f;
}

__global__ void read_before_start_kernel(const PlantArgs args) {
  const int i = thread_of_grid();
  args.out[i] = args.in[args.planted && is_thread(0, 2, 1) ? -1 : i];
}

__global__ void write_before_start_kernel(const PlantArgs args) {
  const int i = thread_of_grid();
  args.out[args.planted && is_thread(1, 0, 0) ? -3 : i] = 1.0f;
}

__global__ void read_far_away_kernel(const PlantArgs args) {
  const std::int64_t i = thread_of_grid();
  args.out[i] = args.in[args.planted && is_thread(0, 0, 1) ? std::int64_t{1} << 30 : i];
}

__global__ void write_constant_kernel(const PlantArgs args) {
  static const float kTable[4] = {1.0f, 2.0f, 3.0f, 4.0f};
  const int i = thread_of_grid();
  if (args.planted && is_thread(0, 1, 0)) const_cast<float*>(kTable)[i] = 5.0f;
  args.out[i] = kTable[i % 4];
}

__global__ void write_past_shared_kernel(const PlantArgs args) {
  auto* s = device::shared_array<float, kPlantedThreads>();
  const int t = thread_of_block();
  s[t] = 1.0f;
  s[args.planted && is_thread(1, 7, 1) ? kPlantedThreads : t] = 2.0f;
  args.out[thread_of_grid()] = s[t];
}

__global__ void read_past_dynamic_shared_kernel(const PlantArgs args) {
  auto* s = device::dynamic_shared<float>();
  const int t = thread_of_block();
  s[t] = 1.0f;
  args.out[thread_of_grid()] = s[args.planted && is_thread(0, 31, 0) ? kPlantedThreads : t];
}

__global__ void read_other_blocks_shared_kernel(const PlantArgs args) {
  auto* s = device::shared_array<float, kPlantedThreads>();
  const int t = thread_of_block();
  s[t] = 1.0f;
  if (t == 0) args.words[blockIdx.x] = reinterpret_cast<std::uintptr_t>(s);
  device::grid_barrier();
  const unsigned from = args.planted && is_thread(1, 3, 0) ? 0 : blockIdx.x;
  args.out[thread_of_grid()] = reinterpret_cast<const float*>(args.words[from])[t];
}

/// Its own function, so that other threads' frames stay small.
__attribute__((noinline)) __device__ float sum_of_many(const float* in, int count) {
  float many[17000];
  for (int i = 0; i < count; ++i) many[i] = in[i % kPlantedFloats];
  float sum = 0.0f;
  for (int i = 0; i < count; ++i) sum += many[(i * 7) % count];
  return sum;
}

__global__ void deep_stack_kernel(const PlantArgs args) {
  const int i = thread_of_grid();
  args.out[i] = args.planted && is_thread(0, 5, 0) ? sum_of_many(args.in, 17000) : args.in[i];
}

// Out of bounds in part: what is read or written begins inside.

constexpr int kRaggedVectors = kRaggedFloats / 4;
constexpr int kRaggedPairs = kRaggedFloats / 2;

__global__ void vector_read_past_end_kernel(const PlantArgs args) {
  const int q = thread_of_grid();
  if (q > (args.planted ? kRaggedVectors : kRaggedVectors - 1)) return;
  const float4 four = reinterpret_cast<const float4*>(args.ragged)[q];
  args.out[q] = four.x + four.w;
}

__global__ void vector_write_past_end_kernel(const PlantArgs args) {
  const int q = thread_of_grid();
  if (q > (args.planted ? kRaggedVectors : kRaggedVectors - 1)) return;
  reinterpret_cast<float4*>(args.ragged)[q] = make_float4(1.0f, 2.0f, 3.0f, 4.0f);
}

__global__ void pair_write_past_end_kernel(const PlantArgs args) {
  const int q = thread_of_grid();
  if (q > (args.planted ? kRaggedPairs : kRaggedPairs - 1)) return;
  reinterpret_cast<uint2*>(args.ragged)[q] = make_uint2(1, 2);
}

struct Row {
  float v[5];
};

__global__ void struct_read_past_end_kernel(const PlantArgs args) {
  constexpr int kRows = kRaggedFloats / 5;
  const int r = thread_of_grid();
  if (r > (args.planted ? kRows : kRows - 1)) return;
  const Row row = reinterpret_cast<const Row*>(args.ragged)[r];
  args.out[r] = row.v[r % 5] + row.v[4];
}

__global__ void memcpy_past_end_kernel(const PlantArgs args) {
  const int q = thread_of_grid();
  if (q >= kPlantedFloats / 4) return;
  const std::size_t bytes = args.planted && is_thread(0, 31, 0) ? 20 : 16;
  memcpy(args.scratch + 4 * q, args.in + 4 * q, bytes);
}

__global__ void memset_past_end_kernel(const PlantArgs args) {
  const int q = thread_of_grid();
  if (q >= kPlantedFloats / 4) return;
  const std::size_t bytes = args.planted && is_thread(0, 31, 0) ? 17 : 16;
  memset(args.scratch + 4 * q, 0, bytes);
}

// Misaligned.

__global__ void misaligned_vector_read_kernel(const PlantArgs args) {
  const int q = thread_of_block();
  if (q >= 16) return;
  const float* from = args.in + 4 * q + (args.planted && is_thread(0, 6, 0) ? 1 : 0);
  const float4 four = *reinterpret_cast<const float4*>(from);
  args.out[thread_of_grid()] = four.y;
}

__global__ void misaligned_vector_write_kernel(const PlantArgs args) {
  const int q = thread_of_grid();
  if (q >= 16) return;
  float* to = args.out + 4 * q + (args.planted && is_thread(0, 8, 0) ? 2 : 0);
  *reinterpret_cast<float4*>(to) = make_float4(1.0f, 2.0f, 3.0f, 4.0f);
}

__global__ void misaligned_number_kernel(const PlantArgs args) {
  const int i = thread_of_grid();
  const char* from = reinterpret_cast<const char*>(args.in + i);
  if (args.planted && is_thread(1, 4, 1)) from -= 2;
  args.out[i] = *reinterpret_cast<const float*>(from);
}

__global__ void misaligned_ticket_kernel(const PlantArgs args) {
  if (thread_of_block() != 0) return;
  char* counter = reinterpret_cast<char*>(args.counter);
  if (args.planted) counter += 2;
  device::take_ticket(reinterpret_cast<std::uint32_t*>(counter));
}

// Never written.

__global__ void unwritten_shared_kernel(const PlantArgs args) {
  auto* s = device::shared_array<float, kPlantedThreads>();
  const int t = thread_of_block();
  if (!(args.planted && is_thread(0, 3, 0))) s[t] = 1.0f;
  args.out[thread_of_grid()] = s[t];
}

__global__ void stale_shared_kernel(const PlantArgs args) {
  auto* s = device::shared_array<float, kPlantedThreads>();
  const int t = thread_of_block();
  if (!args.planted || blockIdx.x == 0) s[t] = 1.0f;
  args.out[thread_of_grid()] = s[t];
}

__global__ void unwritten_global_kernel(const PlantArgs args) {
  const int i = thread_of_grid();
  if (!(args.planted && is_thread(1, 0, 1))) args.out[i] = 1.0f;
  args.scratch[i] = args.out[i];
}

__global__ void half_written_vector_kernel(const PlantArgs args) {
  const int q = thread_of_grid();
  if (q >= kPlantedFloats / 4) return;
  const int written = args.planted && is_thread(0, 2, 0) ? 3 : 4;
  for (int k = 0; k < written; ++k) args.out[4 * q + k] = 1.0f;
  const float4 four = reinterpret_cast<const float4*>(args.out)[q];
  args.scratch[q] = four.x;
}

__global__ void half_written_number_kernel(const PlantArgs args) {
  const int i = thread_of_grid();
  auto* bytes = reinterpret_cast<std::uint8_t*>(args.out + i);
  const int written = args.planted && is_thread(0, 9, 0) ? 3 : 4;
  for (int k = 0; k < written; ++k) bytes[k] = 0;
  args.scratch[i] = args.out[i];
}

__global__ void unwritten_ticket_kernel(const PlantArgs args) {
  if (!is_thread(1, 0, 0)) return;
  device::take_ticket(args.planted ? reinterpret_cast<std::uint32_t*>(args.out) : args.counter);
}

__global__ void memcpy_unwritten_kernel(const PlantArgs args) {
  const int q = thread_of_grid();
  if (q >= kPlantedFloats / 4) return;
  const float* from = args.planted && is_thread(0, 1, 0) ? args.out : args.in;
  const std::size_t bytes = args.planted ? 16 : 12;
  memcpy(args.scratch + 4 * q, from + 4 * q, bytes);
}

constexpr Planted kTable[] = {
    {"copy", copy_kernel},
    {"read past end", read_past_end_kernel},
    {"write past end", write_past_end_kernel},
    {"read before start", read_before_start_kernel},
    {"write before start", write_before_start_kernel},
    {"read far away", read_far_away_kernel},
    {"write constant", write_constant_kernel},
    {"write past shared", write_past_shared_kernel},
    {"read past dynamic shared",
     read_past_dynamic_shared_kernel,
     LaunchKind::plain,
     {2, 32, 2, 4 * kPlantedThreads}},
    {"read other block's shared", read_other_blocks_shared_kernel, LaunchKind::cooperative},
    {"deep stack", deep_stack_kernel},
    {"vector read past end", vector_read_past_end_kernel},
    {"vector write past end", vector_write_past_end_kernel},
    {"pair write past end", pair_write_past_end_kernel},
    {"struct read past end", struct_read_past_end_kernel},
    {"memcpy past end", memcpy_past_end_kernel},
    {"memset past end", memset_past_end_kernel},
    {"misaligned vector read", misaligned_vector_read_kernel},
    {"misaligned vector write", misaligned_vector_write_kernel},
    {"misaligned number", misaligned_number_kernel},
    {"misaligned ticket", misaligned_ticket_kernel},
    {"unwritten shared", unwritten_shared_kernel},
    {"stale shared", stale_shared_kernel},
    {"unwritten global", unwritten_global_kernel},
    {"half written vector", half_written_vector_kernel},
    {"half written number", half_written_number_kernel},
    {"unwritten ticket", unwritten_ticket_kernel},
    {"memcpy unwritten", memcpy_unwritten_kernel},
};

}  // namespace

bool launch_planted_access(const std::string& name, const PlantArgs& args, kernels::Stream stream) {
  return launch_by_name(kTable, name, args, stream);
}

}  // namespace vaecuda::test
