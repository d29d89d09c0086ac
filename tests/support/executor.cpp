#include "support/executor.hpp"

#include <cstdlib>
#include <iostream>
#include <stdexcept>

#include "vaecuda/device.hpp"
#include "vaecuda/error.hpp"
#if defined(VAECUDA_HAVE_SIMT)
#include "host/cuda/backend.hpp"
#include "simt/runtime.hpp"
#endif

namespace vaecuda::test {
namespace {

#if defined(VAECUDA_HAVE_SIMT)
Executor simt_executor(const std::string& name, simt::EpilogueSupport epilogues) {
  return {name, [epilogues] {
            simt::SimtOptions options;
            options.epilogues = epilogues;
            return cuda::make_cuda_backend(std::make_unique<simt::SimtRuntime>(options), {});
          }};
}
#endif

void add_gpu(std::vector<Executor>& all) {
  const char* required = std::getenv("VAECUDA_REQUIRE_GPU");
  try {
    const DeviceInfo device = choose_device("cuda").device;
    all.push_back({"gpu " + device.name, [device] { return make_backend(device, Precision::fp32); }, true});
  } catch (const DeviceError& error) {
    if (required != nullptr && std::string(required) == "1") throw std::runtime_error(error.what());
    std::cerr << "left out: the GPU (" << error.what() << ")\n";
  }
}

std::vector<Executor> find_executors() {
  std::vector<Executor> all = {cpu_executor(1), cpu_executor(3)};
#if defined(VAECUDA_HAVE_SIMT)
  all.push_back(simt_executor("simt", simt::EpilogueSupport::all));
  all.push_back(simt_executor("simt without epilogues", simt::EpilogueSupport::none));
#endif
  add_gpu(all);
  if (const char* wanted = std::getenv("VAECUDA_EXECUTORS"); wanted != nullptr) {
    const std::string prefix = wanted;
    std::erase_if(
        all, [&](const Executor& executor) { return executor.name.compare(0, prefix.size(), prefix) != 0; });
    if (all.empty()) throw std::runtime_error("VAECUDA_EXECUTORS=" + prefix + ": there is no such executor");
  }
  return all;
}

}  // namespace

Executor cpu_executor(int threads) {
  return {"cpu with " + std::to_string(threads) + " threads",
          [threads] { return make_cpu_backend(threads); }};
}

const std::vector<Executor>& executors() {
  static const std::vector<Executor> all = find_executors();
  return all;
}

}  // namespace vaecuda::test
