// Device memory of the executor: buffers with a forbidden zone round each, and a shadow that says of every
// byte who wrote and read it last.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "simt/record.hpp"

namespace vaecuda::simt {

inline constexpr unsigned kPageShift = 12;
inline constexpr std::size_t kPageBytes = std::size_t{1} << kPageShift;
inline constexpr std::uint32_t kAnyBlock = UINT32_MAX;

/// A buffer, or an array in a block's shared memory.
struct Region {
  std::uintptr_t base = 0;
  std::size_t bytes = 0;         ///< 0 once it is freed
  unsigned cell_shift = 2;       ///< log2 of the bytes that share a cell
  std::uint32_t valid_from = 1;  ///< what was written before this time does not count as written
  std::uint32_t owner = kAnyBlock;
  Cell* cells = nullptr;
  /// Launch that last saved this page of a buffer for its second run; null in shared memory.
  std::uint32_t* saved_by = nullptr;
  std::string name;
  std::size_t allocated_bytes = 0;

  [[nodiscard]] bool is_shared() const { return saved_by == nullptr; }
  [[nodiscard]] std::size_t cell_count() const {
    return (allocated_bytes + (std::size_t{1} << cell_shift) - 1) >> cell_shift;
  }
};

/// Makes the cells of a region as small as 1 << shift bytes, keeping what they say.
void refine(Region& region, unsigned shift);

/// Addresses are never used twice, so that a pointer to a freed buffer stays recognizable.
class Memory {
 public:
  Memory();
  ~Memory();
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  /// A buffer of unwritten bytes, 256-byte aligned and not more.
  Region& allocate(std::size_t bytes, std::string name);
  Region& allocate_shared(std::size_t bytes, std::string name);
  /// Of a buffer's first byte. \return false if there is no such buffer.
  bool release(void* address);

  /// The buffer whose pages hold the address, also past its end or after its release; else null.
  [[nodiscard]] Region* find(const void* address) const;
  /// "byte 3 of buffer 'x' (16 bytes)", or where the nearest buffer is.
  [[nodiscard]] std::string describe(const void* address) const;

  /// Host work on device memory, in stream order. \throws SimtError where the bytes are not inside a buffer,
  /// or, for check_written, not all written.
  Region& check_inside(const void* address, std::size_t bytes, const std::string& user) const;
  void check_written(const void* address, std::size_t bytes, const std::string& user) const;
  void mark_written(const void* address, std::size_t bytes, const std::string& user);
  /// Makes the bytes unwritten, and not-a-number.
  void scramble(void* address, std::size_t bytes, const std::string& user);

  [[nodiscard]] std::uint32_t clock() const { return clock_; }
  /// The next value of the clock. \throws std::overflow_error after 4 billion.
  std::uint32_t tick();
  [[nodiscard]] std::uintptr_t base() const { return base_; }
  [[nodiscard]] Region** page_map() const { return page_map_; }
  [[nodiscard]] std::size_t pages() const;
  [[nodiscard]] std::size_t live_bytes() const { return live_bytes_; }
  [[nodiscard]] std::size_t live_buffers() const { return live_buffers_; }

 private:
  Region& place(std::size_t bytes, std::string name);
  void set_cells(const void* address, std::size_t bytes, Record write, const std::string& user);
  std::uintptr_t base_ = 0;
  std::uintptr_t next_ = 0;
  Region** page_map_ = nullptr;
  std::vector<std::unique_ptr<Region>> regions_;
  std::uint32_t clock_ = 1;
  std::size_t live_bytes_ = 0;
  std::size_t live_buffers_ = 0;
};

}  // namespace vaecuda::simt
