#!/usr/bin/env bash
# check_kernel_code.py finds what it is for, in a listing as cuobjdump prints it.
set -euo pipefail
check=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/check_kernel_code.py
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
build=$work/build
mkdir -p "$build/CMakeFiles/3.25" "$build/host/cuda/CMakeFiles/vaecuda_kernels.dir/kernels" "$work/kernels" "$work/docs"
echo 'set(CMAKE_CUDA_COMPILER_VERSION "13.0.88")' >"$build/CMakeFiles/3.25/CMakeCUDACompiler.cmake"
: >"$build/host/cuda/CMakeFiles/vaecuda_kernels.dir/kernels/copy.cu.o"
printf '#!/bin/sh\ncat "%s/listing"\n' "$work" >"$work/cuobjdump"
chmod +x "$work/cuobjdump"
cat >"$work/kernels/copy.cu" <<'CUDA'
/// Equation: to (N) = from (N).
/// Threads: a quad each.
/// Bytes: an element: 4 read; written 4 in fp32,
///   2 in bfloat16.
/// Alignment: any; quads are moved by load_quad and store_quad.
__device__ __forceinline__ void copy_tile(const CopyArgs& args, device::Tile tile) {
}
CUDA
cat >"$work/docs/kernels.md" <<'TABLE'
<!-- kernel report: nvcc 13.0.88 -->
| kernel | sm | instructions | registers | shared | local | occupancy | loads | stores | FP64 | in loops |
|---|---|---|---|---|---|---|---|---|---|---|
| copy | 90 | 12 | 40 | 8 | 0 | 75 % | 16 4 | 16 8 | 0 | 0 |
<!-- end of kernel report -->
TABLE
symbol=_ZN7vaecuda7kernels12_GLOBAL__N_111copy_kernelENS0_8CopyArgsE
whole=$(cat <<SASS
arch = sm_90
.nv.shared.reserved.0
.nv.info.$symbol
	Attribute:	EIATTR_MAX_THREADS
	Format:	EIFMT_SVAL
	Value:	0x100 0x1 0x1 
.nv.constant0
Resource usage:
 Function $symbol:
  REG:40 STACK:0 SHARED:1032 LOCAL:0 CONSTANT[0]:584 TEXTURE:0 SURFACE:0 SAMPLER:0
	code for sm_90
		Function : $symbol
        /*0000*/                   LDC R1, c[0x0][0x28] ;                     /* 0x00000a00ff017b82 */
        /*0010*/                   LDG.E.128 R4, desc[UR4][R2.64] ;           /* 0x00000a00ff017b82 */
        /*0020*/                   FADD R4, R4, 1 ;                           /* 0x00000a00ff017b82 */
        /*0030*/               @P0 LDG.E R9, desc[UR4][R2.64+0x4] ;           /* 0x00000a00ff017b82 */
        /*0040*/              @!P0 BRA 0x20 ;                                 /* 0x00000a00ff017b82 */
        /*0050*/                   STG.E.128 desc[UR4][R8.64], R4 ;           /* 0x00000a00ff017b82 */
        /*0060*/                   STG.E.64 desc[UR4][R12.64], R4 ;           /* 0x00000a00ff017b82 */
        /*0070*/                   MOV R5, R6 ;                               /* 0x00000a00ff017b82 */
        /*0080*/                   MOV R7, R6 ;                               /* 0x00000a00ff017b82 */
        /*0090*/                   MOV R7, R6 ;                               /* 0x00000a00ff017b82 */
        /*00a0*/                   EXIT ;                                     /* 0x00000a00ff017b82 */
        /*00b0*/                   BRA 0xb0;                                  /* 0x00000a00ff017b82 */
        /*00c0*/                   NOP;                                       /* 0x00000a00ff017b82 */
SASS
)

failures=0
# Usage: expect CODE TEXT
expect() {
  local code=0 output
  output=$(CUOBJDUMP="$work/cuobjdump" python3 "$check" "$build" "$work" 2>&1) || code=$?
  if [[ $code != "$1" || $output != *"$2"* ]]; then
    printf 'expected exit code %s and "%s", got %s and:\n%s\n' "$1" "$2" "$code" "$output"
    failures=$((failures + 1))
  fi
}
# Usage: planted SED-SCRIPT TEXT: the script changes the code, of which the text must be said.
planted() {
  sed "$1" <<<"$whole" >"$work/listing"
  if [[ $(<"$work/listing") == "$whole" ]]; then
    echo "changes nothing: $1"
    failures=$((failures + 1))
  fi
  expect 1 "$2"
}

printf '%s\n' "$whole" >"$work/listing"
expect 0 '1 kernels, 0 complaints'
planted 's/STACK:0/STACK:8/' 'copy.cu: copy  sm_90: 8 bytes of local memory, 0 accesses'
planted 's/MOV R5, R6/STL [R1], R6/' '0 bytes of local memory, 1 accesses'
planted 's/LDG.E.128/LDG.E.64/' 'no load of 16 bytes'
planted 's/STG.E.128/STG.E.64/' 'no store of 16 bytes'
planted 's/STG.E.64/STG.E/' 'no store of 8 bytes'
planted 's/MOV R5, R6/STG.E desc[UR4][R10.64], R6/;s/MOV R7, R6/STG.E desc[UR4][R10.64+0x4], R6/' 'STG.E of 4 bytes for a quad'
planted 's/MOV R5, R6/LDG.E R5, desc[UR4][R10.64+0x8]/;s/MOV R7, R6/LDG.E R6, desc[UR4][R10.64+0xc]/' 'LDG.E of 4 bytes for a quad'
planted 's/MOV R5, R6/DADD R6, R6, R8/' '1 instructions of FP64'
planted 's/FADD R4/F2F.F64.F32 R4/' '1 instructions of FP64'
planted 's/copy_kernel/ndup_kernel/;s/11copy/11ndup/g' 'docs/kernels.md: not as compiled'
planted 's/REG:40/REG:41/' 'docs/kernels.md: not as compiled (tools/kernel_report.sh --update): | copy | 90 | 12 | 41'
sed 's/MOV R5, R6/STG.E desc[UR4][R10.64], R6/;s/MOV R7, R6/STG.E desc[UR4][R10.64+0x4], R6/' <<<"$whole" >"$work/listing"
sed -i 's/quads are moved by.*/element by element./' "$work/kernels/copy.cu"
sed -i 's/| 16 8 |/| 16 8 4 |/' "$work/docs/kernels.md"
expect 0 '0 complaints'
sed -i 's/element by element./quads are moved by load_quad and store_quad./' "$work/kernels/copy.cu"
sed -i 's/| 16 8 4 |/| 16 8 |/' "$work/docs/kernels.md"
# In double outside of loops a sum may be, in them it may not.
sed -i 's/copy/codebook_usage/g' "$work/kernels/copy.cu" "$work/docs/kernels.md"
whole=${whole//11copy_kernel/21codebook_usage_kernel}
sed 's/MOV R5, R6/DADD R6, R6, R8/' <<<"$whole" >"$work/listing"
sed -i 's/| 0 | 0 |$/| 1 | 0 |/' "$work/docs/kernels.md"
expect 0 '0 complaints'
for i in {1..200}; do echo "        /*0020*/                   DFMA R4, R4, R4, R4 ;"; done >"$work/loop"
sed '/FADD R4/r '"$work/loop" <<<"$whole" >"$work/listing"
expect 1 '200 instructions of FP64 in loops'
sed -i 's/13.0.88/12.4.131/' "$work/docs/kernels.md"
printf '%s\n' "$whole" >"$work/listing"
expect 0 'not compared'
rm "$build/host/cuda/CMakeFiles/vaecuda_kernels.dir/kernels/copy.cu.o"
expect 2 'no kernels'
if ((failures)); then exit 1; fi
echo "check_kernel_code.py finds and fails as it should"
