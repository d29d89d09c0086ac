// Files for the loaders' tests: bytes of every format, good or broken on purpose.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/catch.hpp"

namespace vaecuda::test {

/// Writes the bytes and gives the path back, as text.
inline std::string write_file(const std::filesystem::path& path, std::string_view bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!file.flush()) throw std::runtime_error("cannot write " + path.string());
  return path.string();
}

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path.string());
  return {std::istreambuf_iterator<char>(file), {}};
}

/// One gzip member.
inline std::string gzip_bytes(std::string_view content, int level = 6) {
  z_stream z{};
  if (deflateInit2(&z, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) throw std::bad_alloc();
  std::string packed(deflateBound(&z, static_cast<uLong>(content.size())), '\0');
  std::string input(content);
  z.next_in = reinterpret_cast<Bytef*>(input.data());
  z.avail_in = static_cast<uInt>(input.size());
  z.next_out = reinterpret_cast<Bytef*>(packed.data());
  z.avail_out = static_cast<uInt>(packed.size());
  const int status = deflate(&z, Z_FINISH);
  packed.resize(z.total_out);
  deflateEnd(&z);
  if (status != Z_STREAM_END) throw std::runtime_error("deflate failed");
  return packed;
}

/// The bytes of the numbers, in this machine's order (little-endian) or reversed.
template <class T>
std::string bytes_of(const std::vector<T>& values, bool big_endian = false) {
  std::string bytes;
  for (const T value : values) {
    char raw[sizeof(T)];
    std::memcpy(raw, &value, sizeof(T));
    std::string one(raw, sizeof(T));
    if (big_endian) one.assign(one.rbegin(), one.rend());
    bytes += one;
  }
  return bytes;
}

inline std::string idx_header(std::uint8_t type, const std::vector<std::uint32_t>& dims) {
  std::string header = {0, 0, static_cast<char>(type), static_cast<char>(dims.size())};
  return header + bytes_of(dims, true);
}

/// A .npy file of version 1.0 with this dictionary.
inline std::string npy_bytes(std::string_view dictionary, std::string_view elements) {
  std::string file = std::string("\x93NUMPY\x01\x00", 8);
  const auto size = static_cast<std::uint16_t>(dictionary.size() + 1);
  file += bytes_of(std::vector<std::uint16_t>{size});
  file += dictionary;
  file += '\n';
  return file.append(elements);
}

inline std::string npy_bytes(std::string_view descr, std::string_view shape, std::string_view elements) {
  const std::string dictionary = "{'descr': '" + std::string(descr) +
                                 "', 'fortran_order': False, 'shape': (" + std::string(shape) + "), }";
  return npy_bytes(dictionary, elements);
}

/// Checks that f throws an E whose message contains every needle.
template <class E, class F>
void check_error(F&& f, std::initializer_list<std::string_view> needles) {
  std::string message;
  try {
    f();
  } catch (const E& error) {
    message = error.what();
  } catch (const std::exception& error) {
    FAIL_CHECK("wrong exception type: " << error.what());
    return;
  }
  if (message.empty()) {
    FAIL_CHECK("nothing was thrown");
    return;
  }
  for (const std::string_view needle : needles) {
    INFO("message: " << message);
    INFO("needle: " << needle);
    CHECK(message.find(needle) != std::string::npos);
  }
}

}  // namespace vaecuda::test
