// Sparse rows from arrays in the caller's memory, by the rules for sparse files.
#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "host/data/message.hpp"
#include "host/data/narrow_values.hpp"
#include "host/data/scalar.hpp"
#include "host/data/sparse_entries.hpp"
#include "host/data/storage.hpp"
#include "vaecuda/array.hpp"

namespace vaecuda {
namespace data {
namespace {

/// One of the three arrays.
class Vector {
 public:
  /// `name`: in messages. \throws ConfigError for what is no array of numbers with one axis
  Vector(const ArrayView& view, std::string name) : view_(view), name_(std::move(name)) {
    const auto refuse = [this](std::string_view why) {
      throw ConfigError(fmt::format("{}: {}", name_, why));
    };
    if (view.type == NumberType::text) refuse("holds texts; expected numbers");
    if (view.shape.size() != 1 || view.shape[0] < 0)
      refuse(fmt::format("has {} axes; expected 1", view.shape.size()));
    if (!view.strides.empty() && view.strides.size() != 1) refuse("has strides of another number of axes");
    if (view.mask != nullptr) refuse("is masked; sparse rows have no missing values");
    if (view.shape[0] > 0 && view.data == nullptr) refuse("its data are a null pointer");
    stride_ = view.strides.empty() ? scalar_bytes(scalar()) : view.strides[0];
  }

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::int64_t size() const { return view_.shape[0]; }
  /// Calls use(index, element) for all of them.
  template <class Use>
  void for_each(Use&& use) const {
    with_type(scalar(), [&](auto type) {
      using T = decltype(type);
      const auto* at = static_cast<const std::uint8_t*>(view_.data);
      const bool swap = view_.swapped && sizeof(T) > 1;
      for (std::int64_t i = 0; i < size(); ++i, at += stride_) use(i, decode<T>(at, swap));
    });
  }
  /// The same as whole numbers. \throws ConfigError for an array of others
  template <class Use>
  void for_each_number(Use&& use) const {
    for_each([&](std::int64_t index, auto element) {
      if constexpr (std::is_integral_v<decltype(element)>) {
        constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
        const bool fits = std::is_signed_v<decltype(element)> || static_cast<std::uint64_t>(element) <= kMost;
        use(index, fits ? static_cast<std::int64_t>(element) : kMost);
      } else {
        throw ConfigError(name_ + ": holds no whole numbers, as places and columns are");
      }
    });
  }

 private:
  [[nodiscard]] Scalar scalar() const { return static_cast<Scalar>(view_.type); }

  const ArrayView& view_;
  std::string name_;
  std::int64_t stride_ = 0;
};

std::vector<std::int64_t> begins_of(const Vector& from, std::int64_t stored) {
  std::vector<std::int64_t> begins;
  reserve_elements(begins, from.size(), from.name());
  from.for_each_number([&](std::int64_t index, std::int64_t begin) {
    if (begin < (index == 0 ? 0 : begins.back()) || begin > stored || (index == 0 && begin != 0)) {
      throw ConfigError(
          fmt::format("{}: element {} is {}; expected numbers that begin with 0, never fall and end with the "
                      "number of values, {}",
                      from.name(), index, begin, stored));
    }
    begins.push_back(begin);
  });
  if (begins.empty() || begins.back() != stored) {
    throw ConfigError(
        fmt::format("{}: ends with {}; expected the number of values, {}, behind a number for each "
                    "row",
                    from.name(), begins.empty() ? "no number" : std::to_string(begins.back()), stored));
  }
  return begins;
}

template <class T>
std::vector<T> indices_of(const Vector& from, std::int64_t width) {
  std::vector<T> indices;
  reserve_elements(indices, from.size(), from.name());
  from.for_each_number([&](std::int64_t index, std::int64_t column) {
    if (column < 0 || column >= width) {
      throw FileError(fmt::format("{}: element {} is {}, which is out of range: the rows have {}",
                                  from.name(), index, column, counted(width, "column")));
    }
    indices.push_back(static_cast<T>(column));
  });
  return indices;
}

}  // namespace
}  // namespace data

Dataset dataset_from_csr(const ArrayView& row_begin, const ArrayView& columns, const ArrayView& values,
                         std::int64_t width) {
  const std::string name = values.name.empty() ? Dataset{}.name() : values.name;
  const data::Vector begins(row_begin, name + ": the rows' beginnings");
  const data::Vector indices(columns, name + ": the columns");
  const data::Vector held(values, name);
  constexpr std::int64_t kMost = std::int64_t{1} << 32;
  if (width < 1 || width > kMost)
    throw ConfigError(fmt::format("{}: {} columns; expected at least 1 and at most {}", name, width, kMost));
  if (indices.size() != held.size()) {
    throw ConfigError(fmt::format("{}: {} columns for {}; expected one for each", name, indices.size(),
                                  data::counted(held.size(), "value")));
  }
  data::UnorderedRows rows;
  rows.width = width;
  rows.row_begin = data::begins_of(begins, held.size());
  if (data::has_narrow_columns(width)) {
    rows.columns = data::indices_of<std::uint16_t>(indices, width);
  } else {
    rows.columns = data::indices_of<std::uint32_t>(indices, width);
  }
  data::NarrowValues narrow(held.size(), name);
  held.for_each([&](std::int64_t index, auto value) {
    narrow.add(data::to_f32(value));
    if (data::is_usable(value)) return;
    const auto row = std::upper_bound(rows.row_begin.begin(), rows.row_begin.end(), index) - 1;
    const std::int64_t column =
        std::visit([index](const auto& all) { return std::int64_t{all[static_cast<std::size_t>(index)]}; },
                   rows.columns);
    throw FileError(fmt::format("{}: row {}, column {} (counted from 0): {}", name,
                                row - rows.row_begin.begin(), column, data::refusal(value)));
  });
  rows.values = narrow.take();
  data::LoadedRows loaded =
      data::load_sparse(data::order_rows(std::move(rows), data::Repeated::refused, name), "sparse rows");
  loaded.rows.set_name(name);
  loaded.rows.set_notes(data::notes_of(loaded.facts, loaded.rows));
  return std::move(loaded.rows);
}

}  // namespace vaecuda
