// Values of sparse rows as they come, kept in the smallest type that holds all of them so far.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "host/data/storage.hpp"
#include "vaecuda/sparse.hpp"

namespace vaecuda::data {

class NarrowValues {
 public:
  /// Room for `count` values; `path` is who asks for it in messages. \throws OutOfMemoryError
  NarrowValues(std::int64_t count, std::string path) : count_(count), path_(std::move(path)) {
    reserve_elements(bytes_, count_, path_);
  }

  void add(float value) {
    if (kind_ == Kind::bytes) {
      if (value >= 0.0f && value <= 255.0f && value == static_cast<float>(static_cast<std::uint8_t>(value))) {
        bytes_.push_back(static_cast<std::uint8_t>(value));
        return;
      }
      widen(bytes_, counts_, Kind::counts);
    }
    if (kind_ == Kind::counts) {
      if (value >= 0.0f && value <= 65535.0f &&
          value == static_cast<float>(static_cast<std::uint16_t>(value))) {
        counts_.push_back(static_cast<std::uint16_t>(value));
        return;
      }
      widen(counts_, floats_, Kind::floats);
    }
    floats_.push_back(value);
  }

  [[nodiscard]] SparseRows::Values take() {
    switch (kind_) {
      case Kind::bytes:
        return std::move(bytes_);
      case Kind::counts:
        return std::move(counts_);
      case Kind::floats:
        break;
    }
    return std::move(floats_);
  }

 private:
  enum class Kind { bytes, counts, floats };

  template <class From, class To>
  void widen(std::vector<From>& from, std::vector<To>& to, Kind kind) {
    reserve_elements(to, count_, path_);
    for (const From value : from) to.push_back(static_cast<To>(value));
    from = std::vector<From>();
    kind_ = kind;
  }

  std::int64_t count_;
  std::string path_;
  Kind kind_ = Kind::bytes;
  std::vector<std::uint8_t> bytes_;
  std::vector<std::uint16_t> counts_;
  std::vector<float> floats_;
};

}  // namespace vaecuda::data
