// What the CUDA backend needs of a device: memory, one stream, graphs, events, matrix products. The real one
// (host/cuda/module/) stands on the CUDA runtime; the tests have one that runs kernels on the CPU and can be
// told to fail. Not thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "kernels/library/analysis.hpp"
#include "kernels/library/gemm.hpp"
#include "kernels/stream.hpp"

namespace vaecuda::cuda {

/// What is known of a device before anything runs on it.
struct DeviceFacts {
  int index = 0;
  std::string name;
  std::int64_t memory_bytes = 0;
  int capability = 0;  ///< 10·major + minor: 90 for sm_90
  int multiprocessors = 0;
  int core_mhz = 0;  ///< the highest clocks that the driver allows; 0: unknown
  int memory_mhz = 0;
  double memory_bytes_per_second = 0.0;  ///< by clock and bus width, 0: unknown
  double fp32_flops_per_second = 0.0;    ///< by clock and cores, 0: unknown
};

struct DeviceMemory {
  std::int64_t free = 0;
  std::int64_t total = 0;
};

/// A captured sequence of work, to be replayed.
class Graph {
 public:
  virtual ~Graph() = default;
  virtual void launch() = 0;
  /// Kernel nodes in the graph, as the driver counts them.
  [[nodiscard]] virtual int kernel_nodes() const = 0;
};

/// A mark in the stream.
class Event {
 public:
  virtual ~Event() = default;
  virtual void record() = 0;
  /// Waits until everything before the last record() is done. Before any record() it returns at once.
  virtual void wait() = 0;
  /// What the device took from `earlier`'s last record() to this one's. Both must have been waited for.
  [[nodiscard]] virtual double seconds_since(const Event& earlier) const = 0;
};

/// Failures of any call are device::Failure (kernels/device/failure.hpp) with CUDA's error number; a failure
/// of earlier asynchronous work may come out of any later call.
class Runtime {
 public:
  virtual ~Runtime() = default;
  [[nodiscard]] virtual const DeviceFacts& facts() const = 0;
  [[nodiscard]] virtual DeviceMemory memory() = 0;
  /// 256-byte aligned; null if there is not enough.
  [[nodiscard]] virtual void* allocate(std::int64_t bytes, const char* what) = 0;
  virtual void release(void* memory) noexcept = 0;
  /// Host memory that copies to and from without being waited for; null if there is not enough.
  [[nodiscard]] virtual void* allocate_pinned(std::int64_t bytes) = 0;
  virtual void release_pinned(void* memory) noexcept = 0;
  /// In stream order. Host memory that is not pinned may be used again when the call returns.
  virtual void copy_to_device(void* device, const void* host, std::int64_t bytes) = 0;
  virtual void copy_to_host(void* host, const void* device, std::int64_t bytes) = 0;
  virtual void fill_zero(void* device, std::int64_t bytes) = 0;
  [[nodiscard]] virtual kernels::Stream stream() = 0;
  virtual void synchronize() = 0;
  /// Work put on stream() from now on begins after what is on `other`, a stream of this device (null: its
  /// default one). The host does not wait.
  virtual void begin_after(kernels::Stream other) = 0;
  /// Work put on `other` from now on begins after what is on stream().
  virtual void end_before(kernels::Stream other) = 0;
  /// Captures what `work` puts on the stream, without running it.
  [[nodiscard]] virtual std::unique_ptr<Graph> capture(const std::function<void()>& work) = 0;
  [[nodiscard]] virtual std::unique_ptr<Event> make_event() = 0;
  /// Null if the library has no algorithm for this epilogue on these operands. With `autotune` the algorithms
  /// are measured, else the first reproducible one of the library's own order is taken. D, aux and
  /// bias_gradient may be overwritten.
  [[nodiscard]] virtual std::unique_ptr<kernels::Gemm> make_gemm(const kernels::GemmSpec& spec,
                                                                 bool autotune) = 0;
  /// What sorts, counts and sums in device memory, on stream(); temporary memory comes from `scratch`.
  [[nodiscard]] virtual std::unique_ptr<kernels::Analysis> make_analysis(kernels::Scratch& scratch) = 0;
};

}  // namespace vaecuda::cuda
