// The pages of device memory that a launch writes, as they were before it: so that it can be run again in
// another order and both results be compared.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "simt/memory.hpp"

namespace vaecuda::simt {

class PageLog {
 public:
  /// Begins a launch. With `keep` false nothing is saved: the launch runs once.
  void begin(std::uint32_t launch, bool keep);
  /// Saves page `page` of the region, which is about to be written for the first time in this launch.
  void save(Region& region, std::size_t page);
  /// After the first pass: keeps what it wrote, and puts back what was there before.
  void rewind();
  struct Difference {
    const Region* region;
    std::size_t offset;
  };
  /// After the second pass: the first byte that differs from what the first pass left.
  [[nodiscard]] std::optional<Difference> compare() const;

 private:
  struct Page {
    Region* region;
    std::size_t page;
    std::size_t bytes;
    std::size_t at;  ///< of the kept bytes in bytes_
  };
  std::uint32_t launch_ = 0;
  bool keep_ = false;
  std::vector<Page> pages_;
  std::vector<unsigned char> bytes_;
};

}  // namespace vaecuda::simt
