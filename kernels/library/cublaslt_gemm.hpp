// Matrix products by cuBLASLt, with their epilogues fused.
#pragma once

#include <cublasLt.h>

#include <cstddef>
#include <memory>

#include "kernels/library/gemm.hpp"

namespace vaecuda::kernels {

/// A device::Failure whose error code is at least this speaks of a cuBLAS status: code − base. CUDA's own
/// numbers end at 999. A lack of memory is CUDA's number 2 here, too.
inline constexpr int kCublasErrorBase = 100000;

/// cuBLASLt on the device that is current when it is made. All products share one workspace, so they must run
/// on one stream, and none may outlive this. No product splits its inner dimension: each is one kernel whose
/// sums have a fixed order.
class CublasLt {
 public:
  /// The stream on which products are tried and measured. \throws device::Failure
  explicit CublasLt(Stream stream);
  CublasLt(const CublasLt&) = delete;
  CublasLt& operator=(const CublasLt&) = delete;
  ~CublasLt();

  /// Null if cuBLASLt has no algorithm for the epilogue on these operands. The choice is the first of its
  /// heuristic's order that runs, a pure function of the spec, the device and the library version; with
  /// `autotune` it is the fastest of the first ones. Writes D, aux (where it is an output) and bias_gradient.
  /// \throws device::Failure
  [[nodiscard]] std::unique_ptr<Gemm> make(const GemmSpec& spec, bool autotune);

  static constexpr std::size_t kWorkspaceBytes = std::size_t{32} << 20;  ///< what NVIDIA advises for sm_90

 private:
  Stream stream_;
  cublasLtHandle_t handle_ = nullptr;
  void* workspace_ = nullptr;
};

}  // namespace vaecuda::kernels
