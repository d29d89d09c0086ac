#include "host/cuda/failure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "vaecuda/error.hpp"

namespace vaecuda::cuda {
namespace {

enum class Meaning {
  device,        ///< no device, or none that this build can use
  memory,        ///< the device's memory is used up
  call,          ///< this call was refused; others may go on
  context_lost,  ///< whatever the process asks of the device from now on fails as well
};

struct KnownError {
  int code;
  const char* name;
  Meaning meaning;
  const char* explanation;
};

/// The errors that a correct program can meet, by CUDA's numbers (cudaError_t).
constexpr KnownError kKnownErrors[] = {
    {1, "cudaErrorInvalidValue", Meaning::call, "an argument was refused"},
    {2, "cudaErrorMemoryAllocation", Meaning::memory, "out of memory"},
    {9, "cudaErrorInvalidConfiguration", Meaning::call, "the launch does not fit the device"},
    {35, "cudaErrorInsufficientDriver", Meaning::device,
     "there is no NVIDIA driver, or it is older than the CUDA version of this build; install a newer driver"},
    {46, "cudaErrorDevicesUnavailable", Meaning::device,
     "the GPU is busy or reserved for another process; wait for it or choose another one"},
    {98, "cudaErrorInvalidDeviceFunction", Meaning::call, "the kernel is not part of this build"},
    {100, "cudaErrorNoDevice", Meaning::device,
     "there is no GPU, or CUDA_VISIBLE_DEVICES hides all; use --device cpu"},
    {101, "cudaErrorInvalidDevice", Meaning::device, "there is no GPU of this number"},
    {209, "cudaErrorNoKernelImageForDevice", Meaning::device,
     "this build has no kernels for this model of GPU; build it for the GPU's architecture"},
    {214, "cudaErrorECCUncorrectable", Meaning::context_lost, "the GPU's memory is damaged"},
    {700, "cudaErrorIllegalAddress", Meaning::context_lost, "memory was accessed that is not there"},
    {701, "cudaErrorLaunchOutOfResources", Meaning::call, "the launch needs more registers than there are"},
    {702, "cudaErrorLaunchTimeout", Meaning::context_lost,
     "the kernel ran longer than the display's watchdog allows"},
    {715, "cudaErrorIllegalInstruction", Meaning::context_lost, "an instruction was illegal"},
    {716, "cudaErrorMisalignedAddress", Meaning::context_lost, "an address was not aligned"},
    {717, "cudaErrorInvalidAddressSpace", Meaning::context_lost, "an address was of the wrong kind"},
    {718, "cudaErrorInvalidPc", Meaning::context_lost, "the program counter left the program"},
    {719, "cudaErrorLaunchFailure", Meaning::context_lost, "a kernel broke off"},
    {720, "cudaErrorCooperativeLaunchTooLarge", Meaning::call,
     "a cooperative launch has more blocks than the device holds at once"},
};

const KnownError* find(int code) {
  const auto* found = std::find_if(std::begin(kKnownErrors), std::end(kKnownErrors),
                                   [&](const KnownError& known) { return known.code == code; });
  return found == std::end(kKnownErrors) ? nullptr : found;
}

double mebibytes(std::int64_t bytes) {
  return static_cast<double>(bytes) / 1048576.0;
}

std::string device_name(Runtime* runtime) {
  if (runtime == nullptr) return "CUDA";
  const DeviceFacts& facts = runtime->facts();
  return fmt::format("cuda:{} {}", facts.index, facts.name);
}

/// "3 MiB free of 80 MiB", or nothing where the device does not answer any more.
std::string free_memory(Runtime* runtime) {
  if (runtime == nullptr) return "";
  try {
    const DeviceMemory memory = runtime->memory();
    return fmt::format("{:.0f} MiB free of {:.0f} MiB", mebibytes(memory.free), mebibytes(memory.total));
  } catch (const device::Failure&) {
    return "";
  }
}

constexpr const char* kMemoryAdvice =
    "choose a smaller batch size or smaller layers, end other programs on the GPU, or use --device cpu";

}  // namespace

void throw_as_error(const device::Failure& failure, Runtime* runtime) {
  const KnownError* known = find(failure.error_code());
  const std::string where = device_name(runtime);
  if (known == nullptr) {
    // Beyond CUDA's numbers lie those of its libraries, whose calls name their status.
    constexpr int kLastOfCuda = 999;
    const int code = failure.error_code();
    const std::string number = code > kLastOfCuda ? "" : fmt::format(" with CUDA's error {}", code);
    throw RuntimeError(fmt::format("{}: {} failed{}", where, failure.what(), number));
  }
  const std::string number = fmt::format("CUDA's error {}, {}", known->code, known->name);
  switch (known->meaning) {
    case Meaning::device:
      throw DeviceError(fmt::format("{}: {} ({}: {})", where, known->explanation, failure.what(), number));
    case Meaning::memory: {
      const std::string memory = free_memory(runtime);
      throw OutOfMemoryError(fmt::format("not enough memory on {} for {}{}{}; {} ({})", where, failure.what(),
                                         memory.empty() ? "" : ": ", memory, kMemoryAdvice, number));
    }
    case Meaning::call:
      throw RuntimeError(
          fmt::format("{}: {} failed: {} ({})", where, failure.what(), known->explanation, number));
    case Meaning::context_lost:
      break;
  }
  // Work runs behind the calls that asked for it, so the call that reports may not be the one at fault.
  throw RuntimeError(
      fmt::format("{}: {} reports that {} ({}), there or in work that was queued before; the "
                  "GPU's context is lost, start again",
                  where, failure.what(), known->explanation, number));
}

void refuse_memory(Runtime& runtime, std::int64_t bytes, const std::string& what) {
  const std::string memory = free_memory(&runtime);
  throw OutOfMemoryError(fmt::format("not enough memory on {} for {}: {:.0f} MiB asked{}{}; {}",
                                     device_name(&runtime), what, mebibytes(bytes),
                                     memory.empty() ? "" : ", ", memory, kMemoryAdvice));
}

}  // namespace vaecuda::cuda
