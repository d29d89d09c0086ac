// The loops for every processor of this architecture.
#define VAECUDA_LOOPS baseline
#define VAECUDA_LOOPS_NAME "baseline"
#define VAECUDA_PRODUCTS blas_products
#include "host/cpu/loops_body.inc"
