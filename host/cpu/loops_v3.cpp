// The loops and products for x86-64-v3 (AVX2, FMA): only this file is compiled with those flags.
#if defined(__x86_64__)
#define VAECUDA_LOOPS v3
#define VAECUDA_LOOPS_NAME "x86-64-v3"
#define VAECUDA_PRODUCTS products
#define VAECUDA_LANES 8
#define VAECUDA_BLOCK_ROWS 6
#include "host/cpu/loops_body.inc"
#include "host/cpu/packing_body.inc"
#include "host/cpu/products_body.inc"
#include "host/cpu/update_body.inc"
#endif
