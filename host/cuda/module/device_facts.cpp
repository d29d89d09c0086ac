#include "host/cuda/module/device_facts.hpp"

#include <cuda_runtime_api.h>

#include "kernels/library/cuda_call.hpp"

namespace vaecuda::cuda {
namespace {

/// 0 where this driver or device does not tell.
int attribute(cudaDeviceAttr which, int index) {
  int value = 0;
  if (cudaDeviceGetAttribute(&value, which, index) == cudaSuccess) return value;
  static_cast<void>(cudaGetLastError());  // or a later call would report it again
  return 0;
}

/// fp32 lanes of a multiprocessor (CUDA's programming guide, "Compute Capabilities"); 0: unknown.
int fp32_lanes(int capability) {
  switch (capability) {
    case 75:
    case 80:
      return 64;
    case 86:
    case 87:
    case 89:
    case 90:
    case 100:
    case 103:
    case 110:
    case 120:
    case 121:
      return 128;
    default:
      return 0;
  }
}

}  // namespace

DeviceFacts read_device_facts(int index) {
  cudaDeviceProp properties{};
  kernels::check_cuda("cudaGetDeviceProperties", cudaGetDeviceProperties(&properties, index));
  DeviceFacts facts;
  facts.index = index;
  facts.name = properties.name;
  facts.memory_bytes = static_cast<std::int64_t>(properties.totalGlobalMem);
  facts.capability = 10 * properties.major + properties.minor;
  facts.multiprocessors = properties.multiProcessorCount;
  constexpr int kKilohertzPerMegahertz = 1000;
  facts.core_mhz = attribute(cudaDevAttrClockRate, index) / kKilohertzPerMegahertz;
  facts.memory_mhz = attribute(cudaDevAttrMemoryClockRate, index) / kKilohertzPerMegahertz;
  constexpr double kHertzPerKilohertz = 1e3;
  constexpr double kTransfersPerCycle = 2.0;  // the memories of all these cards move data on both edges
  constexpr double kFlopsPerLane = 2.0;       // a fused multiply-add
  const double memory_hertz = kHertzPerKilohertz * attribute(cudaDevAttrMemoryClockRate, index);
  const double bus_bytes = attribute(cudaDevAttrGlobalMemoryBusWidth, index) / 8.0;
  facts.memory_bytes_per_second = kTransfersPerCycle * memory_hertz * bus_bytes;
  const double core_hertz = kHertzPerKilohertz * attribute(cudaDevAttrClockRate, index);
  facts.fp32_flops_per_second =
      kFlopsPerLane * core_hertz * fp32_lanes(facts.capability) * facts.multiprocessors;
  return facts;
}

bool is_prohibited(int index) {
  int mode = cudaComputeModeDefault;
  kernels::check_cuda("cudaDeviceGetAttribute", cudaDeviceGetAttribute(&mode, cudaDevAttrComputeMode, index));
  return mode == cudaComputeModeProhibited;
}

}  // namespace vaecuda::cuda
