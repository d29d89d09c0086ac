#include "host/cuda/memory.hpp"

#include <fmt/format.h>

#include "vaecuda/error.hpp"

namespace vaecuda::cuda {

DeviceBuffer::DeviceBuffer(Context& context, std::int64_t bytes, const std::string& what) {
  if (bytes <= 0) return;
  void* memory = context.runtime->allocate(bytes, what.c_str());
  if (memory == nullptr) refuse_memory(*context.runtime, bytes, what);
  context_ = &context;
  data_ = memory;
  bytes_ = bytes;
  context.allocated_bytes += bytes;
  try {
    context.runtime->fill_zero(data_, bytes);
  } catch (...) {
    release();
    throw;
  }
}

DeviceBuffer& DeviceBuffer::operator=(DeviceBuffer&& other) noexcept {
  if (this != &other) {
    release();
    context_ = std::exchange(other.context_, nullptr);
    data_ = std::exchange(other.data_, nullptr);
    bytes_ = std::exchange(other.bytes_, 0);
  }
  return *this;
}

void DeviceBuffer::release() noexcept {
  if (data_ == nullptr) return;
  context_->runtime->release(data_);
  context_->allocated_bytes -= bytes_;
  data_ = nullptr;
  bytes_ = 0;
}

PinnedBuffer::PinnedBuffer(Runtime& runtime, std::int64_t bytes, const std::string& what)
    : runtime_(&runtime), data_(runtime.allocate_pinned(bytes)) {
  if (data_ == nullptr) {
    throw OutOfMemoryError(
        fmt::format("not enough host memory for {}: {:.1f} MiB of page-locked memory asked; "
                    "end other programs or raise the limit of locked memory (ulimit -l)",
                    what, static_cast<double>(bytes) / 1048576.0));
  }
}

PinnedBuffer& PinnedBuffer::operator=(PinnedBuffer&& other) noexcept {
  if (this != &other) {
    release();
    runtime_ = std::exchange(other.runtime_, nullptr);
    data_ = std::exchange(other.data_, nullptr);
  }
  return *this;
}

void PinnedBuffer::release() noexcept {
  if (data_ != nullptr) runtime_->release_pinned(data_);
  data_ = nullptr;
}

void quiesce(Runtime& runtime) noexcept {
  try {
    runtime.synchronize();
  } catch (...) {
    // Whoever asks for a result next hears of it; memory can be given back all the same.
  }
}

}  // namespace vaecuda::cuda
