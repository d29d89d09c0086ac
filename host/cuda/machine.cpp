#include "host/cuda/machine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "host/config/enumerators.hpp"
#include "host/cuda/failure.hpp"
#include "host/cuda/memory.hpp"
#include "host/plan/devices.hpp"
#include "kernels/latent.hpp"
#include "kernels/probe.hpp"
#include "kernels/rows.hpp"
#include "vaecuda/error.hpp"

namespace vaecuda::cuda {
namespace {

using kernels::BarrierKind;

constexpr int kClusterCapability = 90;  // clusters and programmatic dependent launch
constexpr unsigned kMostInCluster = 8;  // what every device that has clusters can do

/// Work that is under measurement, with the memory that it needs.
class Work {
 public:
  virtual ~Work() = default;
  /// Puts one run on the stream.
  virtual void enqueue() = 0;
};

/// Fills (rows, columns) with noise: zeros would cost less power, and so run at higher clocks.
class Noise {
 public:
  explicit Noise(Context& context)
      : runtime_(*context.runtime),
        state_(DeviceBuffer::of<math::StepState>(context, 1, "the state of a step")) {
    kernels::launch(kernels::SetPositionArgs{state_.as<math::StepState>()}, runtime_.stream());
  }
  void fill(const kernels::OutMatrix& out, std::int64_t rows, std::int64_t columns, std::uint64_t seed) {
    kernels::SamplePriorArgs args;
    args.z = out;
    args.batch = rows;
    args.latent_dim = columns;
    args.seed = seed;
    args.state = state_.as<math::StepState>();
    kernels::launch(args, runtime_.stream());
  }

 private:
  Runtime& runtime_;
  DeviceBuffer state_;
};

class CopyWork final : public Work {
 public:
  CopyWork(Context& context, std::int64_t bytes)
      : runtime_(*context.runtime),
        noise_(context),
        from_(DeviceBuffer::of<std::uint8_t>(context, bytes, "a copy's source")),
        to_(DeviceBuffer::of<std::uint8_t>(context, bytes, "a copy's target")) {
    constexpr std::int64_t kColumns = 64;
    noise_.fill({from_.as<float>(), nullptr, kColumns}, bytes / 4 / kColumns, kColumns, 1);
  }
  void enqueue() override {
    kernels::launch(kernels::CopyProbeArgs{from_.as<void>(), to_.as<void>(), from_.bytes() / 16},
                    runtime_.stream());
  }

 private:
  Runtime& runtime_;
  Noise noise_;
  DeviceBuffer from_;
  DeviceBuffer to_;
};

/// D (n,n) = A (n,n) · Bᵀ (n,n), as a linear layer's forward product.
class ProductWork final : public Work {
 public:
  ProductWork(Context& context, std::int64_t n, Precision precision)
      : runtime_(*context.runtime),
        noise_(context),
        half_(precision == Precision::bf16),
        a_(operand(context, n)),
        b_(operand(context, n)),
        d_(operand(context, n)) {
    fill(a_, n, 1);
    fill(b_, n, 2);
    kernels::GemmSpec spec;
    spec.name = gemm_ceiling(precision);
    spec.rows = spec.cols = spec.inner = n;
    spec.a_stride = spec.b_stride = spec.d_stride = n;
    spec.transpose_b = true;
    spec.a = a_.as<void>();
    spec.b = b_.as<void>();
    spec.d = d_.as<void>();
    spec.math = config::same_as<kernels::GemmMath>(precision);
    spec.operand_type = spec.result_type = half_ ? kernels::NumberType::bf16 : kernels::NumberType::fp32;
    gemm_ = runtime_.make_gemm(spec, true);
    if (gemm_ == nullptr) throw RuntimeError(fmt::format("cuBLASLt has no algorithm for {}", spec.name));
  }
  void enqueue() override { gemm_->enqueue(runtime_.stream()); }

 private:
  [[nodiscard]] DeviceBuffer operand(Context& context, std::int64_t n) const {
    return half_ ? DeviceBuffer::of<math::BFloat16>(context, n * n, "a product's matrix")
                 : DeviceBuffer::of<float>(context, n * n, "a product's matrix");
  }
  void fill(const DeviceBuffer& matrix, std::int64_t n, std::uint64_t seed) {
    noise_.fill({half_ ? nullptr : matrix.as<float>(), half_ ? matrix.as<math::BFloat16>() : nullptr, n}, n,
                n, seed);
  }

  Runtime& runtime_;
  Noise noise_;
  bool half_;
  DeviceBuffer a_;
  DeviceBuffer b_;
  DeviceBuffer d_;
  std::unique_ptr<kernels::Gemm> gemm_;
};

/// An empty kernel launched many times, one launch after the other.
class LaunchWork final : public Work {
 public:
  LaunchWork(Runtime& runtime, std::int64_t launches, bool overlapped)
      : runtime_(runtime), launches_(launches), empty_{overlapped} {}
  void enqueue() override {
    for (std::int64_t i = 0; i < launches_; ++i) kernels::launch(empty_, runtime_.stream());
  }

 private:
  Runtime& runtime_;
  std::int64_t launches_;
  kernels::EmptyProbeArgs empty_;
};

/// The same as one graph.
class GraphWork final : public Work {
 public:
  GraphWork(Runtime& runtime, std::int64_t nodes, bool overlapped) {
    LaunchWork work(runtime, nodes, overlapped);
    work.enqueue();  // a kernel is loaded by its first launch, and that cannot be captured
    runtime.synchronize();
    graph_ = runtime.capture([&] { work.enqueue(); });
  }
  void enqueue() override { graph_->launch(); }

 private:
  std::unique_ptr<Graph> graph_;
};

/// One kernel that passes many barriers.
class BarrierWork final : public Work {
 public:
  BarrierWork(Context& context, const kernels::BarrierProbeArgs& args)
      : runtime_(*context.runtime),
        passed_(DeviceBuffer::of<std::int32_t>(context, args.blocks, "a barrier's result")),
        counter_(DeviceBuffer::of<std::uint32_t>(context, 1, "a barrier's counter")),
        args_(args) {
    args_.passed = passed_.as<std::int32_t>();
    args_.counter = counter_.as<std::uint32_t>();
  }
  void enqueue() override {
    if (args_.kind == BarrierKind::by_hand) runtime_.fill_zero(counter_.as<void>(), counter_.bytes());
    kernels::launch(args_, runtime_.stream());
  }

 private:
  Runtime& runtime_;
  DeviceBuffer passed_;
  DeviceBuffer counter_;
  kernels::BarrierProbeArgs args_;
};

class CudaMachine final : public Machine {
 public:
  CudaMachine(std::unique_ptr<Runtime> runtime, const MachineSizes& sizes)
      : context_{std::move(runtime), 0}, sizes_(sizes) {
    add_copy();
    for (const Precision precision : {Precision::fp32, Precision::tf32, Precision::bf16}) {
      add_product(precision);
    }
    add_launches();
    add_barriers();
  }
  CudaMachine(const CudaMachine&) = delete;
  CudaMachine& operator=(const CudaMachine&) = delete;
  ~CudaMachine() override { quiesce(*context_.runtime); }

  [[nodiscard]] const std::vector<Ceiling>& ceilings() const override { return ceilings_; }

  [[nodiscard]] double timed_run(std::size_t ceiling, std::int64_t count) override {
    if (!ceilings_.at(ceiling).refused.empty()) throw std::logic_error("a ceiling that the device refused");
    Runtime& runtime = *context_.runtime;
    return with_errors(runtime, [&] {
      if (current_ != ceiling || work_ == nullptr) {
        runtime.synchronize();
        work_.reset();  // its memory is needed for the next
        work_ = makers_[ceiling]();
        current_ = ceiling;
      }
      const std::unique_ptr<Event> begin = runtime.make_event();
      const std::unique_ptr<Event> end = runtime.make_event();
      begin->record();
      for (std::int64_t i = 0; i < count; ++i) work_->enqueue();
      end->record();
      begin->wait();
      end->wait();
      return end->seconds_since(*begin);
    });
  }

 private:
  using Maker = std::function<std::unique_ptr<Work>()>;

  [[nodiscard]] const DeviceFacts& facts() const { return context_.runtime->facts(); }

  void add(Ceiling ceiling, Maker maker) {
    ceilings_.push_back(std::move(ceiling));
    makers_.push_back(std::move(maker));
  }

  /// Empty where the device is new enough.
  [[nodiscard]] std::string needs(int capability) const {
    return facts().capability >= capability ? std::string{}
                                            : fmt::format("it needs a GPU of sm_{} or newer", capability);
  }

  void add_copy() {
    constexpr std::int64_t kUnit = 4096;
    const std::int64_t fits = std::min(sizes_.copy_bytes, context_.runtime->memory().free / 4);
    const std::int64_t bytes = std::max(fits / kUnit, std::int64_t{1}) * kUnit;
    add({kCopyCeiling, CeilingKind::bandwidth, 2.0 * static_cast<double>(bytes),
         fmt::format("{:.3g} MiB by a kernel", static_cast<double>(bytes) / 1048576.0), ""},
        [this, bytes] { return std::make_unique<CopyWork>(context_, bytes); });
  }

  void add_product(Precision precision) {
    const std::int64_t n = sizes_.product;
    const double flops = 2.0 * static_cast<double>(n) * static_cast<double>(n) * static_cast<double>(n);
    add({gemm_ceiling(precision), CeilingKind::rate, flops,
         fmt::format("{0} x {0} x {0}, cuBLASLt's fastest algorithm", n),
         needs(precision == Precision::fp32 ? kMinimumCapability : kTensorFloatCapability)},
        [this, n, precision] { return std::make_unique<ProductWork>(context_, n, precision); });
  }

  void add_launches() {
    const std::int64_t n = sizes_.launches;
    const auto events = static_cast<double>(n);
    Runtime& runtime = *context_.runtime;
    add({"kernel launch", CeilingKind::cost, events, fmt::format("{} empty kernels", n), ""},
        [&runtime, n] { return std::make_unique<LaunchWork>(runtime, n, false); });
    add({"graph node", CeilingKind::cost, events, fmt::format("{} empty kernels in one graph", n), ""},
        [&runtime, n] { return std::make_unique<GraphWork>(runtime, n, false); });
    add({"graph node, dependent launch", CeilingKind::cost, events,
         "the same with programmatic dependent launch", needs(kClusterCapability)},
        [&runtime, n] { return std::make_unique<GraphWork>(runtime, n, true); });
  }

  void add_barriers() {
    const auto blocks = static_cast<unsigned>(std::max(facts().multiprocessors, 1));
    const unsigned cluster = std::min(blocks, kMostInCluster);
    add_barrier(
        {"grid barrier", CeilingKind::cost, 0.0, fmt::format("by cooperative groups, {} blocks", blocks), ""},
        {BarrierKind::grid, blocks});
    add_barrier({"grid barrier by hand", CeilingKind::cost, 0.0,
                 fmt::format("by an atomic counter, {} blocks", blocks), ""},
                {BarrierKind::by_hand, blocks});
    add_barrier(
        {"cluster barrier", CeilingKind::cost, 0.0,
         fmt::format("{} clusters of {} blocks", blocks / cluster, cluster), needs(kClusterCapability)},
        {BarrierKind::cluster, blocks / cluster * cluster, cluster});
  }

  void add_barrier(Ceiling ceiling, kernels::BarrierProbeArgs args) {
    ceiling.amount = static_cast<double>(sizes_.barriers);
    args.barriers = sizes_.barriers;
    add(std::move(ceiling), [this, args] { return std::make_unique<BarrierWork>(context_, args); });
  }

  Context context_;
  MachineSizes sizes_;
  std::vector<Ceiling> ceilings_;
  std::vector<Maker> makers_;  ///< by ceiling
  std::size_t current_ = 0;
  std::unique_ptr<Work> work_;  ///< of the current ceiling
};

}  // namespace

std::unique_ptr<Machine> make_cuda_machine(std::unique_ptr<Runtime> runtime, const MachineSizes& sizes) {
  return std::make_unique<CudaMachine>(std::move(runtime), sizes);
}

}  // namespace vaecuda::cuda
