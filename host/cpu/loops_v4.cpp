// The loops and products for x86-64-v4 (AVX-512): only this file is compiled with those flags.
#if defined(__x86_64__)
#define VAECUDA_LOOPS v4
#define VAECUDA_LOOPS_NAME "x86-64-v4"
#define VAECUDA_PRODUCTS products
#define VAECUDA_LANES 16
#define VAECUDA_BLOCK_ROWS 12
#include "host/cpu/loops_body.inc"
#include "host/cpu/packing_body.inc"
#include "host/cpu/products_body.inc"
#include "host/cpu/update_body.inc"
#endif
