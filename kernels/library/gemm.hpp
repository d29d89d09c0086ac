// One matrix product with its epilogue, as a linear layer needs it: what is asked, and what a library gives.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "kernels/stream.hpp"

namespace vaecuda::kernels {

enum class NumberType : int { fp32, bf16 };
/// How products are formed: true fp32, fp32 operands rounded to TF32, or bf16 operands; sums are fp32 always.
enum class GemmMath : int { fp32, tf32, bf16 };

/// What happens to D before it is stored. The names are cuBLASLt's.
enum class Epilogue : int {
  none,
  bias,           ///< D + bias
  relu_bias,      ///< relu(D + bias)
  relu_aux_bias,  ///< relu(D + bias); aux: its mask, one bit an element
  gelu_bias,      ///< gelu_tanh(D + bias)
  gelu_aux_bias,  ///< gelu_tanh(D + bias); aux: D + bias, of D's type
  drelu,          ///< D ⊙ relu' by the mask in aux
  dgelu,          ///< D ⊙ gelu_tanh' by the pre-activation in aux
  bgradb,         ///< D as it is; bias_gradient (rows of D) = Σ over the inner dimension of op(A)'s rows
};

/// D (rows, cols) = op(A) (rows, inner) · op(B) (inner, cols), all row-major; op(A) = Aᵀ where transpose_a.
/// So a linear layer is X·Wᵀ, its data gradient dY·W, its weight gradient dYᵀ·X (bias_gradient: sums of dYᵀ's
/// rows, so over the batch). Addresses are part of the question: they decide which algorithms may be used.
struct GemmSpec {
  std::string name;  ///< for messages
  std::int64_t rows = 0;
  std::int64_t cols = 0;
  std::int64_t inner = 0;
  bool transpose_a = false;
  bool transpose_b = false;
  const void* a = nullptr;
  const void* b = nullptr;
  void* d = nullptr;
  std::int64_t a_stride = 0;  ///< elements from one row to the next, as stored
  std::int64_t b_stride = 0;
  std::int64_t d_stride = 0;
  GemmMath math = GemmMath::fp32;
  NumberType operand_type = NumberType::fp32;  ///< of A and B
  NumberType result_type = NumberType::fp32;   ///< of D; bias has the same type, bias_gradient is fp32
  Epilogue epilogue = Epilogue::none;
  const void* bias = nullptr;      ///< (cols)
  float* bias_gradient = nullptr;  ///< (rows)
  void* aux = nullptr;             ///< row r of D has its aux at row r
  std::int64_t aux_stride = 0;     ///< relu masks: bits, a multiple of 128; else elements
};

/// A product that is ready to run: algorithm chosen, descriptors built.
class Gemm {
 public:
  virtual ~Gemm() = default;
  virtual void enqueue(Stream stream) = 0;
  /// What was chosen, in words that stay the same from run to run on the same machine.
  [[nodiscard]] virtual std::string algorithm() const = 0;
};

}  // namespace vaecuda::kernels
