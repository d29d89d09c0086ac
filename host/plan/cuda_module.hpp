// The border between libvaecuda and its CUDA backend. The backend is a library of its own, opened when a GPU
// is wanted for the first time: merely linking cuBLASLt costs a program 150 ms before main, and a program
// built with CUDA must start where there is no driver. Nothing here knows CUDA.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "host/plan/backend.hpp"
#include "host/plan/machine.hpp"

namespace vaecuda {

/// A GPU that the driver shows.
struct CudaDevice {
  DeviceInfo info;
  std::string unfit;  ///< why nobody can compute on it, empty where one can
  int multiprocessors = 0;
  int core_mhz = 0;  ///< the highest clocks that the driver allows; 0: unknown
  int memory_mhz = 0;
};

/// What CUDA finds on this machine. Versions are 1000·major + 10·minor, 0: unknown.
struct DeviceProbe {
  enum class Status { ok, no_driver, driver_too_old, no_device, error };
  Status status = Status::error;
  int driver_version = 0;   ///< the newest CUDA that the driver can serve
  int runtime_version = 0;  ///< the CUDA that the module was built with
  std::string detail;       ///< error: CUDA's words for it
  std::vector<CudaDevice> devices;
};

/// What libvaecuda_cuda.so offers. Nothing but `build` may be looked at before it was found to be ours, so
/// `build` stays the first member for ever.
struct CudaModule {
  const char* build;          ///< cuda_module_build() of the sources that it was made from
  const char* architectures;  ///< CMAKE_CUDA_ARCHITECTURES with commas: "75-real,80-real,90"
  DeviceProbe (*probe)();     ///< what CUDA refuses is a status
  /// \throws DeviceError, OutOfMemoryError, RuntimeError
  std::unique_ptr<Backend> (*make_backend)(int index, Precision precision, bool autotune);
  /// \throws DeviceError, OutOfMemoryError, RuntimeError
  std::unique_ptr<Machine> (*make_machine)(int index);
};

/// The module's one symbol, a function of this type.
inline constexpr const char* kCudaModuleSymbol = "vaecuda_cuda_module";
using CudaModuleEntry = const CudaModule* (*)();

/// Version, compiler and a digest of every header whose types cross the border: a module made from others
/// would read our objects wrongly.
[[nodiscard]] const char* cuda_module_build() noexcept;

/// The way to CUDA: a module, or the reason why there is none, in one line without a full stop.
struct CudaAccess {
  const CudaModule* module = nullptr;
  std::string reason;
};

/// Where the module of the running library is looked for, in this order: beside the file that this code was
/// loaded from (program or shared library), in the lib folders next to that folder, where it was to be
/// installed. Never by its bare name, in the current folder or along LD_LIBRARY_PATH: a file that happens to
/// lie there would be run, and would be a stranger's or another version's.
[[nodiscard]] std::vector<std::filesystem::path> cuda_module_places();

/// Opens the first of these files that exists. It stays open.
[[nodiscard]] CudaAccess open_cuda_module(const std::vector<std::filesystem::path>& places);

/// The module of the running library, opened by the first call. Without a driver it is not touched.
[[nodiscard]] const CudaAccess& cuda_access();

}  // namespace vaecuda
