#include "host/cuda/module/cuda_runtime.hpp"

#include <cuda_runtime_api.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "host/cuda/module/device_facts.hpp"
#include "kernels/library/cublaslt_gemm.hpp"
#include "kernels/library/cuda_call.hpp"
#include "kernels/library/stream_timer.hpp"
#include "kernels/library/thrust_analysis.hpp"

namespace vaecuda::cuda {
namespace {

using kernels::check_cuda;

struct Destroy {
  void operator()(cudaStream_t stream) const { cudaStreamDestroy(stream); }
  void operator()(cudaGraph_t graph) const { cudaGraphDestroy(graph); }
  void operator()(cudaGraphExec_t graph) const { cudaGraphExecDestroy(graph); }
};
template <typename Handle>
using Owner = std::unique_ptr<std::remove_pointer_t<Handle>, Destroy>;

void make_current(int index) {
  check_cuda("cudaSetDevice", cudaSetDevice(index));
}

/// Memory that an allocating call has given; null if there was not enough.
void* memory_or_null(const std::string& call, cudaError_t status, void* memory) {
  if (status == cudaErrorMemoryAllocation) {
    static_cast<void>(cudaGetLastError());  // or a later call would report it again
    return nullptr;
  }
  check_cuda(call, status);
  return memory;
}

int count_kernels(cudaGraph_t graph) {
  std::size_t count = 0;
  check_cuda("cudaGraphGetNodes", cudaGraphGetNodes(graph, nullptr, &count));
  std::vector<cudaGraphNode_t> nodes(count);
  check_cuda("cudaGraphGetNodes", cudaGraphGetNodes(graph, nodes.data(), &count));
  return static_cast<int>(std::count_if(nodes.begin(), nodes.end(), [](cudaGraphNode_t node) {
    cudaGraphNodeType type = cudaGraphNodeTypeEmpty;
    check_cuda("cudaGraphNodeGetType", cudaGraphNodeGetType(node, &type));
    return type == cudaGraphNodeTypeKernel;
  }));
}

class CudaGraph final : public Graph {
 public:
  CudaGraph(int device, cudaStream_t stream, cudaGraph_t captured)
      : device_(device), stream_(stream), kernel_nodes_(count_kernels(captured)) {
    cudaGraphExec_t graph = nullptr;
    check_cuda("cudaGraphInstantiate", cudaGraphInstantiate(&graph, captured, 0));
    graph_.reset(graph);
    // Otherwise the first launch would pay for the transfer.
    check_cuda("cudaGraphUpload", cudaGraphUpload(graph, stream));
  }

  void launch() override {
    make_current(device_);
    check_cuda("cudaGraphLaunch", cudaGraphLaunch(graph_.get(), stream_));
  }

  [[nodiscard]] int kernel_nodes() const override { return kernel_nodes_; }

 private:
  int device_;
  cudaStream_t stream_;
  int kernel_nodes_;
  Owner<cudaGraphExec_t> graph_;
};

class CudaEvent final : public Event {
 public:
  // The waiting thread sleeps: work is queued for up to half a second.
  CudaEvent(int device, cudaStream_t stream)
      : device_(device), stream_(stream), event_(kernels::make_event(cudaEventBlockingSync)) {}

  void record() override {
    make_current(device_);
    check_cuda("cudaEventRecord", cudaEventRecord(event_.get(), stream_));
  }

  void wait() override { check_cuda("cudaEventSynchronize", cudaEventSynchronize(event_.get())); }

  [[nodiscard]] double seconds_since(const Event& earlier) const override {
    float milliseconds = 0.0f;
    const auto& begin = static_cast<const CudaEvent&>(earlier);
    check_cuda("cudaEventElapsedTime", cudaEventElapsedTime(&milliseconds, begin.event_.get(), event_.get()));
    return 1e-3 * static_cast<double>(milliseconds);
  }

 private:
  int device_;
  cudaStream_t stream_;
  kernels::EventOwner event_;
};

class CudaRuntime final : public Runtime {
 public:
  explicit CudaRuntime(int index) : facts_(read_device_facts(index)) {
    make_current();
    cudaStream_t stream = nullptr;
    check_cuda("cudaStreamCreateWithFlags", cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
    stream_.reset(stream);
    cublas_ = std::make_unique<kernels::CublasLt>(stream);
  }
  CudaRuntime(const CudaRuntime&) = delete;
  CudaRuntime& operator=(const CudaRuntime&) = delete;
  ~CudaRuntime() override {
    cudaSetDevice(facts_.index);
    cudaStreamSynchronize(stream_.get());  // what is still queued may use the workspace
  }

  [[nodiscard]] const DeviceFacts& facts() const override { return facts_; }

  [[nodiscard]] DeviceMemory memory() override {
    make_current();
    std::size_t free = 0;
    std::size_t total = 0;
    check_cuda("cudaMemGetInfo", cudaMemGetInfo(&free, &total));
    return {static_cast<std::int64_t>(free), static_cast<std::int64_t>(total)};
  }

  [[nodiscard]] void* allocate(std::int64_t bytes, const char* what) override {
    make_current();
    void* memory = nullptr;
    const cudaError_t status = cudaMalloc(&memory, size_of(bytes));
    return memory_or_null(std::string("cudaMalloc for ") + what, status, memory);
  }

  void release(void* memory) noexcept override { cudaFree(memory); }

  [[nodiscard]] void* allocate_pinned(std::int64_t bytes) override {
    make_current();
    void* memory = nullptr;
    const cudaError_t status = cudaHostAlloc(&memory, size_of(bytes), cudaHostAllocDefault);
    return memory_or_null("cudaHostAlloc", status, memory);
  }

  void release_pinned(void* memory) noexcept override { cudaFreeHost(memory); }

  void copy_to_device(void* device, const void* host, std::int64_t bytes) override {
    make_current();
    check_cuda("cudaMemcpyAsync to the device", cudaMemcpyAsync(device, host, static_cast<std::size_t>(bytes),
                                                                cudaMemcpyHostToDevice, stream_.get()));
    wait_unless_pinned(host);
  }

  void copy_to_host(void* host, const void* device, std::int64_t bytes) override {
    make_current();
    check_cuda("cudaMemcpyAsync to the host", cudaMemcpyAsync(host, device, static_cast<std::size_t>(bytes),
                                                              cudaMemcpyDeviceToHost, stream_.get()));
    wait_unless_pinned(host);
  }

  void fill_zero(void* device, std::int64_t bytes) override {
    make_current();
    check_cuda("cudaMemsetAsync", cudaMemsetAsync(device, 0, static_cast<std::size_t>(bytes), stream_.get()));
  }

  [[nodiscard]] kernels::Stream stream() override {
    make_current();  // whoever asks is about to launch on it
    return stream_.get();
  }

  void synchronize() override {
    make_current();
    check_cuda("cudaStreamSynchronize", cudaStreamSynchronize(stream_.get()));
  }

  void begin_after(kernels::Stream other) override { order(other, stream_.get()); }
  void end_before(kernels::Stream other) override { order(stream_.get(), other); }

  [[nodiscard]] std::unique_ptr<Graph> capture(const std::function<void()>& work) override {
    make_current();
    // Thread-local: other threads of the host program may go on allocating meanwhile.
    check_cuda("cudaStreamBeginCapture",
               cudaStreamBeginCapture(stream_.get(), cudaStreamCaptureModeThreadLocal));
    Owner<cudaGraph_t> captured;
    try {
      work();
    } catch (...) {
      static_cast<void>(end_capture(captured));
      static_cast<void>(cudaGetLastError());  // what is thrown says what went wrong
      throw;
    }
    check_cuda("cudaStreamEndCapture", end_capture(captured));
    return std::make_unique<CudaGraph>(facts_.index, stream_.get(), captured.get());
  }

  [[nodiscard]] std::unique_ptr<Event> make_event() override {
    make_current();
    return std::make_unique<CudaEvent>(facts_.index, stream_.get());
  }

  [[nodiscard]] std::unique_ptr<kernels::Gemm> make_gemm(const kernels::GemmSpec& spec,
                                                         bool autotune) override {
    make_current();
    return cublas_->make(spec, autotune);
  }

  [[nodiscard]] std::unique_ptr<kernels::Analysis> make_analysis(kernels::Scratch& scratch) override {
    make_current();
    return std::make_unique<kernels::ThrustAnalysis>(stream_.get(), scratch);
  }

 private:
  /// CUDA gives null for no bytes, which would look like a lack of memory.
  static std::size_t size_of(std::int64_t bytes) {
    return static_cast<std::size_t>(std::max<std::int64_t>(bytes, 1));
  }

  void make_current() const { cuda::make_current(facts_.index); }

  void wait_unless_pinned(const void* host) const {
    cudaPointerAttributes attributes{};
    check_cuda("cudaPointerGetAttributes", cudaPointerGetAttributes(&attributes, host));
    if (attributes.type == cudaMemoryTypeHost) return;
    check_cuda("cudaStreamSynchronize", cudaStreamSynchronize(stream_.get()));
  }

  /// `later` waits for what is on `earlier` now.
  void order(cudaStream_t earlier, cudaStream_t later) const {
    make_current();
    // CUDA keeps what it needs of a destroyed event until the wait is over.
    const kernels::EventOwner event = kernels::make_event(cudaEventDisableTiming);
    check_cuda("cudaEventRecord", cudaEventRecord(event.get(), earlier));
    check_cuda("cudaStreamWaitEvent", cudaStreamWaitEvent(later, event.get(), 0));
  }

  cudaError_t end_capture(Owner<cudaGraph_t>& captured) const {
    cudaGraph_t graph = nullptr;
    const cudaError_t status = cudaStreamEndCapture(stream_.get(), &graph);
    captured.reset(graph);
    return status;
  }

  DeviceFacts facts_;
  Owner<cudaStream_t> stream_;
  std::unique_ptr<kernels::CublasLt> cublas_;
};

}  // namespace

std::unique_ptr<Runtime> make_cuda_runtime(int index) {
  return std::make_unique<CudaRuntime>(index);
}

}  // namespace vaecuda::cuda
