#include "kernels/update.hpp"

#include "kernels/arena.cuh"
#include "kernels/device/device.cuh"
#include "kernels/device/tile.cuh"
#include "kernels/device/vector.cuh"

namespace vaecuda::kernels {
namespace {

using device::Quad;

constexpr int kRowsInFlight = 4;  // rows whose loads a thread has under way before it adds the first

// Warps that compute parts of the next state while others add rows; in a small batch they have none.
constexpr unsigned kWarps = kArenaThreads / device::kWarpSize;
constexpr unsigned kRateWarp = kWarps - 1;
constexpr unsigned kBiasWarp = kWarps - 2;
constexpr unsigned kPlaceWarp = kWarps - 3;
constexpr unsigned kUsageWarp = kWarps - 4;

// What takes elementary functions is never inlined, so that the update and a resumed run execute the same
// instructions: the compiler is free to round an expression differently from one place to the next. The rest
// of a state are single operations, each rounded as it stands.
__attribute__((noinline)) __device__ double bias_of_step(double beta, std::int64_t step) {
  return math::bias_correction(beta, step);
}

__attribute__((noinline)) __device__ double rate_of_step(const math::Schedule& schedule, std::int64_t step) {
  return math::learning_rate(schedule, step);
}

/// The same from a kernel's parameters: these have no address that a function could be given unless every
/// thread copied them, so they go by way of the dynamic shared memory, the `copy`-th there.
__device__ __forceinline__ double rate_at(const math::Schedule& parameters, std::int64_t step,
                                          unsigned copy) {
  auto* schedule = device::dynamic_shared<math::Schedule>() + copy;
  *schedule = parameters;
  return rate_of_step(*schedule, step);
}

/// What the warps of the tile beside those of the arena hand over.
struct EndParts {
  double warp_sum[math::kMaxLossTerms][kWarps];
  double mean[math::kMaxLossTerms];
  double rows[math::kMaxLossTerms];
  double bias[2];  ///< of the next step: β1's and β2's
  double lr[2];    ///< of this step and of the next
};

/// A thread's part of the sum of a column, in double.
__device__ __forceinline__ double sum_of_rows(const LossColumn& column) {
  double sum = 0.0;
  for (std::int64_t first = threadIdx.x; first < column.rows; first += kRowsInFlight * kArenaThreads) {
    float value[kRowsInFlight];
    for (int r = 0; r < kRowsInFlight; ++r) {
      const std::int64_t row = first + r * kArenaThreads;
      value[r] = row < column.rows ? column.data[row * column.stride] : 0.0f;
    }
    for (int r = 0; r < kRowsInFlight; ++r) sum += static_cast<double>(value[r]);
  }
  return sum;
}

/// The codebooks' perplexities, by one thread.
__device__ __forceinline__ void leave_perplexity(const AdvanceArgs& advance, math::StepMetrics* metrics) {
  math::StepMetrics usage;
  for (std::int64_t g = 0; g < advance.groups; ++g) {
    const float perplexity = advance.perplexity[g * advance.perplexity_stride];
    math::add_perplexity(usage, static_cast<double>(perplexity), g, advance.groups);
  }
  metrics->perplexity_mean = usage.perplexity_mean;
  metrics->perplexity_min = usage.perplexity_min;
}

/// The tile beside those of the arena: the step's metrics but for the gradient's norm, and the next step's
/// state, both into the scratch. Its warps work side by side, since one thread would take longer than any
/// tile of the arena. Means are summed per thread in order, then as device::block_sum, with one barrier for
/// all.
__device__ __forceinline__ void prepare_end(const AdvanceArgs& advance, const math::StepState* state,
                                            UpdateScratch* scratch) {
  EndParts* parts = device::shared_array<EndParts, 1>();
  const unsigned warp = threadIdx.x / device::kWarpSize;
  const unsigned lane = threadIdx.x % device::kWarpSize;
  const std::int64_t step = state->step;
  const math::LossTermList& terms = advance.loss.terms;
  if (warp == kRateWarp && lane < 2) parts->lr[lane] = rate_at(advance.schedule, step + lane, lane);
  if (warp == kBiasWarp && lane < 2) {
    parts->bias[lane] = bias_of_step(lane == 0 ? advance.beta1 : advance.beta2, step + 1);
  }
  if (warp == kPlaceWarp && lane == 0) {
    scratch->metrics.step = step + 1;
    scratch->metrics.loss_weight = static_cast<double>(state->loss_weight);
    scratch->next = math::place_of_step(step + 1, advance.batch, advance.loss_schedule);
  }
  if (warp == kUsageWarp && lane == 0) leave_perplexity(advance, &scratch->metrics);
  for (int i = 0; i < terms.count; ++i) {
    const double sum = device::warp_sum(sum_of_rows(advance.loss.column[i]));
    if (lane == 0) parts->warp_sum[i][warp] = sum;
    if (threadIdx.x == 0) parts->rows[i] = static_cast<double>(advance.loss.column[i].rows);
  }
  device::block_barrier();
  if (warp == 0 && static_cast<int>(lane) < terms.count) {
    double sum = parts->warp_sum[lane][0];
    for (unsigned w = 1; w < kWarps; ++w) sum += parts->warp_sum[lane][w];
    parts->mean[lane] = sum / parts->rows[lane];
  }
  if (warp == kRateWarp && lane == 0) {
    scratch->metrics.lr = parts->lr[0];
    scratch->next.lr = static_cast<float>(parts->lr[1]);
    scratch->next.step_size = math::step_size(parts->lr[1], parts->bias[0]);
  }
  if (warp == kBiasWarp && lane == 0) {
    scratch->next.inverse_sqrt_bias2 = math::inverse_sqrt_bias2(parts->bias[1]);
  }
  device::block_barrier();
  if (threadIdx.x == 0) {
    math::LossMeans means;
    for (int i = 0; i < terms.count; ++i) math::set_mean(means, terms.term[i].kind, parts->mean[i]);
    scratch->metrics.means = means;
    scratch->metrics.loss = math::loss_of(means, terms, static_cast<double>(state->loss_weight));
  }
}

/// A tile of the arena.
__device__ __forceinline__ void update_elements(const UpdateArgs& args, device::Tile tile) {
  const math::AdamConstants<float> constants = args.constants;
  const math::AdamStep<float> adam{args.state->lr, args.state->step_size, args.state->inverse_sqrt_bias2,
                                   args.clipped ? args.scratch->gradient_scale : 1.0f};
  const std::int64_t n = args.elements;
  double squares = 0.0;
  std::int64_t bad_element = kNoBadElement;
  const std::int64_t step = 4 * static_cast<std::int64_t>(kArenaThreads) * tile.count;
  std::int64_t first = 4 * (static_cast<std::int64_t>(kArenaThreads) * tile.index + threadIdx.x);
  for (; first < n; first += step) {
    const Quad g = device::load_quad(args.gradient, first, n);
    Quad p = device::load_quad(args.parameters, first, n);
    Quad m = device::load_quad(args.moment1, first, n);
    Quad v = device::load_quad(args.moment2, first, n);
    for (int i = 0; i < 4; ++i) {
      if (!args.clipped) squares += static_cast<double>(g.v[i]) * static_cast<double>(g.v[i]);
      const math::AdamElement<float> next =
          math::adam_update(p.v[i], m.v[i], v.v[i], g.v[i], constants, adam);
      if (math::is_unusable_gradient(g.v[i], adam.gradient_scale) || math::is_unusable_element(next)) {
        // The first that a thread meets is its lowest.
        if (bad_element == kNoBadElement) bad_element = first + i;
      } else {
        p.v[i] = next.parameter;
        m.v[i] = next.moment1;
        v.v[i] = next.moment2;
      }
    }
    device::store_quad(args.parameters, first, n, p);
    device::store_quad(args.moment1, first, n, m);
    device::store_quad(args.moment2, first, n, v);
    if (args.half_parameters != nullptr) device::store_quad(args.half_parameters, first, n, p);
  }
  leave_bad_element(bad_element, args.scratch);
  if (!args.clipped) leave_squares(squares, args.scratch->norm_partial + tile.index);
}

/// What another block has written into the scratch.
__device__ __forceinline__ math::StepState load_fresh_state(const math::StepState* from) {
  math::StepState state;
  state.step = device::load_fresh(&from->step);
  state.position = device::load_fresh(&from->position);
  state.lr = device::load_fresh(&from->lr);
  state.loss_weight = device::load_fresh(&from->loss_weight);
  state.capacity = device::load_fresh(&from->capacity);
  state.step_size = device::load_fresh(&from->step_size);
  state.inverse_sqrt_bias2 = device::load_fresh(&from->inverse_sqrt_bias2);
  return state;
}

__device__ __forceinline__ math::StepMetrics load_fresh_metrics(const math::StepMetrics* from) {
  math::StepMetrics metrics;
  metrics.step = device::load_fresh(&from->step);
  metrics.loss = device::load_fresh(&from->loss);
  for (int k = 0; k < math::kLossTermKinds; ++k)
    metrics.means.of_kind[k] = device::load_fresh(&from->means.of_kind[k]);
  metrics.means.present = device::load_fresh(&from->means.present);
  metrics.lr = device::load_fresh(&from->lr);
  metrics.loss_weight = device::load_fresh(&from->loss_weight);
  metrics.perplexity_mean = device::load_fresh(&from->perplexity_mean);
  metrics.perplexity_min = device::load_fresh(&from->perplexity_min);
  return metrics;
}

/// Ends the step, by one thread of the last tile: metrics and next state, or the fault. `skipped`: without
/// an update.
__device__ __forceinline__ void commit(const UpdateArgs& args, double squares, bool skipped) {
  UpdateScratch* scratch = args.scratch;
  const std::int64_t bad_element = device::load_fresh(&scratch->bad_element);
  math::StepMetrics metrics = load_fresh_metrics(&scratch->metrics);
  metrics.gradient_norm = skipped ? ::nan("") : ::sqrt(squares);
  const bool finite =
      is_finite(math::sum_of(metrics.means) + metrics.loss) && is_finite(metrics.gradient_norm);
  if (!skipped && (bad_element != kNoBadElement || !finite)) {
    raise_fault(args.state, bad_element);
  } else {
    args.advance.ring[(metrics.step - 1) % args.advance.ring_size] = metrics;
    *args.state = load_fresh_state(&scratch->next);
  }
  scratch->bad_element = kNoBadElement;
  scratch->update_ticket = 0;
}

/// Equation: Adam or AdamW (math::adam_update) over parameters, moment1 and moment2 (P) from gradient (P), in
///   place, with a bfloat16 copy of the parameters where wanted; then the step's metrics into the ring and
///   state = that of the next step.
/// Threads: tile 0 adds the terms of the loss and computes the next state; of the others, arena_blocks()
///   tiles, each is every (count − 1)-th piece of 1024 elements. Blocks of 256, one quad of elements a thread
///   at a time, with dynamic shared memory for the schedule. The tile that ends last adds the tiles' sums of
///   squares (those of grad_norm where that ran) and ends the step.
/// Bytes: 16·P read, 12·P written, 14·P with the bfloat16 copy; 4 a row of each term read.
/// Alignment: any; quads are moved by load_quad and store_quad.
/// Determinism: each element alone. Sums in double, in an order that depends on P alone, and on its rows
///   alone for a term of the loss.
/// Faults: state->fault set: nothing changes; with skip_nonfinite the step ends all the same, as one without
///   an update. An unusable gradient or result leaves its element alone and raises the fault at the end, as a
///   loss that is not finite does; then neither metrics nor state are written.
__device__ __forceinline__ void update_tile(const UpdateArgs& args, device::Tile tile) {
  const bool faulted = args.state->fault != 0;
  if (faulted && !args.advance.skip_nonfinite) return;
  const unsigned arena_tiles = tile.count - 1;
  if (tile.index == 0) {
    prepare_end(args.advance, args.state, args.scratch);
  } else if (!faulted) {
    update_elements(args, device::Tile{tile.index - 1, arena_tiles});
  }
  if (!is_last_tile(tile, &args.scratch->update_ticket)) return;
  const double squares = sum_of_partials(args.scratch->norm_partial, arena_tiles);
  if (threadIdx.x == 0) commit(args, squares, faulted);
}

__global__ void __launch_bounds__(kArenaThreads, kArenaBlocksResident) update_kernel(const UpdateArgs args) {
  update_tile(args, device::this_tile());
}

/// Equation: state = that of step `step`; scratch ready for a first update.
/// Threads: the first of a warp, with dynamic shared memory for the schedule.
/// Bytes: the state and 24 of the scratch written.
/// Alignment: that of the structs.
/// Determinism: a function of its arguments, by the instructions with which update_tile computes it.
__device__ __forceinline__ void set_step_tile(const SetStepArgs& args) {
  if (threadIdx.x != 0) return;
  const AdvanceArgs& advance = args.advance;
  const math::StepRates rates{rate_at(advance.schedule, args.step, 0), bias_of_step(advance.beta1, args.step),
                              bias_of_step(advance.beta2, args.step)};
  *args.state = math::state_of_step(args.step, advance.batch, rates, advance.loss_schedule);
  args.scratch->norm_ticket = 0;
  args.scratch->update_ticket = 0;
  args.scratch->kl_ticket = 0;
  args.scratch->gradient_scale = 1.0f;
  args.scratch->bad_element = kNoBadElement;
}

__global__ void set_step_kernel(const SetStepArgs args) {
  set_step_tile(args);
}

}  // namespace

void launch(const UpdateArgs& args, Stream stream) {
  device::LaunchShape shape;
  shape.blocks = arena_blocks(args.elements) + 1;
  shape.threads_x = kArenaThreads;
  shape.dynamic_shared_bytes = 2 * sizeof(math::Schedule);
  device::launch("update", update_kernel, shape, stream, args);
}

void launch(const SetStepArgs& args, Stream stream) {
  device::LaunchShape shape;
  shape.threads_x = device::kWarpSize;
  shape.dynamic_shared_bytes = sizeof(math::Schedule);
  device::launch("set_step", set_step_kernel, shape, stream, args);
}

}  // namespace vaecuda::kernels
