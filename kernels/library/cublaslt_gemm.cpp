// Row-major products by a library that thinks in columns: a row-major (rows, cols) matrix is the column-major
// (cols, rows) transpose with the same leading dimension, so D = op(A)·op(B) is asked for as
// Dᵀ (cols, rows) = op(B)ᵀ · op(A)ᵀ. Our B is cuBLASLt's A and our A its B, and an operand that we transpose
// it transposes, too. Of the epilogues
//   - a bias (cols) belongs to the rows of its D: BIAS as it is;
//   - the sums over the inner dimension of op(A)'s rows are sums over its k of its B: BGRADB, one for each of
//     its D's columns, which are our rows;
//   - its aux has one column for each of our rows, so its leading dimension is our stride.
#include "kernels/library/cublaslt_gemm.hpp"

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "kernels/library/cublaslt_objects.hpp"
#include "kernels/library/cuda_call.hpp"
#include "kernels/library/stream_timer.hpp"

namespace vaecuda::kernels {
namespace {

using cublaslt::check;
using cublaslt::Description;
using cublaslt::Layout;
using cublaslt::Preference;
using cublaslt::set;

constexpr int kMostAlgorithms = 16;  ///< of the heuristic's order that are looked at
constexpr float kOne = 1.0f;
constexpr float kZero = 0.0f;

cudaDataType data_type(NumberType type) {
  return type == NumberType::bf16 ? CUDA_R_16BF : CUDA_R_32F;
}

cublasComputeType_t compute_type(GemmMath math) {
  return math == GemmMath::tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
}

cublasLtEpilogue_t library_epilogue(Epilogue epilogue) {
  switch (epilogue) {
    case Epilogue::none:
      return CUBLASLT_EPILOGUE_DEFAULT;
    case Epilogue::bias:
      return CUBLASLT_EPILOGUE_BIAS;
    case Epilogue::relu_bias:
      return CUBLASLT_EPILOGUE_RELU_BIAS;
    case Epilogue::relu_aux_bias:
      return CUBLASLT_EPILOGUE_RELU_AUX_BIAS;
    case Epilogue::gelu_bias:
      return CUBLASLT_EPILOGUE_GELU_BIAS;
    case Epilogue::gelu_aux_bias:
      return CUBLASLT_EPILOGUE_GELU_AUX_BIAS;
    case Epilogue::drelu:
      return CUBLASLT_EPILOGUE_DRELU;
    case Epilogue::dgelu:
      return CUBLASLT_EPILOGUE_DGELU;
    case Epilogue::bgradb:
      return CUBLASLT_EPILOGUE_BGRADB;
  }
  return CUBLASLT_EPILOGUE_DEFAULT;
}

bool has_aux(Epilogue epilogue) {
  return epilogue == Epilogue::relu_aux_bias || epilogue == Epilogue::gelu_aux_bias ||
         epilogue == Epilogue::drelu || epilogue == Epilogue::dgelu;
}

/// The largest power of two, up to what cuBLASLt can make use of, that divides the address. (The row strides
/// it knows from the layouts.)
std::uint32_t alignment_of(const void* address) {
  constexpr std::uintptr_t kMost = 256;
  const auto value = reinterpret_cast<std::uintptr_t>(address) | kMost;
  return static_cast<std::uint32_t>(value & (~value + 1));
}

template <typename T>
T config_of(const cublasLtMatmulAlgo_t& algorithm, cublasLtMatmulAlgoConfigAttributes_t attribute) {
  T value{};
  check("cublasLtMatmulAlgoConfigGetAttribute",
        cublasLtMatmulAlgoConfigGetAttribute(&algorithm, attribute, &value, sizeof value, nullptr));
  return value;
}

class CublasLtGemm final : public Gemm {
 public:
  CublasLtGemm(cublasLtHandle_t handle, void* workspace, const GemmSpec& spec)
      : handle_(handle),
        workspace_(workspace),
        name_(spec.name),
        a_(spec.b),
        b_(spec.a),
        d_(spec.d),
        description_(describe(spec)),
        a_layout_(stored(spec.operand_type, spec.cols, spec.inner, spec.transpose_b, spec.b_stride)),
        b_layout_(stored(spec.operand_type, spec.inner, spec.rows, spec.transpose_a, spec.a_stride)),
        d_layout_(stored(spec.result_type, spec.cols, spec.rows, false, spec.d_stride)) {}

  void enqueue(Stream stream) override { check("cublasLtMatmul for " + name_, run(algorithm_, stream)); }

  [[nodiscard]] std::string algorithm() const override {
    const auto number = [this](cublasLtMatmulAlgoConfigAttributes_t attribute) {
      return std::to_string(config_of<std::uint32_t>(algorithm_, attribute));
    };
    const auto short_number = [this](cublasLtMatmulAlgoConfigAttributes_t attribute) {
      return std::to_string(config_of<std::uint16_t>(algorithm_, attribute));
    };
    return "cublaslt " + number(CUBLASLT_ALGO_CONFIG_ID) + " tile " + number(CUBLASLT_ALGO_CONFIG_TILE_ID) +
           " stages " + number(CUBLASLT_ALGO_CONFIG_STAGES_ID) + " splitk " +
           number(CUBLASLT_ALGO_CONFIG_SPLITK_NUM) + " swizzle " +
           number(CUBLASLT_ALGO_CONFIG_CTA_SWIZZLING) + " custom " +
           number(CUBLASLT_ALGO_CONFIG_CUSTOM_OPTION) + " inner " +
           short_number(CUBLASLT_ALGO_CONFIG_INNER_SHAPE_ID) + " cluster " +
           short_number(CUBLASLT_ALGO_CONFIG_CLUSTER_SHAPE_ID);
  }

  /// Takes the heuristic's first algorithm that runs, or the fastest. False if none does.
  bool choose(Stream stream, bool autotune) {
    bool found = false;
    float best = 0.0f;
    for (const cublasLtMatmulAlgo_t& candidate : candidates()) {
      // The first launch also loads the kernel, which must not wait for a capture. It alone sees the
      // addresses of bias and aux, so only it can tell whether they are aligned well enough.
      const cublasStatus_t tried = run(candidate, stream);
      if (tried == CUBLAS_STATUS_NOT_SUPPORTED || tried == CUBLAS_STATUS_INVALID_VALUE) continue;
      check("cublasLtMatmul for " + name_, tried);
      if (!autotune) {
        algorithm_ = candidate;
        return true;
      }
      const float milliseconds = milliseconds_on_stream(
          stream, [&] { check("cublasLtMatmul for " + name_, run(candidate, stream)); });
      if (!found || milliseconds < best) {
        algorithm_ = candidate;
        best = milliseconds;
      }
      found = true;
    }
    return found;
  }

 private:
  /// A column-major operand whose op() has this many rows and columns.
  static Layout stored(NumberType type, std::int64_t rows, std::int64_t cols, bool transposed,
                       std::int64_t leading_dimension) {
    if (transposed) std::swap(rows, cols);
    return cublaslt::make_layout(data_type(type), rows, cols, leading_dimension);
  }

  static Description describe(const GemmSpec& spec) {
    Description description = cublaslt::make_description(compute_type(spec.math), CUDA_R_32F);
    const auto operation = [](bool transposed) -> std::int32_t {
      return transposed ? CUBLAS_OP_T : CUBLAS_OP_N;
    };
    set(description, CUBLASLT_MATMUL_DESC_TRANSA, operation(spec.transpose_b));
    set(description, CUBLASLT_MATMUL_DESC_TRANSB, operation(spec.transpose_a));
    set(description, CUBLASLT_MATMUL_DESC_EPILOGUE,
        static_cast<std::uint32_t>(library_epilogue(spec.epilogue)));
    if (spec.epilogue == Epilogue::bgradb) {
      set_bias(description, spec.bias_gradient, NumberType::fp32);
    } else if (spec.bias != nullptr) {
      set_bias(description, spec.bias, spec.result_type);
    }
    if (has_aux(spec.epilogue)) {
      set(description, CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_POINTER, spec.aux);
      set(description, CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_LD, spec.aux_stride);
    }
    if (spec.epilogue == Epilogue::gelu_aux_bias || spec.epilogue == Epilogue::dgelu) {
      set(description, CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_DATA_TYPE,
          static_cast<std::int32_t>(data_type(spec.result_type)));
    }
    return description;
  }

  static void set_bias(const Description& description, const void* bias, NumberType type) {
    set(description, CUBLASLT_MATMUL_DESC_BIAS_POINTER, bias);
    set(description, CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, static_cast<std::int32_t>(data_type(type)));
  }

  void set_alignments(const Preference& preference) const {
    set(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, alignment_of(a_));
    set(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, alignment_of(b_));
    set(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, alignment_of(d_));
    set(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, alignment_of(d_));
  }

  /// The heuristic's answers that pass the library's own check, in its order.
  [[nodiscard]] std::vector<cublasLtMatmulAlgo_t> candidates() const {
    const Preference preference = cublaslt::make_preference();
    set(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, CublasLt::kWorkspaceBytes);
    set(preference, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK,
        static_cast<std::uint32_t>(CUBLASLT_REDUCTION_SCHEME_NONE));
    set_alignments(preference);
    std::array<cublasLtMatmulHeuristicResult_t, kMostAlgorithms> results{};
    int count = 0;
    const cublasStatus_t status = cublasLtMatmulAlgoGetHeuristic(
        handle_, description_.get(), a_layout_.get(), b_layout_.get(), d_layout_.get(), d_layout_.get(),
        preference.get(), kMostAlgorithms, results.data(), &count);
    // INVALID_VALUE is how it refuses an epilogue whose bias or aux has a type, an alignment or a leading
    // dimension that it does not know.
    if (status == CUBLAS_STATUS_NOT_SUPPORTED || status == CUBLAS_STATUS_INVALID_VALUE) return {};
    check("cublasLtMatmulAlgoGetHeuristic for " + name_, status);
    std::vector<cublasLtMatmulAlgo_t> usable;
    for (int i = 0; i < count; ++i) {
      const cublasLtMatmulHeuristicResult_t& result = results[static_cast<std::size_t>(i)];
      if (result.state == CUBLAS_STATUS_SUCCESS && passes_check(result.algo)) usable.push_back(result.algo);
    }
    return usable;
  }

  [[nodiscard]] bool passes_check(const cublasLtMatmulAlgo_t& algorithm) const {
    cublasLtMatmulHeuristicResult_t facts{};
    const cublasStatus_t status =
        cublasLtMatmulAlgoCheck(handle_, description_.get(), a_layout_.get(), b_layout_.get(),
                                d_layout_.get(), d_layout_.get(), &algorithm, &facts);
    return status == CUBLAS_STATUS_SUCCESS && facts.workspaceSize <= CublasLt::kWorkspaceBytes;
  }

  [[nodiscard]] cublasStatus_t run(const cublasLtMatmulAlgo_t& algorithm, Stream stream) const {
    return cublasLtMatmul(handle_, description_.get(), &kOne, a_, a_layout_.get(), b_, b_layout_.get(),
                          &kZero, d_, d_layout_.get(), d_, d_layout_.get(), &algorithm, workspace_,
                          CublasLt::kWorkspaceBytes, stream);
  }

  cublasLtHandle_t handle_;
  void* workspace_;
  std::string name_;
  const void* a_;  // cuBLASLt's A, and so on
  const void* b_;
  void* d_;
  Description description_;
  Layout a_layout_;
  Layout b_layout_;
  Layout d_layout_;
  cublasLtMatmulAlgo_t algorithm_{};
};

}  // namespace

CublasLt::CublasLt(Stream stream) : stream_(stream) {
  check("cublasLtCreate", cublasLtCreate(&handle_));
  const cudaError_t allocated = cudaMalloc(&workspace_, kWorkspaceBytes);
  if (allocated != cudaSuccess) {
    cublasLtDestroy(handle_);
    static_cast<void>(cudaGetLastError());  // or a later call would report it again
    check_cuda("cuBLASLt's workspace", allocated);
  }
}

CublasLt::~CublasLt() {
  cudaFree(workspace_);
  cublasLtDestroy(handle_);
}

std::unique_ptr<Gemm> CublasLt::make(const GemmSpec& spec, bool autotune) {
  auto gemm = std::make_unique<CublasLtGemm>(handle_, workspace_, spec);
  if (!gemm->choose(stream_, autotune)) return nullptr;
  return gemm;
}

}  // namespace vaecuda::kernels
