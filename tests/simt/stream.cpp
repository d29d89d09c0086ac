#include "simt/stream.hpp"

#include <mutex>
#include <set>
#include <utility>

#include "kernels/device/failure.hpp"
#include "simt/block.hpp"
#include "simt/error.hpp"

namespace vaecuda::simt {
namespace {

/// The streams that may be launched on, of all threads.
class Living {
 public:
  static Living& instance() {
    static Living living;
    return living;
  }
  void add(StreamState* state) {
    const std::lock_guard<std::mutex> turn(mutex_);
    states_.insert(state);
  }
  void remove(StreamState* state) {
    const std::lock_guard<std::mutex> turn(mutex_);
    states_.erase(state);
  }
  [[nodiscard]] bool has(StreamState* state) {
    const std::lock_guard<std::mutex> turn(mutex_);
    return states_.count(state) > 0;
  }

 private:
  std::mutex mutex_;
  std::set<StreamState*> states_;
};

}  // namespace

StreamState::StreamState(const SimtOptions& options) : options_(options), launcher_(memory_) {
  Living::instance().add(this);
}

StreamState::~StreamState() {
  Living::instance().remove(this);
}

StreamState& StreamState::from(kernels::Stream stream) {
  auto* state = reinterpret_cast<StreamState*>(stream);
  if (!Living::instance().has(state)) {
    Fault fault;
    fault.what = "a launch on a stream that is not a living executor's";
    throw SimtError(std::move(fault));
  }
  return *state;
}

kernels::Stream StreamState::handle() {
  return reinterpret_cast<kernels::Stream>(this);
}

void StreamState::put(Work work) {
  if (capturing_) {
    recorded_.push_back(std::move(work));
  } else {
    work.run();
  }
}

void StreamState::launch(const LaunchHead& head, std::shared_ptr<const KernelCall> call) {
  const std::string name = head.name;
  const std::uint64_t threads = std::uint64_t{head.threads_x} * head.threads_y;
  if (head.blocks == 0 || threads == 0 || threads > kMaxThreads)
    throw device::Failure("kernel " + name, kErrorInvalidConfiguration);
  if (head.dynamic_shared_bytes > kMaxSharedBytes)
    throw device::Failure("kernel " + name, kErrorInvalidValue);
  // A multiprocessor of every GPU holds 1024 threads.
  if (head.cooperative &&
      head.blocks > static_cast<std::uint64_t>(options_.facts.multiprocessors) * (kMaxThreads / threads))
    throw device::Failure("kernel " + name, kErrorCooperativeTooLarge);
  if (threads % kWarp != 0 || head.blocks > kMaxBlocks) {
    Fault fault;
    fault.kind = FaultKind::launch_shape;
    fault.kernel = name;
    fault.what = head.blocks > kMaxBlocks
                     ? "the executor runs at most " + std::to_string(kMaxBlocks) + " blocks"
                     : "blocks of " + std::to_string(threads) + " threads: no multiple of a warp's " +
                           std::to_string(kWarp);
    throw SimtError(std::move(fault));
  }
  put({[this, head, name, call = std::move(call)] {
         count_launch("kernel " + name);
         LaunchHead own = head;
         own.name = name.c_str();
         launcher_.run(own, *call, options_.second_order);
       },
       true});
}

void StreamState::begin_capture() {
  capturing_ = true;
  recorded_.clear();
}

std::vector<Work> StreamState::end_capture() {
  capturing_ = false;
  return std::exchange(recorded_, {});
}

void StreamState::refuse_in_capture(const char* call) const {
  if (capturing_) throw device::Failure(call, kErrorCaptureUnsupported);
}

void StreamState::count_launch(const std::string& name) {
  if (++launches_ == options_.launch.at) throw device::Failure(name, options_.launch.error);
}

void enqueue(kernels::Stream stream, const LaunchHead& head, std::unique_ptr<KernelCall> call) {
  StreamState::from(stream).launch(head, std::move(call));
}

}  // namespace vaecuda::simt
