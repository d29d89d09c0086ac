#include "kernels/codebook.hpp"
#include "kernels/device/device.cuh"
#include "kernels/device/element_launch.cuh"
#include "kernels/device/random.cuh"
#include "kernels/device/vector.cuh"

namespace vaecuda::kernels {
namespace {

using device::Quad;

constexpr int kWarps = 8;
constexpr int kWarpRows = 4;  // rows of a warp: an element of a code, once read, serves all of them
constexpr int kTileRows = kWarps * kWarpRows;
constexpr int kLaneCodes = 2;
constexpr int kTileCodes = kLaneCodes * device::kWarpSize;
constexpr int kTileColumns = 32;
constexpr int kCodeStride = kTileColumns + 1;  // odd: the lanes' codes lie in different banks
constexpr int kBlock = kWarps * device::kWarpSize;
constexpr int kRowSumThreads = 128;

/// `rows` of up to kTileColumns columns from `first` on into shared memory; zeros from `inside` rows on.
__device__ __forceinline__ void stage(float* tile, int tile_stride, int rows, const float* from,
                                      std::int64_t stride, std::int64_t inside, int columns) {
  const int thread = static_cast<int>(threadIdx.y * device::kWarpSize + threadIdx.x);
  for (int t = thread; t < rows * columns; t += kBlock) {
    const int row = t / columns;
    const int column = t - row * columns;
    tile[row * tile_stride + column] = row < inside ? from[row * stride + column] : 0.0f;
  }
}

/// The row's error, and the fault where it is not finite.
__device__ __forceinline__ void leave_error(const VectorQuantizeArgs& args, std::int64_t row, float error) {
  args.error[row * args.error_stride] = error;
  if (args.fault != nullptr && math::is_nonfinite(error)) device::raise_flag(args.fault);
}

/// Equation: for each row and codebook g: codes (B,G) = argmin over k of ‖latent_g − e_gk‖², the lowest of
///   equals; z_g = that code; distances (B,G) = the least distance, or with one codebook error (B,1). A
///   distance that is not a number is never the least; where none is below infinity the code is 0 and the
///   distance infinite.
/// Threads: a tile is 32 rows of one codebook. Blocks of (32, 8); a warp has four rows, its lanes two codes
///   each of the 64 codes by 32 columns that lie in shared memory at a time, and so eight sums in registers.
/// Bytes: a row: 4·Z read; 8·G written, and z as 4·Z in fp32, 2·Z in bfloat16. The codebook, 4·M·L, and the
///   nearest codes again, a tile, out of the cache. Latents wider than 32 columns a codebook are read again,
///   out of the cache, for every 64 codes.
/// Alignment: any; element by element.
/// Determinism: a distance is summed in the order of columns; the comparison of (distance, index) pairs has
///   the same result in any order.
/// Faults: with one codebook a row whose error is not finite raises *fault.
__device__ __forceinline__ void vector_quantize_tile(const VectorQuantizeArgs& args, device::Tile tile) {
  const auto tiles = static_cast<unsigned>((args.batch + kTileRows - 1) / kTileRows);
  const std::int64_t group = tile.index / tiles;
  const std::int64_t first_row = static_cast<std::int64_t>(tile.index % tiles) * kTileRows;
  const std::int64_t size = args.shape.size;
  const std::int64_t width = args.shape.width;
  const float* latent = args.latent.data + first_row * args.latent.stride + group * width;
  const float* codebook = args.codebook + group * size * width;
  const int lane = static_cast<int>(threadIdx.x);
  const int warp_row = static_cast<int>(threadIdx.y) * kWarpRows;
  float* rows = device::shared_array<float, kTileRows * kTileColumns, 1>();
  float* codes = device::shared_array<float, kTileCodes * kCodeStride, 2>();

  float least[kWarpRows];
  std::int32_t nearest[kWarpRows];
  for (int r = 0; r < kWarpRows; ++r) {
    least[r] = INFINITY;
    nearest[r] = 0;
  }
  for (std::int64_t code = 0; code < size; code += kTileCodes) {
    float distance[kWarpRows][kLaneCodes] = {};
    for (std::int64_t column = 0; column < width; column += kTileColumns) {
      const int columns = static_cast<int>(width - column < kTileColumns ? width - column : kTileColumns);
      device::block_barrier();  // the tiles before may still be read
      if (code == 0 || width > kTileColumns) {
        stage(rows, kTileColumns, kTileRows, latent + column, args.latent.stride, args.batch - first_row,
              columns);
      }
      stage(codes, kCodeStride, kTileCodes, codebook + code * width + column, width, size - code, columns);
      device::block_barrier();
      for (int i = 0; i < columns; ++i) {
        float e[kLaneCodes];
        for (int c = 0; c < kLaneCodes; ++c) e[c] = codes[(lane + c * device::kWarpSize) * kCodeStride + i];
        for (int r = 0; r < kWarpRows; ++r) {
          const float z = rows[(warp_row + r) * kTileColumns + i];
          for (int c = 0; c < kLaneCodes; ++c) distance[r][c] += math::squared_difference(z, e[c]);
        }
      }
    }
    for (int c = 0; c < kLaneCodes; ++c) {
      const std::int64_t k = code + lane + c * device::kWarpSize;
      for (int r = 0; r < kWarpRows; ++r) {
        if (k < size && distance[r][c] < least[r]) {  // a lane's codes ascend, so the first of equals stays
          least[r] = distance[r][c];
          nearest[r] = static_cast<std::int32_t>(k);
        }
      }
    }
  }
  for (int r = 0; r < kWarpRows; ++r) {
    for (int mask = device::kWarpSize / 2; mask > 0; mask /= 2) {
      const float other = device::shuffle_xor(least[r], mask);
      const std::int32_t other_code = device::shuffle_xor(nearest[r], mask);
      if (other < least[r] || (other == least[r] && other_code < nearest[r])) {
        least[r] = other;
        nearest[r] = other_code;
      }
    }
    const std::int64_t row = first_row + warp_row + r;
    if (row >= args.batch) continue;
    if (lane == 0) {
      args.codes[row * args.codes_stride + group] = static_cast<float>(nearest[r]);
      if (args.shape.groups == 1) {
        leave_error(args, row, least[r]);
      } else {
        args.distances[row * args.distances_stride + group] = least[r];
      }
    }
    const float* code = codebook + nearest[r] * width;
    const std::int64_t at = row * args.z.stride + group * width;
    for (std::int64_t c = lane; c < width; c += device::kWarpSize) {
      if (args.z.data != nullptr) args.z.data[at + c] = code[c];
      if (args.z.half != nullptr) args.z.half[at + c] = math::to_bfloat16(code[c]);
    }
  }
}

__global__ void __launch_bounds__(kBlock) vector_quantize_kernel(const VectorQuantizeArgs args) {
  vector_quantize_tile(args, device::this_tile());
}

/// Equation: error (B,1) = Σ over G of distances (B,G).
/// Threads: one a row, blocks of 128.
/// Bytes: a row: 4·G read, 4 written.
/// Alignment: any; element by element.
/// Determinism: in the order of codebooks.
/// Faults: a row whose error is not finite raises *fault.
__device__ __forceinline__ void quantization_error_tile(const VectorQuantizeArgs& args, device::Tile tile) {
  const std::int64_t row = static_cast<std::int64_t>(tile.index) * kRowSumThreads + threadIdx.x;
  if (row >= args.batch) return;
  float error = 0.0f;
  for (std::int64_t g = 0; g < args.shape.groups; ++g) {
    error += args.distances[row * args.distances_stride + g];
  }
  leave_error(args, row, error);
}

__global__ void __launch_bounds__(kRowSumThreads) quantization_error_kernel(const VectorQuantizeArgs args) {
  quantization_error_tile(args, device::this_tile());
}

/// Equation: dlatent (B,Z) = dz (B,Z) + commitment · (latent (B,Z) − z (B,Z)).
/// Threads: one quad of columns each, blocks of 256 (device::element_shape).
/// Bytes: an element: 12 read; written 4 in fp32, 2 in bfloat16.
/// Alignment: any; quads are moved by load_quad and store_quad.
/// Determinism: elementwise.
/// Aliases: dlatent may be dz: a thread reads its quad before it writes there.
__device__ __forceinline__ void vector_quantize_backward_tile(const VectorQuantizeBackwardArgs& args,
                                                              device::Tile tile) {
  const device::ElementPlace at = device::element_place(tile, args.columns);
  if (at.row >= args.batch) return;
  const auto load = [&](const InMatrix& matrix) {
    return device::load_quad(matrix.data + at.row * matrix.stride, at.column, args.columns);
  };
  const Quad latent = load(args.latent);
  const Quad z = load(args.z);
  Quad gradient = load(args.dz);
  for (int i = 0; i < 4; ++i) {
    gradient.v[i] = math::quantize_backward(latent.v[i], z.v[i], gradient.v[i], args.commitment);
  }
  device::store_quad(args.dlatent, at.row, at.column, args.columns, gradient);
}

__global__ void __launch_bounds__(device::kElementThreads)
    vector_quantize_backward_kernel(const VectorQuantizeBackwardArgs args) {
  vector_quantize_backward_tile(args, device::this_tile());
}

/// Equation: z (B,Z) = the vectors of codes (B,G); a code outside of its codebook takes the nearest inside.
/// Threads: one quad of columns each, blocks of 256 (device::element_shape).
/// Bytes: an element: 4 of the codebook read out of the cache; written 4 in fp32, 2 in bfloat16. 4·G a row of
///   codes.
/// Alignment: any; codes and codebook are read element by element, z is written by store_quad.
/// Determinism: a copy.
__device__ __forceinline__ void look_up_codes_tile(const LookUpCodesArgs& args, device::Tile tile) {
  const std::int64_t columns = args.shape.groups * args.shape.width;
  const device::ElementPlace at = device::element_place(tile, columns);
  if (at.row >= args.batch) return;
  Quad z{{0.0f, 0.0f, 0.0f, 0.0f}};
  for (int i = 0; i < 4; ++i) {
    const std::int64_t column = at.column + i;
    if (column >= columns) break;
    const std::int64_t group = column / args.shape.width;
    const float stored = args.codes.data[at.row * args.codes.stride + group];
    const std::int64_t code = group * args.shape.size + math::code_index(stored, args.shape.size);
    z.v[i] = args.codebook[code * args.shape.width + column - group * args.shape.width];
  }
  device::store_quad(args.z, at.row, at.column, columns, z);
}

__global__ void __launch_bounds__(device::kElementThreads) look_up_codes_kernel(const LookUpCodesArgs args) {
  look_up_codes_tile(args, device::this_tile());
}

/// Equation: codes (B,G) = drawn uniformly from 0 … M − 1.
/// Threads: one quad of codebooks each, blocks of 256 (device::element_shape).
/// Bytes: a code: 4 written.
/// Alignment: any; quads are moved by store_quad.
/// Determinism: a code depends on seed, purpose, position and codebook alone.
__device__ __forceinline__ void sample_codes_tile(const SampleCodesArgs& args, device::Tile tile) {
  const device::ElementPlace at = device::element_place(tile, args.shape.groups);
  if (at.row >= args.batch) return;
  const auto position = static_cast<std::uint64_t>(args.state->position + at.row);
  curandStatePhilox4_32_10_t random = device::random_state(args.seed, args.purpose, position, at.column);
  const uint4 words = curand4(&random);
  const std::uint32_t bits[4] = {words.x, words.y, words.z, words.w};
  Quad codes;
  for (int i = 0; i < 4; ++i) {
    codes.v[i] = static_cast<float>(math::index_from_bits(bits[i], args.shape.size));
  }
  device::store_quad(args.codes + at.row * args.codes_stride, at.column, args.shape.groups, codes);
}

__global__ void __launch_bounds__(device::kElementThreads) sample_codes_kernel(const SampleCodesArgs args) {
  sample_codes_tile(args, device::this_tile());
}

}  // namespace

void launch(const VectorQuantizeArgs& args, Stream stream) {
  device::LaunchShape shape;
  shape.blocks = static_cast<unsigned>((args.batch + kTileRows - 1) / kTileRows * args.shape.groups);
  shape.threads_x = device::kWarpSize;
  shape.threads_y = kWarps;
  device::launch("vector_quantize", vector_quantize_kernel, shape, stream, args);
  if (args.shape.groups == 1) return;
  device::LaunchShape rows;
  rows.blocks = static_cast<unsigned>((args.batch + kRowSumThreads - 1) / kRowSumThreads);
  rows.threads_x = kRowSumThreads;
  device::launch("quantization_error", quantization_error_kernel, rows, stream, args);
}

void launch(const VectorQuantizeBackwardArgs& args, Stream stream) {
  device::launch("vector_quantize_backward", vector_quantize_backward_kernel,
                 device::element_shape(args.batch, args.columns), stream, args);
}

void launch(const LookUpCodesArgs& args, Stream stream) {
  device::launch("look_up_codes", look_up_codes_kernel,
                 device::element_shape(args.batch, args.shape.groups * args.shape.width), stream, args);
}

void launch(const SampleCodesArgs& args, Stream stream) {
  device::launch("sample_codes", sample_codes_kernel, device::element_shape(args.batch, args.shape.groups),
                 stream, args);
}

}  // namespace vaecuda::kernels
