#include "bench/identity.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "bench_build.hpp"
#include "bench_commit.hpp"
#include "host/plan/cuda_module.hpp"
#include "host/plan/machine.hpp"
#include "vaecuda/version.hpp"

namespace vaecuda::bench {
namespace {

/// The value after `key` and a colon in a file of the system; null if there is none.
Json system_value(const char* path, const std::string& key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.compare(0, key.size(), key) != 0) continue;
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    const std::size_t begin = line.find_first_not_of(" \t", colon + 1);
    return begin == std::string::npos ? Json(nullptr) : Json(line.substr(begin));
  }
  return nullptr;
}

/// The current clock of the first core, as reported by the system.
Json processor_mhz() {
  const Json value = system_value("/proc/cpuinfo", "cpu MHz");
  return value.is_null() ? value : Json(std::strtod(value.get<std::string>().c_str(), nullptr));
}

Json known(int value) {
  return value > 0 ? Json(value) : Json(nullptr);
}

/// "12.4" from 12040.
Json cuda_version(int version) {
  return version > 0 ? Json(fmt::format("{}.{}", version / 1000, version % 1000 / 10)) : Json(nullptr);
}

void add_gpu(Json& json, int index) {
  const CudaAccess& access = cuda_access();
  if (access.module == nullptr) return;
  const DeviceProbe probe = access.module->probe();
  json["driver_cuda_version"] = cuda_version(probe.driver_version);
  json["toolkit_version"] = cuda_version(probe.runtime_version);
  json["driver"] = system_value("/proc/driver/nvidia/version", "NVRM version");
  if (index >= static_cast<int>(probe.devices.size())) return;
  const CudaDevice& device = probe.devices[static_cast<std::size_t>(index)];
  json["multiprocessors"] = known(device.multiprocessors);
  json["core_mhz"] = known(device.core_mhz);
  json["memory_mhz"] = known(device.memory_mhz);
}

}  // namespace

Json identity_of(const DeviceInfo& device) {
  const bool is_gpu = device.kind == DeviceKind::cuda;
  const Json processor = system_value("/proc/cpuinfo", "model name");
  Json json;
  json["kind"] = is_gpu ? "cuda" : "cpu";
  json["name"] = is_gpu || processor.is_null() ? Json(device.name) : processor;
  json["index"] = device.index;
  json["memory_bytes"] = device.memory_bytes;
  json["threads"] = is_gpu ? Json(nullptr) : Json(device.threads);
  json["capability"] = is_gpu ? Json(device.capability) : Json(nullptr);
  json["multiprocessors"] = nullptr;
  json["core_mhz"] = is_gpu ? Json(nullptr) : processor_mhz();
  json["memory_mhz"] = nullptr;
  json["driver"] = nullptr;
  json["driver_cuda_version"] = nullptr;
  json["toolkit_version"] = nullptr;
  json["processor"] = processor;
  json["kernels"] = is_gpu ? Json(nullptr) : Json(cpu_kernels());
  if (is_gpu) add_gpu(json, device.index);
  return json;
}

Json identity_of_build() {
  Json json;
  json["version"] = version();
  json["commit"] = build::kCommit;
  json["compiler"] = build::kCompiler;
  json["flags"] = build::kFlags;
  json["architectures"] = build::kCudaArchitectures;
  json["description"] = build_info();
  return json;
}

}  // namespace vaecuda::bench
