// cuda::Runtime on the executor: what the CUDA backend needs of a device, with every kernel watched.
#pragma once

#include <cstdint>
#include <memory>

#include "host/cuda/runtime.hpp"
#include "simt/options.hpp"
#include "simt/pinned.hpp"
#include "simt/stream.hpp"

namespace vaecuda::simt {

class SimtRuntime final : public cuda::Runtime {
 public:
  explicit SimtRuntime(SimtOptions options = {});

  [[nodiscard]] const cuda::DeviceFacts& facts() const override { return options_.facts; }
  [[nodiscard]] cuda::DeviceMemory memory() override;
  [[nodiscard]] void* allocate(std::int64_t bytes, const char* what) override;
  void release(void* memory) noexcept override;
  [[nodiscard]] void* allocate_pinned(std::int64_t bytes) override;
  void release_pinned(void* memory) noexcept override;
  void copy_to_device(void* device, const void* host, std::int64_t bytes) override;
  void copy_to_host(void* host, const void* device, std::int64_t bytes) override;
  void fill_zero(void* device, std::int64_t bytes) override;
  [[nodiscard]] kernels::Stream stream() override { return stream_.handle(); }
  void synchronize() override;
  /// Work runs when it is put on a stream, so there is nothing to wait for; what is no stream is refused.
  void begin_after(kernels::Stream other) override;
  void end_before(kernels::Stream other) override;
  [[nodiscard]] std::unique_ptr<cuda::Graph> capture(const std::function<void()>& work) override;
  [[nodiscard]] std::unique_ptr<cuda::Event> make_event() override;
  [[nodiscard]] std::unique_ptr<kernels::Gemm> make_gemm(const kernels::GemmSpec& spec,
                                                         bool autotune) override;
  /// By Thrust's host system, which does not watch memory. \throws std::logic_error in a build without the
  /// toolkit's headers
  [[nodiscard]] std::unique_ptr<kernels::Analysis> make_analysis(kernels::Scratch& scratch) override;

  /// Buffers that are not released yet.
  [[nodiscard]] std::int64_t live_buffers() {
    return static_cast<std::int64_t>(stream_.memory().live_buffers());
  }
  /// Kernels and products that have run, failed ones included.
  [[nodiscard]] std::int64_t launches() const { return stream_.launches(); }
  /// Of device and pinned memory, failed ones included.
  [[nodiscard]] std::int64_t allocations() const { return allocations_; }
  /// Ends the first `copies` copies between host and device, as a wait does.
  void wait_for(std::uint64_t copies, const char* call);

 private:
  SimtOptions options_;
  StreamState stream_;
  PinnedMemory pinned_;
  std::int64_t allocations_ = 0;
  std::int64_t waits_ = 0;
  std::int64_t captures_ = 0;
};

}  // namespace vaecuda::simt
