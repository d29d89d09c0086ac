// How long a piece of work takes on a stream.
#pragma once

#include <cuda_runtime_api.h>

#include <algorithm>
#include <array>
#include <memory>
#include <type_traits>

#include "kernels/library/cuda_call.hpp"

namespace vaecuda::kernels {

struct DestroyEvent {
  void operator()(cudaEvent_t event) const { cudaEventDestroy(event); }
};
using EventOwner = std::unique_ptr<std::remove_pointer_t<cudaEvent_t>, DestroyEvent>;

inline EventOwner make_event(unsigned flags) {
  cudaEvent_t event = nullptr;
  check_cuda("cudaEventCreateWithFlags", cudaEventCreateWithFlags(&event, flags));
  return EventOwner(event);
}

/// Milliseconds of one call of `work`, which puts something on the stream: the median over samples, each the
/// mean of several calls in a row, so that the gap before the first one counts little. Waits for the stream.
template <typename Work>
float milliseconds_on_stream(cudaStream_t stream, const Work& work) {
  constexpr int kWarmUps = 3;
  constexpr int kCallsPerSample = 10;
  constexpr std::size_t kSamples = 5;
  const EventOwner begin = make_event(cudaEventDefault);
  const EventOwner end = make_event(cudaEventDefault);
  for (int i = 0; i < kWarmUps; ++i) work();
  std::array<float, kSamples> samples{};
  for (float& sample : samples) {
    check_cuda("cudaEventRecord", cudaEventRecord(begin.get(), stream));
    for (int i = 0; i < kCallsPerSample; ++i) work();
    check_cuda("cudaEventRecord", cudaEventRecord(end.get(), stream));
    check_cuda("cudaEventSynchronize", cudaEventSynchronize(end.get()));
    check_cuda("cudaEventElapsedTime", cudaEventElapsedTime(&sample, begin.get(), end.get()));
    sample /= static_cast<float>(kCallsPerSample);
  }
  std::sort(samples.begin(), samples.end());
  return samples[kSamples / 2];
}

}  // namespace vaecuda::kernels
