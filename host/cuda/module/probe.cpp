#include "host/cuda/module/probe.hpp"

#include <cuda_runtime_api.h>

#include "host/cuda/module/device_facts.hpp"
#include "kernels/device/failure.hpp"

namespace vaecuda::cuda {
namespace {

DeviceProbe::Status meaning_of(cudaError_t error, int driver_version) {
  switch (error) {
    case cudaSuccess:
      return DeviceProbe::Status::ok;
    case cudaErrorNoDevice:
      return DeviceProbe::Status::no_device;
    // CUDA's answer both to an old driver and to none.
    case cudaErrorInsufficientDriver:
      return driver_version == 0 ? DeviceProbe::Status::no_driver : DeviceProbe::Status::driver_too_old;
    default:
      return DeviceProbe::Status::error;
  }
}

CudaDevice probe_device(int index) {
  CudaDevice device;
  device.info.kind = DeviceKind::cuda;
  device.info.index = index;
  try {
    const DeviceFacts facts = read_device_facts(index);
    device.info.name = facts.name;
    device.info.memory_bytes = facts.memory_bytes;
    device.info.capability = facts.capability;
    device.multiprocessors = facts.multiprocessors;
    device.core_mhz = facts.core_mhz;
    device.memory_mhz = facts.memory_mhz;
    if (is_prohibited(index)) {
      device.unfit = "its compute mode forbids computing; nvidia-smi --compute-mode=0 allows it";
    }
  } catch (const device::Failure& failure) {
    device.info.name = "unknown GPU";
    device.unfit = cudaGetErrorString(static_cast<cudaError_t>(failure.error_code()));
  }
  return device;
}

}  // namespace

DeviceProbe probe_devices() {
  DeviceProbe probe;
  // Both leave 0 where they cannot tell.
  static_cast<void>(cudaDriverGetVersion(&probe.driver_version));
  static_cast<void>(cudaRuntimeGetVersion(&probe.runtime_version));
  int count = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  static_cast<void>(cudaGetLastError());  // or a later call would report it again
  probe.status = meaning_of(error, probe.driver_version);
  if (probe.status == DeviceProbe::Status::error) probe.detail = cudaGetErrorString(error);
  if (probe.status != DeviceProbe::Status::ok) return probe;
  if (count == 0) probe.status = DeviceProbe::Status::no_device;
  for (int index = 0; index < count; ++index) probe.devices.push_back(probe_device(index));
  return probe;
}

}  // namespace vaecuda::cuda
