#include "simt/runtime.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <utility>
#include <vector>

#include "kernels/device/failure.hpp"
#include "kernels/library/thrust_analysis.hpp"
#include "simt/error.hpp"
#include "simt/gemm.hpp"

namespace vaecuda::simt {
namespace {

class RecordedGraph final : public cuda::Graph {
 public:
  RecordedGraph(StreamState& stream, std::vector<Work> work) : stream_(&stream), work_(std::move(work)) {}
  void launch() override {
    stream_->refuse_in_capture("graph launch");
    for (const Work& work : work_) work.run();
  }
  [[nodiscard]] int kernel_nodes() const override {
    int nodes = 0;
    for (const Work& work : work_) nodes += work.is_kernel ? 1 : 0;
    return nodes;
  }

 private:
  StreamState* stream_;
  std::vector<Work> work_;
};

class CopyEvent final : public cuda::Event {
 public:
  CopyEvent(SimtRuntime& runtime, StreamState& stream, const PinnedMemory& pinned)
      : runtime_(&runtime), stream_(&stream), pinned_(&pinned) {}
  void record() override {
    stream_->refuse_in_capture("event record");
    copies_ = pinned_->begun();
    recorded_ = true;
    at_ = std::chrono::steady_clock::now();
  }
  void wait() override {
    if (recorded_) runtime_->wait_for(copies_, "event wait");
  }
  [[nodiscard]] double seconds_since(const cuda::Event& earlier) const override {
    return std::chrono::duration<double>(at_ - static_cast<const CopyEvent&>(earlier).at_).count();
  }

 private:
  SimtRuntime* runtime_;
  StreamState* stream_;
  const PinnedMemory* pinned_;
  std::uint64_t copies_ = 0;
  bool recorded_ = false;
  std::chrono::steady_clock::time_point at_;
};

/// In a destructor an exception would end the program without a word.
[[noreturn]] void die(const char* what) {
  std::fprintf(stderr, "SIMT executor: %s\n", what);
  std::abort();
}

std::size_t size_of(std::int64_t bytes) {
  if (bytes >= 0) return static_cast<std::size_t>(bytes);
  Fault fault;
  fault.what = "a negative number of bytes";
  throw SimtError(std::move(fault));
}

}  // namespace

SimtRuntime::SimtRuntime(SimtOptions options) : options_(std::move(options)), stream_(options_) {}

cuda::DeviceMemory SimtRuntime::memory() {
  const auto used = static_cast<std::int64_t>(stream_.memory().live_bytes());
  return {options_.facts.memory_bytes - used, options_.facts.memory_bytes};
}

void* SimtRuntime::allocate(std::int64_t bytes, const char* what) {
  stream_.refuse_in_capture("allocate");
  const std::size_t size = size_of(bytes);
  if (++allocations_ == options_.failing_allocation || bytes > memory().free) return nullptr;
  return reinterpret_cast<void*>(stream_.memory().allocate(size, what).base);
}

void SimtRuntime::release(void* memory) noexcept {
  if (memory != nullptr && !stream_.memory().release(memory))
    die("release of an address that allocate() did not give, or of one released before");
}

void* SimtRuntime::allocate_pinned(std::int64_t bytes) {
  if (++allocations_ == options_.failing_allocation) return nullptr;
  return pinned_.allocate(size_of(bytes));
}

void SimtRuntime::release_pinned(void* memory) noexcept {
  try {
    if (memory == nullptr || pinned_.release(memory)) return;
  } catch (const SimtError& error) {
    die(error.what());
  }
  die("release_pinned of an address that allocate_pinned() did not give");
}

void SimtRuntime::copy_to_device(void* device, const void* host, std::int64_t bytes) {
  stream_.refuse_in_capture("copy to device");
  const std::size_t size = size_of(bytes);
  stream_.memory().mark_written(device, size, "copy to device");
  std::memcpy(device, host, size);
  if (pinned_.contains(host, size)) pinned_.begin_write(host, size);
}

void SimtRuntime::copy_to_host(void* host, const void* device, std::int64_t bytes) {
  stream_.refuse_in_capture("copy to host");
  const std::size_t size = size_of(bytes);
  stream_.memory().check_inside(device, size, "copy to host");
  if (pinned_.contains(host, size)) {
    pinned_.begin_read(host, device, size);
    return;
  }
  // CUDA waits for a copy to memory that is not pinned, and so for all before it.
  pinned_.finish(pinned_.begun());
  std::memcpy(host, device, size);
}

void SimtRuntime::fill_zero(void* device, std::int64_t bytes) {
  const std::size_t size = size_of(bytes);
  stream_.memory().check_inside(device, size, "fill with zero");
  stream_.put({[this, device, size] {
                 stream_.memory().mark_written(device, size, "fill with zero");
                 std::memset(device, 0, size);
               },
               false});
}

void SimtRuntime::wait_for(std::uint64_t copies, const char* call) {
  stream_.refuse_in_capture(call);
  if (++waits_ == options_.wait.at) throw device::Failure(call, options_.wait.error);
  pinned_.finish(copies);
}

void SimtRuntime::synchronize() {
  wait_for(pinned_.begun(), "synchronize");
}

void SimtRuntime::begin_after(kernels::Stream other) {
  stream_.refuse_in_capture("begin after another stream");
  if (other != nullptr) static_cast<void>(StreamState::from(other));
}

void SimtRuntime::end_before(kernels::Stream other) {
  stream_.refuse_in_capture("end before another stream");
  if (other != nullptr) static_cast<void>(StreamState::from(other));
}

std::unique_ptr<cuda::Graph> SimtRuntime::capture(const std::function<void()>& work) {
  stream_.refuse_in_capture("capture");
  if (++captures_ == options_.capture.at) throw device::Failure("capture", options_.capture.error);
  stream_.begin_capture();
  try {
    work();
  } catch (...) {
    stream_.end_capture();
    throw;
  }
  return std::make_unique<RecordedGraph>(stream_, stream_.end_capture());
}

std::unique_ptr<cuda::Event> SimtRuntime::make_event() {
  return std::make_unique<CopyEvent>(*this, stream_, pinned_);
}

std::unique_ptr<kernels::Gemm> SimtRuntime::make_gemm(const kernels::GemmSpec& spec, bool) {
  stream_.refuse_in_capture("make_gemm");
  return simt::make_gemm(spec, stream_.memory(), options_.epilogues);
}

std::unique_ptr<kernels::Analysis> SimtRuntime::make_analysis(kernels::Scratch& scratch) {
  stream_.refuse_in_capture("make_analysis");
#ifdef VAECUDA_HAVE_THRUST
  return std::make_unique<kernels::ThrustAnalysis>(stream_.handle(), scratch);
#else
  static_cast<void>(scratch);
  throw std::logic_error("this build has no headers of Thrust");
#endif
}

}  // namespace vaecuda::simt
