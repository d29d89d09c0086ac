#include "host/data/fingerprint.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <span>
#include <string>

#include "host/data/sparse.hpp"

namespace vaecuda {
namespace {

/// Every input bit reaches every output bit (the finalizer of MurmurHash3).
std::uint64_t mix(std::uint64_t x) {
  x = (x ^ x >> 33U) * 0xff51afd7ed558ccdU;
  x = (x ^ x >> 33U) * 0xc4ceb9fe1a85ec53U;
  return x ^ x >> 33U;
}

/// Takes words four abreast, so that the multiplications do not wait for each other.
class Hash {
 public:
  explicit Hash(std::uint64_t basis)
      : lanes_{mix(basis + 1), mix(basis + 2), mix(basis + 3), mix(basis + 4)} {}

  void add(std::uint64_t word) { lanes_[0] = mix(lanes_[0] ^ word); }

  template <typename T>
  void add(std::span<const T> values) {
    add(values.size());
    const auto* bytes = reinterpret_cast<const char*>(values.data());
    std::size_t left = values.size_bytes();
    for (std::array<std::uint64_t, 4> words{}; left > 0;) {
      const std::size_t taken = std::min(left, sizeof words);
      words = {};
      std::memcpy(words.data(), bytes, taken);
      for (std::size_t i = 0; i < 4; ++i) lanes_[i] = turned((lanes_[i] ^ words[i]) * kFactor);
      bytes += taken;
      left -= taken;
    }
  }

  [[nodiscard]] std::uint64_t value() const {
    std::uint64_t result = 0;
    for (const std::uint64_t lane : lanes_) result = mix(result ^ lane);
    return result;
  }

 private:
  static constexpr std::uint64_t kFactor = 0x9e3779b97f4a7c15U;  // odd, so that nothing is lost
  static std::uint64_t turned(std::uint64_t x) { return x << 29U | x >> 35U; }
  std::array<std::uint64_t, 4> lanes_;
};

}  // namespace

std::uint64_t fingerprint(const Dataset& data, std::uint64_t basis) {
  Hash hash(basis);
  const auto add_names = [&hash](const std::vector<std::string>& names) {
    hash.add(names.size());
    for (const std::string& name : names) hash.add(std::span<const char>(name));
  };
  for (const std::int64_t size : {data.rows(), data.columns()}) hash.add(static_cast<std::uint64_t>(size));
  hash.add(static_cast<std::uint64_t>(data.type()));
  hash.add(data.u8());
  hash.add(data.f32());
  if (data.type() == ElementType::sparse) {
    hash.add(data.sparse().row_begin());
    data::with_arrays(data.sparse(), [&hash](auto columns, auto values) {
      hash.add(columns);
      hash.add(values);
    });
  }
  hash.add(data.labels());
  hash.add(data.label_vectors());
  add_names(data.label_names());
  add_names(data.column_names());
  const ImageShape image = data.image().value_or(ImageShape{});
  for (const std::int64_t size : {image.height, image.width, image.channels}) {
    hash.add(static_cast<std::uint64_t>(size));
  }
  return hash.value();
}

}  // namespace vaecuda
