#include "host/cuda/store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <stdexcept>
#include <type_traits>

#include "host/data/sparse.hpp"
#include "kernels/activation.hpp"

namespace vaecuda::cuda {

CudaParameters::CudaParameters(Context& context, std::int64_t size, bool training, bool half)
    : context_(context), size_(size) {
  parameters_ = DeviceBuffer::of<float>(context, size, "parameters");
  if (half) half_ = DeviceBuffer::of<math::BFloat16>(context, size, "parameters in bfloat16");
  if (!training) return;
  moment1_ = DeviceBuffer::of<float>(context, size, "Adam's first moments");
  moment2_ = DeviceBuffer::of<float>(context, size, "Adam's second moments");
}

float* CudaParameters::part_data(Part part, std::size_t values) const {
  float* data = part == Part::parameters ? parameters() : part == Part::moment1 ? moment1() : moment2();
  if (data == nullptr || static_cast<std::int64_t>(values) != size_) {
    throw std::logic_error("the parameter store does not hold this part in this size");
  }
  return data;
}

void CudaParameters::write(Part part, std::span<const float> values) {
  float* data = part_data(part, values.size());
  with_errors(*context_.runtime, [&] {
    context_.runtime->copy_to_device(data, values.data(), size_ * 4);
    if (part == Part::parameters) refresh_half();
  });
}

void CudaParameters::read(Part part, std::span<float> values) const {
  const float* data = part_data(part, values.size());
  with_errors(*context_.runtime, [&] {
    context_.runtime->copy_to_host(values.data(), data, size_ * 4);
    context_.runtime->synchronize();
  });
}

void CudaParameters::refresh_half() {
  if (half() == nullptr) return;
  kernels::ConvertArgs args;  // the flat arena is one long row
  args.in = {parameters(), size_};
  args.out = {nullptr, half(), size_};
  args.batch = 1;
  args.columns = size_;
  kernels::launch(args, context_.runtime->stream());
}

namespace {

template <typename T>
DeviceBuffer resident(Context& context, std::span<const T> values, const std::string& what) {
  DeviceBuffer buffer = DeviceBuffer::of<T>(context, static_cast<std::int64_t>(values.size()), what);
  // In pieces, so that the driver's own page-locked copy of what is in transit stays small.
  constexpr auto kPiece = static_cast<std::int64_t>((std::size_t{64} << 20) / sizeof(T));
  const auto size = static_cast<std::int64_t>(values.size());
  for (std::int64_t begin = 0; begin < size; begin += kPiece) {
    context.runtime->copy_to_device(buffer.as<T>() + begin, values.data() + begin,
                                    std::min(kPiece, size - begin) * static_cast<std::int64_t>(sizeof(T)));
  }
  return buffer;
}

template <typename Column, typename Value>
kernels::SparseSource sparse_source(const DeviceBuffer& row_begin, const DeviceBuffer& columns,
                                    const DeviceBuffer& values) {
  kernels::SparseSource source;
  source.row_begin = row_begin.as<std::int64_t>();
  if constexpr (std::is_same_v<Column, std::uint16_t>) {
    source.narrow_columns = columns.as<std::uint16_t>();
  } else {
    source.wide_columns = columns.as<std::uint32_t>();
  }
  if constexpr (std::is_same_v<Value, std::uint8_t>) {
    source.u8 = values.as<std::uint8_t>();
  } else if constexpr (std::is_same_v<Value, std::uint16_t>) {
    source.u16 = values.as<std::uint16_t>();
  } else {
    source.f32 = values.as<float>();
  }
  return source;
}

}  // namespace

CudaData::CudaData(Context& context, const Dataset& data)
    : context_(context), row_count_(data.rows()), columns_(data.columns()), type_(data.type()) {
  const std::string what = fmt::format("the data set ({} rows of {} columns)", row_count_, columns_);
  const auto put = [&](auto values) { return resident(context, values, what); };
  switch (type_) {
    case ElementType::u8:
      rows_ = put(data.u8());
      break;
    case ElementType::f32:
      rows_ = put(data.f32());
      break;
    case ElementType::sparse:
      row_begin_ = put(data.sparse().row_begin());
      data::with_arrays(data.sparse(), [&](auto columns, auto values) {
        column_indices_ = put(columns);
        rows_ = put(values);
        sparse_ =
            sparse_source<typename decltype(columns)::value_type, typename decltype(values)::value_type>(
                row_begin_, column_indices_, rows_);
      });
      break;
  }
  if (type_ != ElementType::sparse) {
    const bool is_bytes = type_ == ElementType::u8;
    values_.emplace(context, kernels::ValueMatrix{rows_.as<void>(), is_bytes, row_count_, columns_});
  }
  if (!data.labels().empty()) {
    classes_ = DeviceBuffer::of<std::int32_t>(context, row_count_, "class labels");
    context.runtime->copy_to_device(classes_.as<void>(), data.labels().data(), classes_.bytes());
  }
  if (!data.label_vectors().empty()) {
    label_vectors_ = DeviceBuffer::of<float>(context, static_cast<std::int64_t>(data.label_vectors().size()),
                                             "label vectors");
    context.runtime->copy_to_device(label_vectors_.as<void>(), data.label_vectors().data(),
                                    label_vectors_.bytes());
  }
}

const std::int32_t* CudaData::classes() const {
  if (classes_.bytes() == 0)
    throw std::logic_error("the data set has not the labels that the plan was built for");
  return classes_.as<std::int32_t>();
}

const float* CudaData::label_vectors(std::int64_t size) const {
  if (label_vectors_.bytes() == 0 || label_vectors_.bytes() != row_count_ * size * 4) {
    throw std::logic_error("the data set has not the labels that the plan was built for");
  }
  return label_vectors_.as<float>();
}

void CudaData::check(std::int64_t rows, std::int64_t columns, ElementType type) const {
  if (rows != row_count_ || columns != columns_ || type != type_) {
    throw std::logic_error("the data set is not the one that the plan was built for");
  }
}

}  // namespace vaecuda::cuda
