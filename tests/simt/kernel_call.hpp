// A kernel with its arguments, and the way into a stream: the seam between kernel files and the executor.
#pragma once

#include <cstddef>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

#include "kernels/stream.hpp"

namespace vaecuda::simt {

/// What one thread of a launch runs.
class KernelCall {
 public:
  virtual ~KernelCall() = default;
  virtual void run() const = 0;
  /// Size of the object, which holds the arguments: a thread may read there.
  [[nodiscard]] virtual std::size_t bytes() const = 0;
};

template <typename... Parameters>
class TypedCall final : public KernelCall {
  static_assert((!std::is_reference_v<Parameters> && ...), "a kernel takes its parameters by value");
  static_assert((std::is_trivially_copyable_v<Parameters> && ...), "parameters travel as bytes");

 public:
  template <typename... Arguments>
  explicit TypedCall(void (*kernel)(Parameters...), const Arguments&... arguments)
      : kernel_(kernel), parameters_(arguments...) {}
  void run() const override { run(std::index_sequence_for<Parameters...>{}); }
  [[nodiscard]] std::size_t bytes() const override { return sizeof(*this); }

 private:
  template <std::size_t... kIndex>
  void run(std::index_sequence<kIndex...>) const {
    kernel_(std::get<kIndex>(parameters_)...);
  }
  void (*kernel_)(Parameters...);
  std::tuple<Parameters...> parameters_;
};

struct LaunchHead {
  const char* name;
  unsigned blocks;
  unsigned threads_x;
  unsigned threads_y;
  unsigned dynamic_shared_bytes;
  bool cooperative;
};

/// Runs the kernel, or records it while the stream is captured.
/// \throws device::Failure where CUDA would refuse the launch, SimtError for a fault of the kernel.
void enqueue(kernels::Stream stream, const LaunchHead& head, std::unique_ptr<KernelCall> call);

}  // namespace vaecuda::simt
