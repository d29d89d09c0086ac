// The loops for any processor of this architecture.
#define VAECUDA_LOOPS baseline
#define VAECUDA_LOOPS_NAME "baseline"
#include "host/cpu/loops_body.inc"
