#include "host/cpu/compile.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <optional>

#include "host/cpu/addresses.hpp"
#include "host/cpu/codebook_rows.hpp"
#include "host/cpu/copy_rows.hpp"
#include "host/cpu/gather_rows.hpp"
#include "host/cpu/latent_rows.hpp"
#include "host/cpu/likelihood_rows.hpp"
#include "host/cpu/profiler.hpp"
#include "host/cpu/tiling.hpp"
#include "host/cpu/weight_phases.hpp"

namespace vaecuda::cpu {
namespace {

/// Below this many FLOPs a step ends before a second thread has woken up.
constexpr double kParallelFlops = 2e6;

double mean_of(Matrix<const float> column, std::int64_t rows) {
  double sum = 0.0;
  for (std::int64_t r = 0; r < rows; ++r) sum += static_cast<double>(*column.row(r));
  return sum / static_cast<double>(rows);
}

/// With an odd number of tiles, or a narrower last one, two threads would get unequal shares: the last tile
/// is split in two.
void halve_last(std::vector<Tile>& tiles, TileSize size) {
  constexpr std::int64_t kLeastRows = 64;
  const Tile last = tiles.back();
  if (last.rows() < kLeastRows || (tiles.size() % 2 == 0 && last.cols() == size.cols)) return;
  const std::int64_t middle = last.row_begin + last.rows() / 2;
  tiles.back().row_end = middle;
  tiles.push_back({.row_begin = middle,
                   .row_end = last.row_end,
                   .col_begin = last.col_begin,
                   .col_end = last.col_end,
                   .slot = last.slot});
}

/// Walks the ops in order. Row-wise ops with the same cut form one chain: a unit runs all of them on its rows
/// before the next unit. Weight gradients need every row, so they are collected into one phase after the last
/// chain.
class Compiler {
 public:
  explicit Compiler(const CompileInputs& in)
      : in_(in), plan_(in.plan), loops_(in.loops), products_(in.loops.products()) {}

  std::unique_ptr<Program> compile() {
    check_plan(plan_);
    end_ = find_step_end(plan_);
    addresses_ = place_buffers(plan_, end(), *memory_, in_.counter);
    for (op_ = 0; op_ < plan_.ops.size(); ++op_) {
      std::visit([this](const auto& o) { add(o); }, plan_.ops[op_]);
    }
    memory_->scratch_size = (scratch_size_ + 15) / 16 * 16;
    double flops = 0.0;
    for (const Op& op : plan_.ops) flops += cost_of(op).flops;
    const int threads = flops < kParallelFlops ? 1 : std::min(in_.threads, most_units());
    memory_->scratch = FloatBuffer(memory_->scratch_size * threads, "scratch memory", in_.counter);
    return std::make_unique<CpuProgram>(CompiledPlan{.phases = std::move(phases_),
                                                     .memory = std::move(memory_),
                                                     .state_of_step = std::move(state_of_step_),
                                                     .ops = ops_as_compiled(plan_, end()),
                                                     .threads = threads,
                                                     .algorithms = in_.algorithms,
                                                     .regions = in_.regions});
  }

 private:
  /// The largest number of units of any phase: a further thread would find no work.
  [[nodiscard]] int most_units() const {
    std::size_t most = 1;
    for (const Phase& phase : phases_) most = std::max(most, phase.units.size());
    return static_cast<int>(std::min<std::size_t>(most, std::numeric_limits<int>::max()));
  }

  [[nodiscard]] Matrix<float> matrix(const View& view) const { return addresses_.matrix(view); }
  [[nodiscard]] Matrix<const float> input(const View& view) const { return addresses_.input(view); }
  [[nodiscard]] const float* parameter(std::int64_t offset) const {
    return in_.parameters.parameters.data() + offset;
  }

  // --- phases

  void add_piece(TileWork work, std::int64_t rows, std::int64_t cols, TileSize size) {
    Piece piece{op_, std::move(work)};
    const bool whole_rows = size.cols >= cols;
    if (whole_rows && chain_rows_ == size.rows && chain_total_ == rows) {
      Phase& phase = phases_.back();
      phase.pieces.push_back(std::move(piece));
      for (Unit& unit : phase.units) unit.last = phase.pieces.size();
      return;
    }
    Phase phase;
    phase.pieces.push_back(std::move(piece));
    std::vector<Tile> tiles = grid(rows, whole_rows ? 1 : cols, whole_rows ? TileSize{size.rows, 1} : size);
    if (!whole_rows) halve_last(tiles, size);
    for (const Tile& tile : tiles) phase.units.push_back({0, 1, tile});
    phases_.push_back(std::move(phase));
    chain_rows_ = whole_rows ? size.rows : 0;
    chain_total_ = rows;
  }

  /// A piece over whole rows.
  void add_rows(TileWork work, std::int64_t rows) {
    add_piece(std::move(work), rows, 1, {row_tile(rows), 1});
  }
  void add_sampled_rows(TileWork work, std::int64_t rows, std::int64_t samples) {
    add_piece(std::move(work), rows, 1, {sampled_tile(rows, samples), 1});
  }

  void add_serial(std::function<void()> serial) {
    if (phases_.empty()) add_rows([](const Tile&, float*) {}, 1);  // `after` needs a phase
    phases_.back().after.push_back({op_, std::move(serial)});
    chain_rows_ = 0;
  }

  [[nodiscard]] RowSources sources() const {
    return {addresses_, loops_, in_.parameters.parameters.data(), memory_.get()};
  }

  void need_scratch(std::int64_t floats) { scratch_size_ = std::max(scratch_size_, floats); }

  // --- ops

  void add(const GatherBatch& op) {
    add_rows(gather_rows(op, in_.data != nullptr ? &in_.data->dataset : nullptr, sources()), op.x.rows);
  }

  void add(const Linear& op) {
    const Loops* loops = &loops_;
    const Matrix<const float> in = input(op.in);
    const Matrix<float> out = matrix(op.out);
    const Matrix<float> pre = matrix(op.preactivation);
    const float* weight = parameter(op.layer.weight);
    const float* bias = parameter(op.layer.bias);
    const std::int64_t k = op.layer.in;
    const std::int64_t n = op.layer.out;
    const Products* products = &products_;
    const TileSize size = product_tile(op.out.rows, n, k);
    need_scratch(products->scratch_size(0, 0, k));
    const bool split = size.cols < n;
    add_piece(
        [=](const Tile& tile, float* scratch) {
          const std::int64_t first = split ? tile.col_begin : 0;
          const Result y{out.row(tile.row_begin) + first, out.stride};
          const auto finish = [&](std::int64_t column, std::int64_t columns) {
            const std::int64_t c = first + column;
            const Matrix<float> strip_pre{pre.data != nullptr ? pre.row(tile.row_begin) + c : nullptr,
                                          pre.stride};
            loops->bias_activation(op.activation, {y.data + column, y.stride}, bias + c, strip_pre,
                                   tile.rows(), columns);
          };
          products->forward({in.row(tile.row_begin), in.stride}, {weight + first * k, k}, y, tile.rows(),
                            split ? tile.cols() : n, k, scratch, StripDone(finish));
        },
        op.out.rows, n, size);
  }

  void add(const LatentForward& op) {
    add_sampled_rows(latent_forward_rows(op, sources()), op.head.rows, op.z.rows / op.head.rows);
  }

  void add(const VectorQuantize& op) {
    need_scratch(quantize_scratch(op));
    add_rows(quantize_rows(op, sources()), op.z.rows);
  }

  void add(const VectorQuantizeBackward& op) { add_rows(quantize_backward_rows(op, sources()), op.z.rows); }

  void add(const LookUpCodes& op) { add_rows(look_up_rows(op, sources()), op.z.rows); }
  void add(const SampleCodes& op) { add_rows(sample_code_rows(op, sources()), op.codes.rows); }

  void add(const LatentKl& op) {
    LatentKlWork work = latent_kl_work(op, sources(), in_.counter);
    add_rows(std::move(work.rows), op.head.rows);
    add_serial(std::move(work.combine));
  }

  void add(const ImportanceWeights& op) { add_rows(importance_rows(op, sources()), op.loss.rows); }

  void add(const WeighRows& op) { add_rows(weigh_rows(op, sources()), op.rows.rows); }

  void add(const LikelihoodForwardBackward& op) { add_rows(likelihood_rows(op, sources()), op.output.rows); }

  void add(const CountLikelihood& op) { add_rows(count_rows(op, sources()), op.output.rows); }
  void add(const CountMean& op) { add_rows(count_mean_rows(op, sources()), op.mean.rows); }
  void add(const TransformInput& op) { add_rows(transform_rows(op, sources()), op.x.rows); }

  /// The weight's gradient is computed at the end of the step.
  void add(const LinearBackward& op) {
    if (!op.dx.valid()) return;
    const Loops* loops = &loops_;
    const Matrix<const float> d = input(op.d);
    const Matrix<float> dx = matrix(op.dx);
    const Matrix<const float> saved = input(op.saved);
    const float* weight = parameter(op.layer.weight);
    const std::int64_t k = op.layer.in;
    const std::int64_t n = op.layer.out;
    const Products* products = &products_;
    const TileSize size = product_tile(op.dx.rows, k, n);
    need_scratch(products->scratch_size(0, 0, n));
    const bool split = size.cols < k;
    add_piece(
        [=](const Tile& tile, float* scratch) {
          const std::int64_t first = split ? tile.col_begin : 0;
          const Result y{dx.row(tile.row_begin) + first, dx.stride};
          const auto finish = [&](std::int64_t column, std::int64_t columns) {
            if (op.activation == math::ActivationKind::identity) return;
            loops->activation_gradient(op.activation, {y.data + column, y.stride},
                                       {saved.row(tile.row_begin) + first + column, saved.stride},
                                       tile.rows(), columns);
          };
          products->data_gradient({d.row(tile.row_begin), d.stride}, {weight + first, k}, y, tile.rows(),
                                  split ? tile.cols() : k, n, scratch, StripDone(finish));
        },
        op.dx.rows, k, size);
  }

  void add(const LatentBackward& op) {
    add_sampled_rows(latent_backward_rows(op, sources()), op.head.rows, op.dz.rows / op.head.rows);
  }

  void add(const LatentPenalty& op) { add_rows(latent_penalty_rows(op, sources()), op.z.rows); }

  // The remaining ops change parameters; they are all added together with the last of them.
  void add(const ParameterGradient&) {}
  void add(const CodebookGradient&) {}
  void add(const CodebookAverage&) {}
  void add(const GradNorm&) {}
  void add(const AdamUpdate&) {}

  void add(const AdvanceStep& op) {
    ProgramMemory* memory = memory_.get();
    std::vector<Matrix<const float>> columns;
    for (const LossRows& part : op.loss) columns.push_back(input(part.rows));
    const math::LossTermList terms = terms_of(op.loss);
    const Matrix<const float> perplexity = input(op.perplexity);
    const std::int64_t batch = plan_.batch;
    const auto state_of_step = [op, batch](std::int64_t step) {
      return math::state_of_step(step, batch, op.schedule, op.beta1, op.beta2, op.loss_schedule);
    };
    state_of_step_ = state_of_step;
    // The loss is summed before any weight changes, so that a step with an infinite loss changes nothing.
    add_serial([=] {
      for (std::size_t i = 0; i < columns.size(); ++i)
        math::set_mean(memory->means, op.loss[i].term.kind, mean_of(columns[i], op.loss[i].rows.rows));
      memory->loss = math::loss_of(memory->means, terms, static_cast<double>(memory->state.loss_weight));
      if (!std::isfinite(math::sum_of(memory->means) + memory->loss)) memory->state.fault = 1;
    });
    add_weight_phases(*end_);
    add_serial([=] {
      math::StepMetrics metrics;
      metrics.step = memory->state.step + 1;
      metrics.loss = memory->loss;
      metrics.means = memory->means;
      metrics.gradient_norm = gradient_norm(*memory);
      metrics.lr = math::learning_rate(op.schedule, memory->state.step);
      metrics.loss_weight = static_cast<double>(memory->state.loss_weight);
      for (std::int64_t g = 0; g < op.perplexity.rows; ++g) {
        math::add_perplexity(metrics, static_cast<double>(*perplexity.row(g)), g, op.perplexity.rows);
      }
      const std::int64_t bad = memory->first_bad.load(std::memory_order_relaxed);
      const bool skipped = op.skip_nonfinite && memory->state.fault != 0;
      if (skipped) {
        metrics.gradient_norm = std::numeric_limits<double>::quiet_NaN();
        memory->first_bad.store(-1, std::memory_order_relaxed);
      } else if (memory->state.fault != 0 || bad >= 0) {
        memory->fault = Fault{metrics.step, bad};
        return;
      }
      memory->metrics.push_back(metrics);
      memory->state = state_of_step(metrics.step);
    });
  }

  void add(const SamplePrior& op) { add_rows(sample_prior_rows(op, sources()), op.z.rows); }

  void add(const ObservationMean& op) { add_rows(observation_mean_rows(op, sources()), op.mean.rows); }

  void add(const StoreRows& op) { add_rows(store_rows(op, sources()), op.batch.rows); }

  void add(const LoadRows& op) { add_rows(load_rows(op, sources()), op.batch.rows); }

  void add(const AdvancePosition& op) {
    ProgramMemory* memory = memory_.get();
    add_serial([=] { memory->state.position += op.batch; });
  }

  /// Weight gradients need every row, so their phases come after the last chain.
  void add_weight_phases(const StepEnd& end) {
    WeightPhases work = make_weight_phases({in_, *memory_, addresses_, end});
    std::move(work.phases.begin(), work.phases.end(), std::back_inserter(phases_));
    need_scratch(work.scratch_size);
    chain_rows_ = 0;
  }

  [[nodiscard]] const StepEnd* end() const { return end_ ? &*end_ : nullptr; }

  const CompileInputs& in_;
  const Plan& plan_;
  const Loops& loops_;
  const Products& products_;
  std::optional<StepEnd> end_;  ///< none for a pass without training
  std::unique_ptr<ProgramMemory> memory_ = std::make_unique<ProgramMemory>();
  Addresses addresses_;
  std::vector<Phase> phases_;
  std::int64_t chain_rows_ = 0;  ///< row tile of the open chain; 0: no open chain
  std::int64_t chain_total_ = 0;
  std::int64_t scratch_size_ = 16;
  std::size_t op_ = 0;  ///< index of the op being added
  std::function<math::StepState(std::int64_t)> state_of_step_;
};

}  // namespace

std::unique_ptr<Program> compile_plan(const CompileInputs& inputs) {
  return Compiler(inputs).compile();
}

}  // namespace vaecuda::cpu
