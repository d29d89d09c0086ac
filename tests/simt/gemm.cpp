#include "simt/gemm.hpp"

#include <cmath>
#include <cstddef>
#include <string>
#include <utility>

#include "kernels/math/activation.h"
#include "kernels/math/bfloat16.h"
#include "simt/error.hpp"
#include "simt/product.hpp"
#include "simt/stream.hpp"

namespace vaecuda::simt {
namespace {

using kernels::Epilogue;
using kernels::GemmMath;
using kernels::GemmSpec;
using kernels::NumberType;

constexpr std::int64_t kMaskStride = 128;  // bits; cuBLASLt's rule for ReLU masks

/// A matrix as it lies in device memory.
struct Stored {
  const char* name;
  const void* data;
  std::int64_t rows;
  std::int64_t cols;
  std::int64_t stride;  ///< elements
  std::int64_t bits;    ///< of one element

  [[nodiscard]] const unsigned char* row(std::int64_t r) const {
    return static_cast<const unsigned char*>(data) + r * stride * bits / 8;
  }
  [[nodiscard]] std::size_t row_bytes() const { return static_cast<std::size_t>((cols * bits + 7) / 8); }
};

std::int64_t bits_of_type(NumberType type) {
  return type == NumberType::fp32 ? 32 : 16;
}

bool has_bias(Epilogue e) {
  return e == Epilogue::bias || e == Epilogue::relu_bias || e == Epilogue::relu_aux_bias ||
         e == Epilogue::gelu_bias || e == Epilogue::gelu_aux_bias;
}
bool has_mask(Epilogue e) {
  return e == Epilogue::relu_aux_bias || e == Epilogue::drelu;
}
bool has_preactivation(Epilogue e) {
  return e == Epilogue::gelu_aux_bias || e == Epilogue::dgelu;
}
bool writes_aux(Epilogue e) {
  return e == Epilogue::relu_aux_bias || e == Epilogue::gelu_aux_bias;
}

[[noreturn]] void refuse(const GemmSpec& spec, const std::string& what) {
  Fault fault;
  fault.what = "product " + spec.name + ": " + what;
  throw SimtError(std::move(fault));
}

Stored stored_a(const GemmSpec& s) {
  return {"A",
          s.a,
          s.transpose_a ? s.inner : s.rows,
          s.transpose_a ? s.rows : s.inner,
          s.a_stride,
          bits_of_type(s.operand_type)};
}
Stored stored_b(const GemmSpec& s) {
  return {"B",
          s.b,
          s.transpose_b ? s.cols : s.inner,
          s.transpose_b ? s.inner : s.cols,
          s.b_stride,
          bits_of_type(s.operand_type)};
}
Stored stored_d(const GemmSpec& s) {
  return {"D", s.d, s.rows, s.cols, s.d_stride, bits_of_type(s.result_type)};
}
Stored stored_bias(const GemmSpec& s) {
  return {"bias", s.bias, 1, s.cols, s.cols, bits_of_type(s.result_type)};
}
Stored stored_bias_gradient(const GemmSpec& s) {
  return {"bias gradient", s.bias_gradient, 1, s.rows, s.rows, 32};
}
Stored stored_aux(const GemmSpec& s) {
  return {"aux", s.aux, s.rows, s.cols, s.aux_stride, has_mask(s.epilogue) ? 1 : bits_of_type(s.result_type)};
}

/// Calls use(row's address, bytes) for each row.
template <typename Use>
void for_rows(const Stored& m, Use use) {
  for (std::int64_t r = 0; r < m.rows; ++r) use(const_cast<unsigned char*>(m.row(r)), m.row_bytes());
}

void check_stored(const GemmSpec& spec, const Memory& memory, const Stored& m, std::size_t alignment) {
  const std::string user = "product " + spec.name + ", " + m.name;
  if (m.stride < m.cols) refuse(spec, std::string(m.name) + "'s rows overlap");
  if (reinterpret_cast<std::uintptr_t>(m.data) % alignment != 0)
    refuse(spec, std::string(m.name) + " is not aligned to " + std::to_string(alignment) + " bytes");
  for_rows(m, [&](void* row, std::size_t bytes) { memory.check_inside(row, bytes, user); });
}

bool overlap(const Stored& x, const Stored& y) {
  const unsigned char* x_end = x.row(x.rows - 1) + x.row_bytes();
  const unsigned char* y_end = y.row(y.rows - 1) + y.row_bytes();
  return x.row(0) < y_end && y.row(0) < x_end;
}

/// Nearest, ties to even, to the ten bits of TF32's mantissa.
float to_tf32(float value) {
  const std::uint32_t bits = math::bits_of(value);
  if ((bits & 0x7F800000U) == 0x7F800000U) return value;
  return math::float_of((bits + 0xFFFU + ((bits >> 13) & 1U)) & 0xFFFFE000U);
}

float load(const unsigned char* row, std::int64_t i, NumberType type) {
  if (type == NumberType::bf16) return math::to_float(reinterpret_cast<const math::BFloat16*>(row)[i]);
  return reinterpret_cast<const float*>(row)[i];
}

void store(unsigned char* row, std::int64_t i, NumberType type, float value) {
  if (type == NumberType::bf16) {
    reinterpret_cast<math::BFloat16*>(row)[i] = math::to_bfloat16(value);
  } else {
    reinterpret_cast<float*>(row)[i] = value;
  }
}

/// op(M) in double, as the product's inner loops take it.
Padded operand(const GemmSpec& spec, const Stored& m, bool transpose) {
  const bool tf32 = spec.math == GemmMath::tf32;
  Padded result(transpose ? m.cols : m.rows, transpose ? m.rows : m.cols);
  for (std::int64_t r = 0; r < m.rows; ++r) {
    const unsigned char* row = m.row(r);
    double* to = transpose ? result.row(0) + r : result.row(r);
    const std::int64_t step = transpose ? result.stride() : 1;
    for (std::int64_t c = 0; c < m.cols; ++c) {
      const float value = load(row, c, spec.operand_type);
      to[c * step] = static_cast<double>(tf32 ? to_tf32(value) : value);
    }
  }
  return result;
}

class PlainGemm final : public kernels::Gemm {
 public:
  PlainGemm(GemmSpec spec, Memory& memory)
      : spec_(std::make_shared<GemmSpec>(std::move(spec))), memory_(&memory) {}
  void enqueue(kernels::Stream stream) override {
    StreamState& state = StreamState::from(stream);
    state.put({[&state, spec = spec_, memory = memory_] {
                 state.count_launch("product " + spec->name);
                 run(*spec, *memory);
               },
               true});
  }
  [[nodiscard]] std::string algorithm() const override { return "plain loops in double"; }

 private:
  static void run(const GemmSpec& spec, Memory& memory);
  static void finish_row(const GemmSpec& spec, std::int64_t r, const double* sums);
  std::shared_ptr<const GemmSpec> spec_;
  Memory* memory_;
};

void PlainGemm::finish_row(const GemmSpec& spec, std::int64_t r, const double* sums) {
  auto* d = const_cast<unsigned char*>(stored_d(spec).row(r));
  auto* aux = const_cast<unsigned char*>(spec.aux == nullptr ? nullptr : stored_aux(spec).row(r));
  const auto* bias = static_cast<const unsigned char*>(spec.bias);
  if (spec.epilogue == Epilogue::relu_aux_bias) {
    for (std::int64_t i = 0; i < (spec.cols + 7) / 8; ++i) aux[i] = 0;
  }
  for (std::int64_t c = 0; c < spec.cols; ++c) {
    auto value = static_cast<float>(sums[c]);
    if (has_bias(spec.epilogue)) value += load(bias, c, spec.result_type);
    const unsigned bit = 1U << (c % 8);
    switch (spec.epilogue) {
      case Epilogue::none:
      case Epilogue::bias:
      case Epilogue::bgradb:
        break;
      case Epilogue::relu_aux_bias:
        if (value > 0.0f) aux[c / 8] = static_cast<unsigned char>(aux[c / 8] | bit);
        value = math::Relu{}.forward(value);
        break;
      case Epilogue::relu_bias:
        value = math::Relu{}.forward(value);
        break;
      case Epilogue::gelu_aux_bias:
        store(aux, c, spec.result_type, value);
        value = math::GeluTanh{}.forward(value);
        break;
      case Epilogue::gelu_bias:
        value = math::GeluTanh{}.forward(value);
        break;
      case Epilogue::drelu:
        if ((aux[c / 8] & bit) == 0) value = 0.0f;
        break;
      case Epilogue::dgelu:
        value *= math::GeluTanh{}.derivative(load(aux, c, spec.result_type));
        break;
    }
    store(d, c, spec.result_type, value);
  }
}

void PlainGemm::run(const GemmSpec& spec, Memory& memory) {
  const std::string user = "product " + spec.name;
  const auto check = [&](const Stored& m) {
    for_rows(m,
             [&](void* row, std::size_t bytes) { memory.check_written(row, bytes, user + ", " + m.name); });
  };
  const auto mark = [&](const Stored& m) {
    for_rows(m, [&](void* row, std::size_t bytes) { memory.mark_written(row, bytes, user + ", " + m.name); });
  };
  check(stored_a(spec));
  check(stored_b(spec));
  if (has_bias(spec.epilogue)) check(stored_bias(spec));
  if (spec.epilogue == Epilogue::drelu || spec.epilogue == Epilogue::dgelu) check(stored_aux(spec));

  const Padded a = operand(spec, stored_a(spec), spec.transpose_a);
  const Padded d = multiply(a, operand(spec, stored_b(spec), spec.transpose_b));
  for (std::int64_t r = 0; r < spec.rows; ++r) finish_row(spec, r, d.row(r));
  mark(stored_d(spec));
  if (writes_aux(spec.epilogue)) mark(stored_aux(spec));
  if (spec.epilogue != Epilogue::bgradb) return;
  for (std::int64_t r = 0; r < spec.rows; ++r) {
    double sum = 0.0;
    for (std::int64_t k = 0; k < spec.inner; ++k) sum += a.row(r)[k];
    spec.bias_gradient[r] = static_cast<float>(sum);
  }
  mark(stored_bias_gradient(spec));
}

bool is_supported(const GemmSpec& spec, EpilogueSupport support) {
  // Tensor cores take bf16 from memory; and fp32 operands give fp32.
  if ((spec.math == GemmMath::bf16) != (spec.operand_type == NumberType::bf16)) return false;
  if (spec.operand_type == NumberType::fp32 && spec.result_type == NumberType::bf16) return false;
  switch (support) {
    case EpilogueSupport::none:
      return spec.epilogue == Epilogue::none;
    case EpilogueSupport::bias_only:
      return spec.epilogue == Epilogue::none || spec.epilogue == Epilogue::bias;
    case EpilogueSupport::all:
      break;
  }
  return true;
}

}  // namespace

std::unique_ptr<kernels::Gemm> make_gemm(const GemmSpec& spec, Memory& memory, EpilogueSupport support) {
  if (spec.rows < 1 || spec.cols < 1 || spec.inner < 1) refuse(spec, "an empty matrix");
  const Stored a = stored_a(spec);
  const Stored b = stored_b(spec);
  const Stored d = stored_d(spec);
  check_stored(spec, memory, a, 4);
  check_stored(spec, memory, b, 4);
  check_stored(spec, memory, d, 4);
  if (overlap(a, d) || overlap(b, d)) refuse(spec, "D overlaps an operand");
  const auto result_bytes = static_cast<std::size_t>(bits_of_type(spec.result_type) / 8);
  if (has_bias(spec.epilogue)) check_stored(spec, memory, stored_bias(spec), result_bytes);
  if (has_mask(spec.epilogue) && spec.aux_stride % kMaskStride != 0)
    refuse(spec, "the mask's stride is no multiple of " + std::to_string(kMaskStride) + " bits");
  if (has_mask(spec.epilogue) || has_preactivation(spec.epilogue)) {
    check_stored(spec, memory, stored_aux(spec), has_mask(spec.epilogue) ? 4 : result_bytes);
    if (overlap(stored_aux(spec), d)) refuse(spec, "D overlaps aux");
  }
  if (spec.epilogue == Epilogue::bgradb) check_stored(spec, memory, stored_bias_gradient(spec), 4);
  if (!is_supported(spec, support)) return nullptr;

  const auto scramble = [&](const Stored& m) {
    for_rows(m, [&](void* row, std::size_t bytes) { memory.scramble(row, bytes, "product " + spec.name); });
  };
  scramble(d);
  if (writes_aux(spec.epilogue)) scramble(stored_aux(spec));
  if (spec.epilogue == Epilogue::bgradb) scramble(stored_bias_gradient(spec));
  return std::make_unique<PlainGemm>(spec, memory);
}

}  // namespace vaecuda::simt
