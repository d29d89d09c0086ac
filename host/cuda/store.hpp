// What outlives a program on the device: the parameters with Adam's moments, and the data set.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "host/cuda/analysis.hpp"
#include "host/cuda/memory.hpp"
#include "host/plan/backend.hpp"
#include "kernels/gather.hpp"
#include "kernels/math/bfloat16.h"

namespace vaecuda::cuda {

class CudaParameters final : public ParameterStore {
 public:
  /// `half`: a bfloat16 copy of the parameters is kept for matrix products.
  CudaParameters(Context& context, std::int64_t size, bool training, bool half);
  void write(Part part, std::span<const float> values) override;
  void read(Part part, std::span<float> values) const override;
  [[nodiscard]] std::int64_t size() const override { return size_; }

  [[nodiscard]] const Context& context() const { return context_; }
  [[nodiscard]] bool training() const { return moment1_.bytes() > 0; }
  [[nodiscard]] float* parameters() const { return parameters_.as<float>(); }
  [[nodiscard]] float* moment1() const { return moment1_.as<float>(); }
  [[nodiscard]] float* moment2() const { return moment2_.as<float>(); }
  /// Null without bfloat16.
  [[nodiscard]] math::BFloat16* half() const { return half_.as<math::BFloat16>(); }

 private:
  [[nodiscard]] float* part_data(Part part, std::size_t values) const;
  void refresh_half();

  Context& context_;
  std::int64_t size_;
  DeviceBuffer parameters_;
  DeviceBuffer half_;
  DeviceBuffer moment1_;  ///< empty without training
  DeviceBuffer moment2_;
};

/// The whole data set in device memory.
class CudaData final : public ResidentData {
 public:
  CudaData(Context& context, const Dataset& data);

  [[nodiscard]] const ValueStatistics* values() const override { return values_ ? &*values_ : nullptr; }

  [[nodiscard]] const Context& context() const { return context_; }
  /// \throws std::logic_error if a plan for rows of this shape and type cannot gather from here.
  void check(std::int64_t rows, std::int64_t columns, ElementType type) const;
  /// Null pointers for rows of the other kind.
  [[nodiscard]] const void* rows() const { return type_ == ElementType::sparse ? nullptr : rows_.as<void>(); }
  [[nodiscard]] const kernels::SparseSource& sparse() const { return sparse_; }
  /// Class index per row. \throws std::logic_error if the data set has none.
  [[nodiscard]] const std::int32_t* classes() const;
  /// `size` numbers per row. \throws std::logic_error if the data set has not so many.
  [[nodiscard]] const float* label_vectors(std::int64_t size) const;

 private:
  Context& context_;
  std::int64_t row_count_;
  std::int64_t columns_;
  ElementType type_;
  DeviceBuffer rows_;            ///< of sparse rows the values
  DeviceBuffer row_begin_;       ///< empty without sparse rows
  DeviceBuffer column_indices_;  ///< likewise
  kernels::SparseSource sparse_;
  DeviceBuffer classes_;              ///< empty without labels
  DeviceBuffer label_vectors_;        ///< empty without label vectors
  std::optional<CudaValues> values_;  ///< of rows_, but for sparse ones
};

}  // namespace vaecuda::cuda
