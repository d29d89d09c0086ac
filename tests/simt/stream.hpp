// The executor's stream: work runs at once, or is recorded while a graph is captured.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "kernels/stream.hpp"
#include "simt/launch.hpp"
#include "simt/memory.hpp"
#include "simt/options.hpp"

namespace vaecuda::simt {

/// One piece of recorded work. Kernels and products count as kernel nodes.
struct Work {
  std::function<void()> run;
  bool is_kernel = false;
};

/// CUDA's error numbers (cudaError_t) that the executor gives by itself.
inline constexpr int kErrorInvalidValue = 1;
inline constexpr int kErrorInvalidConfiguration = 9;
inline constexpr int kErrorCooperativeTooLarge = 720;
inline constexpr int kErrorCaptureUnsupported = 900;

class StreamState {
 public:
  explicit StreamState(const SimtOptions& options);
  ~StreamState();
  StreamState(const StreamState&) = delete;
  StreamState& operator=(const StreamState&) = delete;

  /// \throws SimtError if `stream` is no living executor's stream.
  static StreamState& from(kernels::Stream stream);
  [[nodiscard]] kernels::Stream handle();

  /// Runs the work, or records it.
  void put(Work work);
  void launch(const LaunchHead& head, std::shared_ptr<const KernelCall> call);

  void begin_capture();
  std::vector<Work> end_capture();
  [[nodiscard]] bool is_capturing() const { return capturing_; }
  /// \throws device::Failure while a graph is captured.
  void refuse_in_capture(const char* call) const;

  /// Counts a launch; \throws device::Failure if it is the one that must fail.
  void count_launch(const std::string& name);
  [[nodiscard]] Memory& memory() { return memory_; }
  /// Launches counted so far.
  [[nodiscard]] std::int64_t launches() const { return launches_; }

 private:
  const SimtOptions& options_;
  Memory memory_;
  Launcher launcher_;
  bool capturing_ = false;
  std::vector<Work> recorded_;
  std::int64_t launches_ = 0;
};

}  // namespace vaecuda::simt
