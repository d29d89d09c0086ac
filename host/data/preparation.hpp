// How rows reach a network: what a model has of it, and what a pass over rows has.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/math/rows.h"
#include "vaecuda/dataset.hpp"

namespace vaecuda {

using math::Binarize;

/// How a model wants its rows: stored with it, so that a trained model prepares new data alike.
struct Preparation {
  float scale = 1.0f;                    ///< factor on raw values: 1/255 for bytes, else 1
  std::vector<float> mean;               ///< D values or empty
  std::vector<float> inverse_deviation;  ///< D values or empty
  Binarize binarize = Binarize::none;
};

/// Rows that evaluation and inference compute at a time: fixed, so that a row's result depends on nothing
/// else.
inline constexpr std::int64_t kInferenceBatch = 256;

/// What all passes over data need.
struct DataShape {
  std::int64_t rows = 0;  ///< N
  ElementType type = ElementType::f32;
  bool exchanged = false;                ///< raw rows in an exchange buffer (N,D) instead of a data set; f32
  bool label_vectors = false;            ///< a conditional model is told vectors, not classes
  std::int64_t block = kInferenceBatch;  ///< rows that a pass of inference computes at a time
  double sparse_row_bytes = 0.0;         ///< mean size of a row in memory where rows are sparse
};

[[nodiscard]] inline DataShape shape_of(const Dataset& data) {
  DataShape shape{data.rows(), data.type(), false, !data.label_vectors().empty()};
  if (data.type() == ElementType::sparse && data.rows() > 0)
    shape.sparse_row_bytes = static_cast<double>(data.bytes()) / static_cast<double>(data.rows());
  return shape;
}

}  // namespace vaecuda
