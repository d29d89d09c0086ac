#include <algorithm>
#include <stdexcept>

#include "host/cpu/backend.hpp"
#include "host/cpu/compile.hpp"
#include "host/cpu/core_count.hpp"
#include "host/cpu/loops.hpp"
#include "host/plan/backend.hpp"

namespace vaecuda {
namespace cpu {

CpuParameters::CpuParameters(std::int64_t size, bool training, const std::shared_ptr<ByteCounter>& counter)
    : parameters(size, "parameters", counter) {
  if (!training) return;
  moment1 = FloatBuffer(size, "Adam's first moments", counter);
  moment2 = FloatBuffer(size, "Adam's second moments", counter);
}

const FloatBuffer& CpuParameters::part_buffer(Part part, std::size_t values) const {
  const FloatBuffer& buffer = part == Part::parameters ? parameters
                              : part == Part::moment1  ? moment1
                                                       : moment2;
  if (buffer.size() != static_cast<std::int64_t>(values)) {
    throw std::logic_error("the parameter store does not hold this part in this size");
  }
  return buffer;
}

void CpuParameters::write(Part part, std::span<const float> values) {
  std::copy(values.begin(), values.end(), part_buffer(part, values.size()).data());
}

void CpuParameters::read(Part part, std::span<float> values) const {
  const FloatBuffer& buffer = part_buffer(part, values.size());
  std::copy(buffer.data(), buffer.data() + buffer.size(), values.begin());
}

namespace {

/// Everything besides the plan on which the bytes of a result depend.
std::vector<std::string> algorithms_of(const Loops& loops) {
  const Products& products = loops.products();
  std::string name = std::string("products ") + products.name;
  if (&products == &blas_products()) name += std::string(" ") + blas_kernels();
  return {name, std::string("loops ") + loops.name};
}

class CpuBackend final : public Backend {
 public:
  CpuBackend(const Loops& loops, int threads) : loops_(loops), counter_(std::make_shared<ByteCounter>(0)) {
    device_.kind = DeviceKind::cpu;
    device_.threads = threads > 0 ? threads : usable_cores();
    if (&loops_.products() == &blas_products()) prepare_blas(device_.threads);
    algorithms_ = algorithms_of(loops_);
    device_.name = "cpu";
    device_.memory_bytes = host_memory().total;
  }

  [[nodiscard]] const DeviceInfo& device() const override { return device_; }

  [[nodiscard]] bool has_small_blocks() const override { return &loops_.products() != &blas_products(); }
  // More than one per core would only hold memory while waiting.
  [[nodiscard]] int programs_at_once() const override { return std::max(kLeastAtOnce, usable_cores()); }

  [[nodiscard]] std::unique_ptr<ParameterStore> make_parameters(std::int64_t size, bool training) override {
    return std::make_unique<CpuParameters>(size, training, counter_);
  }

  [[nodiscard]] std::unique_ptr<ResidentData> make_resident(const Dataset& data) override {
    return std::make_unique<CpuData>(data);
  }

  [[nodiscard]] Rankings& rankings() override { return rankings_; }

  [[nodiscard]] std::unique_ptr<Program> compile(const Plan& plan, ParameterStore& parameters,
                                                 const ResidentData* data) override {
    auto* store = dynamic_cast<CpuParameters*>(&parameters);
    const auto* rows = dynamic_cast<const CpuData*>(data);
    if (store == nullptr || (data != nullptr && rows == nullptr) || store->size() != plan.parameter_size) {
      throw std::logic_error("parameters or data of another device or model");
    }
    return compile_plan({.plan = plan,
                         .parameters = *store,
                         .data = rows,
                         .loops = loops_,
                         .counter = counter_,
                         .threads = device_.threads,
                         .algorithms = algorithms_,
                         .regions = regions_});
  }

  [[nodiscard]] std::int64_t allocated_bytes() const override { return counter_->load(); }
  [[nodiscard]] std::int64_t free_bytes() const override { return host_memory().available; }

 private:
  static constexpr int kLeastAtOnce = 8;
  const Loops& loops_;
  std::shared_ptr<ByteCounter> counter_;
  std::shared_ptr<RegionCounter> regions_ = std::make_shared<RegionCounter>(0);
  std::vector<std::string> algorithms_;
  HostRankings rankings_;  // without a state, so for any number of threads
  DeviceInfo device_;
};

}  // namespace

std::unique_ptr<Backend> make_backend_of(const Loops& loops, int threads) {
  return std::make_unique<CpuBackend>(loops, threads);
}

}  // namespace cpu

std::unique_ptr<Backend> make_cpu_backend(int threads) {
  return cpu::make_backend_of(cpu::select_loops(), threads);
}

}  // namespace vaecuda
