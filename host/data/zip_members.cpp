#include "host/data/zip_members.hpp"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <string_view>

namespace vaecuda::data {
namespace {

constexpr std::string_view kEndMark("PK\x05\x06", 4);
constexpr std::string_view kEntryMark("PK\x01\x02", 4);
constexpr std::size_t kEndBytes = 22;
constexpr std::size_t kEntryBytes = 46;

std::uint32_t number_at(std::string_view bytes, std::size_t at, std::size_t size) {
  std::uint32_t value = 0;
  for (std::size_t i = size; i-- > 0;) value = value << 8 | static_cast<std::uint8_t>(bytes[at + i]);
  return value;
}

/// `size` bytes from `begin` on, or as many as there are.
std::string read_at(std::ifstream& file, std::int64_t begin, std::size_t size) {
  std::string bytes(size, '\0');
  file.clear();
  file.seekg(begin);
  file.read(bytes.data(), static_cast<std::streamsize>(size));
  bytes.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  return bytes;
}

}  // namespace

std::vector<std::string> zip_members(const std::string& path) {
  constexpr std::int64_t kLongestEnd = 65536 + kEndBytes;  // with the longest comment
  constexpr std::uint32_t kMostDirectory = 65536;
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  const auto size = static_cast<std::int64_t>(file.tellg());
  if (!file || size < static_cast<std::int64_t>(kEndBytes)) return {};
  const std::int64_t begin = std::max<std::int64_t>(0, size - kLongestEnd);
  const std::string end = read_at(file, begin, static_cast<std::size_t>(size - begin));
  const std::size_t mark = end.rfind(kEndMark);
  if (mark == std::string::npos || end.size() - mark < kEndBytes) return {};
  const std::uint32_t directory_size = std::min(number_at(end, mark + 12, 4), kMostDirectory);
  const std::string directory = read_at(file, number_at(end, mark + 16, 4), directory_size);
  std::vector<std::string> names;
  for (std::size_t at = 0; at + kEntryBytes <= directory.size();) {
    if (directory.compare(at, kEntryMark.size(), kEntryMark) != 0) break;
    const std::size_t name_size = number_at(directory, at + 28, 2);
    const std::size_t more = number_at(directory, at + 30, 2) + number_at(directory, at + 32, 2);
    if (at + kEntryBytes + name_size > directory.size()) break;
    names.push_back(directory.substr(at + kEntryBytes, name_size));
    at += kEntryBytes + name_size + more;
  }
  return names;
}

}  // namespace vaecuda::data
