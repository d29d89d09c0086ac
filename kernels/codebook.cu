#include "kernels/codebook.hpp"
#include "kernels/device/device.cuh"
#include "kernels/device/reduce.cuh"
#include "kernels/device/tile.cuh"
#include "kernels/device/vector.cuh"

namespace vaecuda::kernels {
namespace {

using device::Quad;

constexpr int kRowsInFlight = 4;  // rows whose codes a thread has under way before it looks at the first
constexpr int kGroupThreads = 256;
constexpr std::int64_t kBlockElements = 1024;  // of a codebook, that one block of the average moves

/// Sums over the rows of one code: kQuads quads of columns by kLanes rows at a time.
template <int kQuads, int kLanes>
struct CodeRows {
  static constexpr int kColumns = 4 * kQuads;
  static constexpr int kWarpRows = device::kWarpSize / kQuads;
  static constexpr int kWarps = kLanes / kWarpRows;

  /// Adds `term` of every row that has the code, columns c … c + 3 by this thread, and counts those rows.
  template <typename Term>
  static __device__ __forceinline__ void add(const CodebookBatch& batch, std::int64_t group, float code,
                                             std::int64_t c, const Term& term, Quad& sum, float& count) {
    const float* latent = batch.latent.data + group * batch.shape.width;
    const float* codes = batch.codes.data + group;
    for (std::int64_t first = threadIdx.y; first < batch.batch; first += kRowsInFlight * kLanes) {
      float row_code[kRowsInFlight];
      for (int r = 0; r < kRowsInFlight; ++r) {
        const std::int64_t row = first + r * kLanes;
        row_code[r] = row < batch.batch ? codes[row * batch.codes.stride] : -1.0f;
      }
      for (int r = 0; r < kRowsInFlight; ++r) {
        if (row_code[r] != code) continue;
        const std::int64_t row = first + r * kLanes;
        const Quad z = device::load_quad(latent + row * batch.latent.stride, c, batch.shape.width);
        for (int i = 0; i < 4; ++i) sum.v[i] += term(z.v[i], i);
        count += 1.0f;
      }
    }
  }

  /// The block's sum of column `column` (thread 0 … kColumns − 1 of the block), row lanes of a warp by
  /// halves, then warps in order. All threads of the block must call it together.
  static __device__ __forceinline__ float total(Quad sum, int column) {
    for (int mask = device::kWarpSize / 2; mask >= kQuads; mask /= 2) {
      for (int i = 0; i < 4; ++i) sum.v[i] += device::shuffle_xor(sum.v[i], mask);
    }
    float* partial = device::shared_array<float, kWarps * kColumns, 1>();
    device::block_barrier();  // an earlier sum may still be read
    if (threadIdx.y % kWarpRows == 0) {
      float* mine = partial + threadIdx.y / kWarpRows * kColumns + 4 * threadIdx.x;
      for (int i = 0; i < 4; ++i) mine[i] = sum.v[i];
    }
    device::block_barrier();
    float all = 0.0f;
    if (column < kColumns) {
      for (int w = 0; w < kWarps; ++w) all += partial[w * kColumns + column];
    }
    return all;
  }
};

/// What a block does with its code once the sums are there.
struct GradientOfCode {
  const float* codebook;
  float* gradient;
  float scale;
  std::int64_t width;

  /// The code's own value in column c, for the terms of the sum.
  __device__ __forceinline__ Quad code(std::int64_t k, std::int64_t c) const {
    return device::load_quad(codebook + k * width, c, width);
  }
  __device__ __forceinline__ float term(float z, float e) const { return math::code_gradient(z, e); }
  __device__ __forceinline__ void finish(std::int64_t k, std::int64_t c, float sum) const {
    gradient[k * width + c] = scale * sum;
  }
  __device__ __forceinline__ void finish_count(std::int64_t, float) const {}
};

struct AverageOfCode {
  const float* codebook;
  float* sums;
  const float* used;
  float* averages;
  math::CodebookAverages<float> rule;
  std::int64_t width;
  const math::StepState* state;

  __device__ __forceinline__ Quad code(std::int64_t, std::int64_t) const {
    return Quad{{0.0f, 0.0f, 0.0f, 0.0f}};
  }
  __device__ __forceinline__ float term(float z, float) const { return z; }
  __device__ __forceinline__ void finish(std::int64_t k, std::int64_t c, float sum) const {
    float* average = sums + k * width + c;
    const float before = state->step == 0 ? rule.fair_count * codebook[k * width + c] : *average;
    *average = math::moving_average(rule, before, sum);
  }
  __device__ __forceinline__ void finish_count(std::int64_t k, float count) const {
    const float before = state->step == 0 ? rule.fair_count : used[k * width];
    averages[k] = math::moving_average(rule, before, count);
  }
};

/// Equation: counts (G,M) = rows of the batch by code, and over each code's rows what `Rule` takes: gradient
///   (G·M,L) = scale · Σ (code − latent); or sums (G·M,L) = γ·sums + (1 − γ)·Σ latent and averages (G,M) =
///   γ·used + (1 − γ)·count, in step 0 with fair_count · code for sums and fair_count for used.
/// Threads: a tile is a code. Blocks of (kQuads, kLanes): quads of columns by rows of the batch, (1,128)
///   where L ≤ 4, else (4,64); four rows' codes of a thread in flight; strips of 4·kQuads columns one after
///   the other.
/// Bytes: 4·B·Z of latents and, for each code and strip, 4·B of the rows' codes, out of the cache; 4 read and
///   4 written an element of the codebook; a code: 4 of its count written, and with averages 4 read and 4
///   written.
/// Alignment: any; latents and codes' vectors are read by load_quad, all else element by element.
/// Determinism: rows lane, lane + kLanes, … in order, then row lanes of a warp by halves, then warps in
///   order. The order depends on B and L alone.
/// Faults: nothing is written where state->fault is set.
template <typename Rule, int kQuads, int kLanes>
__device__ __forceinline__ void codebook_statistics_tile(const CodebookBatch& batch, const Rule& rule,
                                                         device::Tile tile) {
  using Rows = CodeRows<kQuads, kLanes>;
  if (batch.state->fault != 0) return;
  const std::int64_t width = batch.shape.width;
  const auto size = static_cast<std::uint64_t>(batch.shape.size);
  const std::uint64_t k = tile.index;
  const auto group = static_cast<std::int64_t>(k / size);
  const auto code = static_cast<float>(k - static_cast<std::uint64_t>(group) * size);
  const auto place = static_cast<std::int64_t>(k);
  const int thread = static_cast<int>(threadIdx.y * kQuads + threadIdx.x);
  for (std::int64_t strip = 0; strip < width; strip += Rows::kColumns) {
    const std::int64_t c = strip + 4 * threadIdx.x;
    const Quad own = rule.code(place, c);
    Quad sum{{0.0f, 0.0f, 0.0f, 0.0f}};
    float count = 0.0f;
    Rows::add(
        batch, group, code, c, [&](float z, int i) { return rule.term(z, own.v[i]); }, sum, count);
    const float total = Rows::total(sum, thread);
    if (thread < Rows::kColumns && strip + thread < width) {
      rule.finish(place, strip + thread, total);
    }
    if (strip > 0) continue;
    const float rows = Rows::total(Quad{{count, 0.0f, 0.0f, 0.0f}}, thread);
    if (thread == 0) {
      batch.counts[place] = rows;
      rule.finish_count(place, rows);
    }
  }
}

template <typename Rule, int kQuads, int kLanes>
__global__ void __launch_bounds__(kQuads* kLanes)
    codebook_statistics_kernel(const CodebookBatch batch, const Rule rule) {
  codebook_statistics_tile<Rule, kQuads, kLanes>(batch, rule, device::this_tile());
}

/// The perplexity of codebook `group` in the batch. All threads of the block must call it together.
__device__ __forceinline__ void leave_perplexity(const CodebookBatch& batch, std::int64_t group) {
  const float* counts = batch.counts + group * batch.shape.size;
  double sum = 0.0;
  for (std::int64_t k = threadIdx.x; k < batch.shape.size; k += kGroupThreads) {
    sum += math::count_times_log(static_cast<double>(counts[k]));
  }
  sum = device::block_sum<kGroupThreads>(sum);
  if (threadIdx.x == 0) {
    batch.perplexity[group * batch.perplexity_stride] =
        static_cast<float>(math::perplexity_of(sum, static_cast<double>(batch.batch)));
  }
}

/// Equation: perplexity (G,1) = e^H of counts (G,M), H the entropy of the codes' shares.
/// Threads: a tile is a codebook. Blocks of 256.
/// Bytes: a codebook: 4·M read, 4 written.
/// Alignment: any; element by element.
/// Determinism: summed in double, per thread in order, then as device::block_sum. The order depends on M
///   alone.
/// Faults: nothing is written where state->fault is set.
__device__ __forceinline__ void codebook_usage_tile(const CodebookBatch& batch, device::Tile tile) {
  if (batch.state->fault != 0) return;
  leave_perplexity(batch, tile.index);
}

__global__ void __launch_bounds__(kGroupThreads) codebook_usage_kernel(const CodebookBatch batch) {
  codebook_usage_tile(batch, device::this_tile());
}

/// Equation: from averages (G,M) and sums (G·M,L): codebook (G·M,L) = sums / smoothed_count, used = averages;
///   a code whose average lies below the rule's bound becomes a row of the batch, with a fair count.
///   perplexity (G,1) as codebook_usage.
/// Threads: a tile is 1024 elements of one codebook. Blocks of 256; each adds the codebook's averages for
///   itself, the first tile of a codebook its perplexity.
/// Bytes: an element: 4 read and 4 written, 4 and 8 where its code restarts. 4·M of averages a tile out of
///   the cache, 4·M of counts a codebook; 4 of `used` written a code.
/// Alignment: any; element by element.
/// Determinism: averages are summed in double, per thread in order, then as device::block_sum. The order
///   depends on M alone, so all tiles of a codebook have the same sum.
/// Faults: nothing is written where state->fault is set.
__device__ __forceinline__ void codebook_average_tile(const CodebookAverageArgs& args, device::Tile tile) {
  const CodebookBatch& batch = args.batch;
  if (batch.state->fault != 0) return;
  const std::int64_t width = batch.shape.width;
  const std::int64_t size = batch.shape.size;
  const auto chunks = static_cast<unsigned>((size * width + kBlockElements - 1) / kBlockElements);
  const std::int64_t group = tile.index / chunks;
  const std::int64_t first = static_cast<std::int64_t>(tile.index % chunks) * kBlockElements;
  const float* averages = args.averages + group * size;
  double sum = 0.0;
  for (std::int64_t k = threadIdx.x; k < size; k += kGroupThreads) sum += static_cast<double>(averages[k]);
  sum = device::block_sum<kGroupThreads>(sum);
  float* shared_total = device::shared_array<float, 1>();
  if (threadIdx.x == 0) *shared_total = static_cast<float>(sum);
  device::block_barrier();
  const float total = *shared_total;
  if (first == 0) leave_perplexity(batch, group);

  for (std::int64_t t = first + threadIdx.x; t < first + kBlockElements && t < size * width;
       t += kGroupThreads) {
    const std::int64_t k = t / width;
    const std::int64_t c = t - k * width;
    const std::int64_t at = group * size * width + t;
    float count = averages[k];
    if (count < args.rule.restart_below) {
      const std::int64_t row =
          math::restart_row(args.seed, batch.state->position, group * size + k, batch.batch);
      const float z = batch.latent.data[row * batch.latent.stride + group * width + c];
      count = args.rule.fair_count;
      args.sums[at] = count * z;
      args.codebook[at] = z;
    } else {
      args.codebook[at] = args.sums[at] / math::smoothed_count(count, total, static_cast<float>(size));
    }
    if (c == 0) args.used[at] = count;
  }
}

__global__ void __launch_bounds__(kGroupThreads) codebook_average_kernel(const CodebookAverageArgs args) {
  codebook_average_tile(args, device::this_tile());
}

template <typename Rule>
void launch_statistics(const CodebookBatch& batch, const Rule& rule, Stream stream) {
  device::LaunchShape shape;
  shape.blocks = static_cast<unsigned>(batch.shape.groups * batch.shape.size);
  if (batch.shape.width <= 4) {
    shape.threads_y = 128;
    device::launch("codebook_statistics", codebook_statistics_kernel<Rule, 1, 128>, shape, stream, batch,
                   rule);
  } else {
    shape.threads_x = 4;
    shape.threads_y = 64;
    device::launch("codebook_statistics", codebook_statistics_kernel<Rule, 4, 64>, shape, stream, batch,
                   rule);
  }
}

}  // namespace

void launch(const CodebookGradientArgs& args, Stream stream) {
  launch_statistics(args.batch,
                    GradientOfCode{args.codebook, args.gradient, args.scale, args.batch.shape.width}, stream);
  device::LaunchShape shape;
  shape.blocks = static_cast<unsigned>(args.batch.shape.groups);
  shape.threads_x = kGroupThreads;
  device::launch("codebook_usage", codebook_usage_kernel, shape, stream, args.batch);
}

void launch(const CodebookAverageArgs& args, Stream stream) {
  launch_statistics(args.batch,
                    AverageOfCode{args.codebook, args.sums, args.used, args.averages, args.rule,
                                  args.batch.shape.width, args.batch.state},
                    stream);
  const CodebookShape& codebook = args.batch.shape;
  const std::int64_t chunks = (codebook.size * codebook.width + kBlockElements - 1) / kBlockElements;
  device::LaunchShape shape;
  shape.blocks = static_cast<unsigned>(chunks * codebook.groups);
  shape.threads_x = kGroupThreads;
  device::launch("codebook_average", codebook_average_kernel, shape, stream, args);
}

}  // namespace vaecuda::kernels
