// The module's one symbol: its table.
#include "host/cuda/backend.hpp"
#include "host/cuda/failure.hpp"
#include "host/cuda/machine.hpp"
#include "host/cuda/module/cuda_runtime.hpp"
#include "host/cuda/module/probe.hpp"
#include "host/plan/cuda_module.hpp"
#include "vaecuda_build.hpp"

namespace vaecuda::cuda {
namespace {

std::unique_ptr<Runtime> make_runtime(int index) {
  try {
    return make_cuda_runtime(index);
  } catch (const device::Failure& failure) {
    throw_as_error(failure, nullptr);
  }
}

std::unique_ptr<Backend> make_backend(int index, Precision precision, bool autotune) {
  return make_cuda_backend(make_runtime(index), {precision, autotune});
}

std::unique_ptr<Machine> make_machine(int index) {
  return make_cuda_machine(make_runtime(index));
}

constexpr CudaModule kModule{.build = build::kId,
                             .architectures = build::kArchitectures,
                             .probe = probe_devices,
                             .make_backend = make_backend,
                             .make_machine = make_machine};

}  // namespace
}  // namespace vaecuda::cuda

extern "C" __attribute__((visibility("default"))) const vaecuda::CudaModule* vaecuda_cuda_module();

const vaecuda::CudaModule* vaecuda_cuda_module() {
  return &vaecuda::cuda::kModule;
}
