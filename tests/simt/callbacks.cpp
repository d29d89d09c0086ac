// The functions that -fsanitize=thread makes kernel files call, in place of the sanitizer's own runtime.
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "simt/observe.hpp"

using vaecuda::simt::Access;
using vaecuda::simt::observe;
using vaecuda::simt::observe_range;

// NOLINTBEGIN(readability-identifier-naming)
extern "C" {

void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}

#define VAECUDA_SIMT_ACCESS(bytes)                    \
  void __tsan_read##bytes(void* address) {            \
    observe<Access::read, bytes>(address);            \
  }                                                   \
  void __tsan_write##bytes(void* address) {           \
    observe<Access::write, bytes>(address);           \
  }                                                   \
  void __tsan_unaligned_read##bytes(void* address) {  \
    observe_range<Access::read>(address, bytes);      \
  }                                                   \
  void __tsan_unaligned_write##bytes(void* address) { \
    observe_range<Access::write>(address, bytes);     \
  }                                                   \
  void __tsan_volatile_read##bytes(void* address) {   \
    observe<Access::read, bytes>(address);            \
  }                                                   \
  void __tsan_volatile_write##bytes(void* address) {  \
    observe<Access::write, bytes>(address);           \
  }

VAECUDA_SIMT_ACCESS(1)
VAECUDA_SIMT_ACCESS(2)
VAECUDA_SIMT_ACCESS(4)
VAECUDA_SIMT_ACCESS(8)
VAECUDA_SIMT_ACCESS(16)
#undef VAECUDA_SIMT_ACCESS

void __tsan_read_range(void* address, std::size_t bytes) {
  observe_range<Access::read>(address, bytes);
}
void __tsan_write_range(void* address, std::size_t bytes) {
  observe_range<Access::write>(address, bytes);
}
void __tsan_vptr_read(void** address) {
  observe<Access::read, sizeof(void*)>(address);
}
void __tsan_vptr_update(void** address, void*) {
  observe<Access::write, sizeof(void*)>(address);
}

// Kernel files call these in place of the C library's functions (watched_memory.h).
void* vaecuda_simt_memcpy(void* to, const void* from, std::size_t bytes) {
  observe_range<Access::read>(from, bytes);
  observe_range<Access::write>(to, bytes);
  return std::memcpy(to, from, bytes);
}
void* vaecuda_simt_memmove(void* to, const void* from, std::size_t bytes) {
  observe_range<Access::read>(from, bytes);
  observe_range<Access::write>(to, bytes);
  return std::memmove(to, from, bytes);
}
void* vaecuda_simt_memset(void* to, int value, std::size_t bytes) {
  observe_range<Access::write>(to, bytes);
  return std::memset(to, value, bytes);
}

// Atomics of the host code in kernel files (guards of local statics, counters of shared pointers) and of
// gcov: kernels have none but those of device.cuh.
#define VAECUDA_SIMT_ATOMIC(bits, T)                                                                \
  T __tsan_atomic##bits##_load(const T* p, int) {                                                   \
    return __atomic_load_n(p, __ATOMIC_SEQ_CST);                                                    \
  }                                                                                                 \
  void __tsan_atomic##bits##_store(T* p, T v, int) {                                                \
    __atomic_store_n(p, v, __ATOMIC_SEQ_CST);                                                       \
  }                                                                                                 \
  T __tsan_atomic##bits##_exchange(T* p, T v, int) {                                                \
    return __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST);                                             \
  }                                                                                                 \
  T __tsan_atomic##bits##_fetch_add(T* p, T v, int) {                                               \
    return __atomic_fetch_add(p, v, __ATOMIC_SEQ_CST);                                              \
  }                                                                                                 \
  T __tsan_atomic##bits##_fetch_sub(T* p, T v, int) {                                               \
    return __atomic_fetch_sub(p, v, __ATOMIC_SEQ_CST);                                              \
  }                                                                                                 \
  T __tsan_atomic##bits##_fetch_and(T* p, T v, int) {                                               \
    return __atomic_fetch_and(p, v, __ATOMIC_SEQ_CST);                                              \
  }                                                                                                 \
  T __tsan_atomic##bits##_fetch_or(T* p, T v, int) {                                                \
    return __atomic_fetch_or(p, v, __ATOMIC_SEQ_CST);                                               \
  }                                                                                                 \
  T __tsan_atomic##bits##_fetch_xor(T* p, T v, int) {                                               \
    return __atomic_fetch_xor(p, v, __ATOMIC_SEQ_CST);                                              \
  }                                                                                                 \
  int __tsan_atomic##bits##_compare_exchange_strong(T* p, T* e, T v, int, int) {                    \
    return __atomic_compare_exchange_n(p, e, v, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST) ? 1 : 0; \
  }                                                                                                 \
  int __tsan_atomic##bits##_compare_exchange_weak(T* p, T* e, T v, int, int) {                      \
    return __atomic_compare_exchange_n(p, e, v, true, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST) ? 1 : 0;  \
  }

VAECUDA_SIMT_ATOMIC(8, std::uint8_t)
VAECUDA_SIMT_ATOMIC(16, std::uint16_t)
VAECUDA_SIMT_ATOMIC(32, std::uint32_t)
VAECUDA_SIMT_ATOMIC(64, std::uint64_t)
#undef VAECUDA_SIMT_ATOMIC

void __tsan_atomic_thread_fence(int) {
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
}
void __tsan_atomic_signal_fence(int) {
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
}

}  // extern "C"
// NOLINTEND(readability-identifier-naming)
