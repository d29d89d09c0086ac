// A stand-in for libvaecuda_cuda.so, built three times: of the running library's own build, of another one,
// and without the symbol that makes it a module.
#include "host/plan/cuda_module.hpp"
#include "vaecuda/error.hpp"
#include "vaecuda_build.hpp"

namespace {

vaecuda::DeviceProbe probe() {
  vaecuda::DeviceProbe found;
  found.status = vaecuda::DeviceProbe::Status::ok;
  vaecuda::CudaDevice device;
  device.info = {.kind = vaecuda::DeviceKind::cuda,
                 .index = 0,
                 .name = "Loaded GPU",
                 .memory_bytes = 1 << 30,
                 .threads = 0,
                 .capability = 90};
  found.devices.push_back(device);
  return found;
}

std::unique_ptr<vaecuda::Backend> make_backend(int, vaecuda::Precision, bool) {
  throw vaecuda::OutOfMemoryError("no memory behind the border");
}

std::unique_ptr<vaecuda::Machine> make_machine(int) {
  throw vaecuda::OutOfMemoryError("no memory behind the border");
}

#if defined(VAECUDA_STALE_MODULE)
constexpr const char* kBuild = "0.0.1 another-compiler 0123456789ab";
#else
constexpr const char* kBuild = vaecuda::build::kId;
#endif
constexpr vaecuda::CudaModule kModule{.build = kBuild,
                                      .architectures = "75-real,80-real,90",
                                      .probe = probe,
                                      .make_backend = make_backend,
                                      .make_machine = make_machine};

}  // namespace

#if defined(VAECUDA_OTHER_MODULE)
#define VAECUDA_ENTRY something_else
#else
#define VAECUDA_ENTRY vaecuda_cuda_module
#endif

extern "C" __attribute__((visibility("default"))) const vaecuda::CudaModule* VAECUDA_ENTRY();

const vaecuda::CudaModule* VAECUDA_ENTRY() {
  return &kModule;
}
