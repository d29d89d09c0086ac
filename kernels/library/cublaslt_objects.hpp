// cuBLASLt's descriptors with owners, and its statuses as exceptions.
#pragma once

#include <cublasLt.h>

#include <memory>
#include <string>

#include "kernels/device/failure.hpp"
#include "kernels/library/cublaslt_gemm.hpp"

namespace vaecuda::kernels::cublaslt {

/// \throws device::Failure unless `status` is success. `call` says what was tried.
inline void check(const std::string& call, cublasStatus_t status) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  const int code = status == CUBLAS_STATUS_ALLOC_FAILED ? static_cast<int>(cudaErrorMemoryAllocation)
                                                        : kCublasErrorBase + static_cast<int>(status);
  throw device::Failure(call + " (" + cublasLtGetStatusName(status) + ")", code);
}

struct Destroy {
  void operator()(cublasLtMatmulDesc_t object) const { cublasLtMatmulDescDestroy(object); }
  void operator()(cublasLtMatrixLayout_t object) const { cublasLtMatrixLayoutDestroy(object); }
  void operator()(cublasLtMatmulPreference_t object) const { cublasLtMatmulPreferenceDestroy(object); }
};
using Description = std::unique_ptr<cublasLtMatmulDescOpaque_t, Destroy>;
using Layout = std::unique_ptr<cublasLtMatrixLayoutOpaque_t, Destroy>;
using Preference = std::unique_ptr<cublasLtMatmulPreferenceOpaque_t, Destroy>;

/// A column-major matrix.
inline Layout make_layout(cudaDataType type, std::int64_t rows, std::int64_t cols,
                          std::int64_t leading_dimension) {
  cublasLtMatrixLayout_t layout = nullptr;
  check("cublasLtMatrixLayoutCreate",
        cublasLtMatrixLayoutCreate(&layout, type, static_cast<std::uint64_t>(rows),
                                   static_cast<std::uint64_t>(cols), leading_dimension));
  return Layout(layout);
}

inline Description make_description(cublasComputeType_t compute, cudaDataType scale) {
  cublasLtMatmulDesc_t description = nullptr;
  check("cublasLtMatmulDescCreate", cublasLtMatmulDescCreate(&description, compute, scale));
  return Description(description);
}

inline Preference make_preference() {
  cublasLtMatmulPreference_t preference = nullptr;
  check("cublasLtMatmulPreferenceCreate", cublasLtMatmulPreferenceCreate(&preference));
  return Preference(preference);
}

template <typename T>
void set(const Description& description, cublasLtMatmulDescAttributes_t attribute, const T& value) {
  check("cublasLtMatmulDescSetAttribute",
        cublasLtMatmulDescSetAttribute(description.get(), attribute, &value, sizeof value));
}

template <typename T>
void set(const Preference& preference, cublasLtMatmulPreferenceAttributes_t attribute, const T& value) {
  check("cublasLtMatmulPreferenceSetAttribute",
        cublasLtMatmulPreferenceSetAttribute(preference.get(), attribute, &value, sizeof value));
}

}  // namespace vaecuda::kernels::cublaslt
