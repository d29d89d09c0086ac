#include "host/cuda/backend.hpp"

#include <fmt/format.h>

#include <optional>
#include <stdexcept>
#include <utility>

#include "host/cuda/analysis.hpp"
#include "host/cuda/lower.hpp"
#include "host/cuda/profiler.hpp"
#include "host/cuda/program.hpp"
#include "host/cuda/store.hpp"
#include "host/plan/devices.hpp"
#include "vaecuda/error.hpp"

namespace vaecuda::cuda {
namespace {

void check_device(const DeviceFacts& facts, Precision precision) {
  const auto refuse = [&](const char* what, int needed, const char* advice) {
    throw DeviceError(fmt::format("cuda:{} {} (sm_{}): {} needs a GPU of sm_{} or newer; {}", facts.index,
                                  facts.name, facts.capability, what, needed, advice));
  };
  if (facts.capability < kMinimumCapability) refuse("vaecuda", kMinimumCapability, "use --device cpu");
  if (precision != Precision::fp32 && facts.capability < kTensorFloatCapability) {
    refuse(precision == Precision::tf32 ? "--precision tf32" : "--precision bf16", kTensorFloatCapability,
           "use --precision fp32");
  }
}

class CudaBackend final : public Backend {
 public:
  CudaBackend(std::unique_ptr<Runtime> runtime, const BackendOptions& options)
      : options_(options), context_{std::move(runtime), 0} {
    const DeviceFacts& facts = context_.runtime->facts();
    check_device(facts, options.precision);
    device_.kind = DeviceKind::cuda;
    device_.index = facts.index;
    device_.name = facts.name;
    device_.memory_bytes = facts.memory_bytes;
    device_.capability = facts.capability;
  }

  [[nodiscard]] const DeviceInfo& device() const override { return device_; }

  [[nodiscard]] std::unique_ptr<ParameterStore> make_parameters(std::int64_t size, bool training) override {
    return with_errors(*context_.runtime, [&]() -> std::unique_ptr<ParameterStore> {
      return std::make_unique<CudaParameters>(context_, size, training, half());
    });
  }

  [[nodiscard]] std::unique_ptr<ResidentData> make_resident(const Dataset& data) override {
    return with_errors(*context_.runtime, [&]() -> std::unique_ptr<ResidentData> {
      return std::make_unique<CudaData>(context_, data);
    });
  }

  [[nodiscard]] Rankings& rankings() override { return rankings_; }

  [[nodiscard]] std::unique_ptr<Program> compile(const Plan& plan, ParameterStore& parameters,
                                                 const ResidentData* data) override {
    auto* store = dynamic_cast<CudaParameters*>(&parameters);
    const auto* rows = dynamic_cast<const CudaData*>(data);
    const bool ours = store != nullptr && &store->context() == &context_ &&
                      (data == nullptr || (rows != nullptr && &rows->context() == &context_));
    if (!ours || store->size() != plan.parameter_size) {
      throw std::logic_error("parameters or data of another device or model");
    }
    check_plan(plan);
    return with_errors(*context_.runtime, [&]() -> std::unique_ptr<Program> {
      const std::optional<StepEnd> found = find_step_end(plan);
      const StepEnd* end = found ? &*found : nullptr;
      auto memory = std::make_unique<ProgramMemory>(context_, plan, end, half(), options_.metrics_ring);
      std::vector<Node> nodes = lower({.plan = plan,
                                       .end = end,
                                       .context = context_,
                                       .parameters = *store,
                                       .data = rows,
                                       .memory = *memory,
                                       .precision = options_.precision,
                                       .autotune = options_.autotune});
      return std::make_unique<CudaProgram>(context_, plan.batch, ops_as_launched(plan, end),
                                           std::move(memory), std::move(nodes));
    });
  }

  [[nodiscard]] std::int64_t allocated_bytes() const override { return context_.allocated_bytes; }
  [[nodiscard]] std::int64_t free_bytes() const override {
    return with_errors(*context_.runtime, [&] { return context_.runtime->memory().free; });
  }

  /// What tensor cores reach is not told by any property of a device, so their precisions have no ceiling.
  [[nodiscard]] Roofline roofline() const override {
    const DeviceFacts& facts = context_.runtime->facts();
    const bool fp32 = options_.precision == Precision::fp32;
    return {fp32 ? facts.fp32_flops_per_second : 0.0, facts.memory_bytes_per_second};
  }

 private:
  [[nodiscard]] bool half() const { return options_.precision == Precision::bf16; }

  BackendOptions options_;
  Context context_;
  CudaRankings rankings_{context_};
  DeviceInfo device_;
};

}  // namespace

std::unique_ptr<Backend> make_cuda_backend(std::unique_ptr<Runtime> runtime, const BackendOptions& options) {
  return std::make_unique<CudaBackend>(std::move(runtime), options);
}

}  // namespace vaecuda::cuda
