#include "host/plan/devices.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "vaecuda/error.hpp"

namespace vaecuda {
namespace {

/// The index of "cuda" (0) or "cuda:N"; −1 for anything else.
int cuda_index(const std::string& request) {
  if (request == "cuda") return 0;
  constexpr std::string_view kPrefix = "cuda:";
  if (request.compare(0, kPrefix.size(), kPrefix) != 0) return -1;
  int index = -1;
  const char* begin = request.data() + kPrefix.size();
  const char* end = request.data() + request.size();
  const auto [stop, error] = std::from_chars(begin, end, index);
  const bool canonical = end - begin == 1 || *begin != '0';
  return error == std::errc() && stop == end && index >= 0 && canonical ? index : -1;
}

/// "12.4" for 12040.
std::string version_text(int version) {
  return fmt::format("{}.{}", version / 1000, version % 1000 / 10);
}

std::string described(const DeviceInfo& device) {
  return fmt::format("{} (sm_{})", device.name, device.capability);
}

/// Why no GPU at all can be used; empty where the devices decide.
std::string reason_of(const DeviceProbe& probe) {
  switch (probe.status) {
    case DeviceProbe::Status::ok:
      return {};
    case DeviceProbe::Status::no_driver:
      return "no NVIDIA driver is installed on this machine";
    case DeviceProbe::Status::driver_too_old:
      return fmt::format(
          "the NVIDIA driver is too old: it serves CUDA {}, this build needs CUDA {}; update the driver",
          version_text(probe.driver_version), version_text(probe.runtime_version));
    case DeviceProbe::Status::no_device: {
      const char* visible = std::getenv("CUDA_VISIBLE_DEVICES");
      return visible == nullptr
                 ? std::string("the NVIDIA driver finds no GPU")
                 : fmt::format("the NVIDIA driver shows no GPU under CUDA_VISIBLE_DEVICES={}", visible);
    }
    case DeviceProbe::Status::error:
      break;
  }
  return fmt::format("the NVIDIA driver does not start: {}", probe.detail);
}

/// Why this GPU cannot be used; empty where it can.
std::string reason_of(const CudaDevice& device, const CudaModule& module) {
  if (!device.unfit.empty()) return fmt::format("{}: {}", device.info.name, device.unfit);
  const int capability = device.info.capability;
  if (capability < kMinimumCapability) {
    return fmt::format("{} is too old: a GPU of sm_{} or newer is needed", described(device.info),
                       kMinimumCapability);
  }
  if (!has_code_for(module.architectures, capability)) {
    return fmt::format(
        "this build has no kernels for {}, only for {}; configure it with -DCMAKE_CUDA_ARCHITECTURES={}",
        described(device.info), module.architectures, capability);
  }
  return {};
}

std::string list_of(const std::vector<CudaDevice>& devices) {
  std::string list;
  for (const CudaDevice& device : devices) {
    list += fmt::format("{}cuda:{} {}", list.empty() ? "" : ", ", device.info.index, device.info.name);
  }
  return list;
}

/// A GPU, or the reason why it cannot be had.
struct GpuAnswer {
  DeviceInfo device;
  std::string reason;
};

GpuAnswer find_gpu(int index, const CudaAccess& access) {
  if (access.module == nullptr) return {{}, access.reason};
  const DeviceProbe probe = access.module->probe();
  std::string reason = reason_of(probe);
  if (!reason.empty()) return {{}, std::move(reason)};
  if (index >= static_cast<int>(probe.devices.size())) {
    return {{}, fmt::format("there is no such GPU; this machine has {}", list_of(probe.devices))};
  }
  const CudaDevice& device = probe.devices[static_cast<std::size_t>(index)];
  return {device.info, reason_of(device, *access.module)};
}

bool is_code_for(std::string_view architecture, int capability) {
  int version = 0;
  const char* end = architecture.data() + architecture.size();
  const auto [stop, error] = std::from_chars(architecture.data(), end, version);
  if (error != std::errc()) return true;  // "native", "all": made for what is there
  const std::string_view suffix(stop, static_cast<std::size_t>(end - stop));
  const bool same_major = capability / 10 == version / 10;
  if (suffix.substr(0, 1) == "a") return capability == version;  // "90a": features of this one alone
  if (suffix.substr(0, 1) == "f" || suffix == "-real") return same_major && capability >= version;
  return capability >= version;
}

}  // namespace

bool has_code_for(const std::string& architectures, int capability) {
  std::string_view rest = architectures;
  while (!rest.empty()) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    if (is_code_for(rest.substr(0, comma), capability)) return true;
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  return false;
}

DeviceChoice choose_device(const std::string& request, int threads, const CudaAccess& access) {
  const auto on_cpu = [threads](std::string note) {
    const std::string fewer = why_fewer_threads(threads);
    if (!fewer.empty()) note += (note.empty() ? "" : "; ") + fewer;
    return DeviceChoice{make_cpu_backend(threads)->device(), std::move(note)};
  };
  if (request == "cpu") return on_cpu({});
  const bool any = request == "auto";
  const int index = any ? 0 : cuda_index(request);
  if (index < 0) {
    throw ConfigError(
        fmt::format("--device {}: there is no such device; allowed are auto, cpu, cuda and cuda:N", request));
  }
  const GpuAnswer gpu = find_gpu(index, access);
  if (gpu.reason.empty()) return {gpu.device, {}};
  if (any) return on_cpu(fmt::format("running on the CPU: {}", gpu.reason));
  throw DeviceError(fmt::format("--device {}: {}; use --device cpu or auto", request, gpu.reason));
}

std::unique_ptr<Backend> make_backend(const DeviceInfo& device, Precision precision, bool autotune,
                                      const CudaAccess& access) {
  const char* precision_name = precision == Precision::tf32 ? "tf32" : "bf16";
  if (device.kind == DeviceKind::cpu) {
    if (precision == Precision::fp32) return make_cpu_backend(device.threads);
    throw DeviceError(fmt::format(
        "--precision {}: the CPU computes in fp32 only; use --precision fp32 or a GPU", precision_name));
  }
  if (access.module == nullptr) throw DeviceError(access.reason);
  if (precision != Precision::fp32 && device.capability < kTensorFloatCapability) {
    throw DeviceError(fmt::format(
        "--precision {}: {} has no such products; use --precision fp32 or a GPU of sm_{} or newer",
        precision_name, described(device), kTensorFloatCapability));
  }
  return access.module->make_backend(device.index, precision, autotune);
}

std::unique_ptr<Machine> make_machine(const DeviceInfo& device, const CudaAccess& access) {
  if (device.kind == DeviceKind::cpu) return make_cpu_machine(device.threads);
  if (access.module == nullptr) throw DeviceError(access.reason);
  return access.module->make_machine(device.index);
}

DeviceChoice choose_device(const std::string& request, int threads) {
  const bool wants_gpu = request == "auto" || cuda_index(request) >= 0;
  return choose_device(request, threads, wants_gpu ? cuda_access() : CudaAccess{});
}

std::unique_ptr<Backend> make_backend(const DeviceInfo& device, Precision precision, bool autotune) {
  const bool wants_gpu = device.kind == DeviceKind::cuda;
  return make_backend(device, precision, autotune, wants_gpu ? cuda_access() : CudaAccess{});
}

std::unique_ptr<Machine> make_machine(const DeviceInfo& device) {
  const bool wants_gpu = device.kind == DeviceKind::cuda;
  return make_machine(device, wants_gpu ? cuda_access() : CudaAccess{});
}

}  // namespace vaecuda
