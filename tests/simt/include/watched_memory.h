/* Included before everything else in kernel files: what copies or fills memory by the C library, be it a call
   in the source or one that the compiler makes of an assignment, comes by the executor, as every load and
   store does. */
#ifndef VAECUDA_SIMT_WATCHED_MEMORY_H
#define VAECUDA_SIMT_WATCHED_MEMORY_H

#include <cstddef>

extern "C" {
void* memcpy(void* to, const void* from, std::size_t bytes) noexcept __asm__("vaecuda_simt_memcpy");
void* memmove(void* to, const void* from, std::size_t bytes) noexcept __asm__("vaecuda_simt_memmove");
void* memset(void* to, int value, std::size_t bytes) noexcept __asm__("vaecuda_simt_memset");
}

#endif
