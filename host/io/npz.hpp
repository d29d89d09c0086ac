// .npz archives: .npy files in an uncompressed zip, as numpy.savez writes and numpy.load reads them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/io/atomic_file.hpp"

namespace vaecuda {

/// The header of a .npy file of version 1.0, C order, padded to a multiple of 64 bytes. `descr` in NumPy's
/// notation: "<f4", "|u1". \throws std::logic_error for a header too long for the version
[[nodiscard]] std::string npy_header(std::string_view descr, std::span<const std::int64_t> shape);

/// Writes members one after the other; commit() ends the archive. Every member and the archive are smaller
/// than 4 GiB: no ZIP64. Times in the archive are the format's epoch (1980), so equal contents give equal
/// bytes.
/// \throws RuntimeError as AtomicFile, and for an archive beyond 4 GiB
class NpzWriter {
 public:
  explicit NpzWriter(const std::filesystem::path& path) : file_(path) {}
  /// `name` without ".npy".
  void add_array(const std::string& name, std::span<const std::int64_t> shape, std::span<const float> values);
  void add_text(const std::string& name, std::string_view text);
  void commit();

 private:
  struct Member {
    std::string name;
    std::uint32_t crc = 0;
    std::uint32_t size = 0;
    std::uint32_t offset = 0;
  };
  void add(const std::string& name, std::string_view head, std::span<const std::byte> body);
  void write(std::string_view bytes);

  AtomicFile file_;
  std::uint64_t position_ = 0;
  std::vector<Member> members_;
};

}  // namespace vaecuda
