#include "simt/segments.hpp"

#include <link.h>

#include <cinttypes>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

namespace vaecuda::simt {
namespace {

struct Segment {
  std::uintptr_t start;
  std::size_t bytes;
  bool writable;
};

/// Each thread's own, as the launches are that they are read for.
std::vector<Segment>& segments() {
  static thread_local std::vector<Segment> list;
  return list;
}

int add_object(dl_phdr_info* info, std::size_t, void*) {
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr)& header = info->dlpi_phdr[i];
    if (header.p_type != PT_LOAD) continue;
    segments().push_back({info->dlpi_addr + header.p_vaddr, header.p_memsz, (header.p_flags & PF_W) != 0});
  }
  return 0;
}

}  // namespace

bool is_in_program(const void* address, bool writable) {
  static thread_local Segment last{0, 0, false};
  const auto a = reinterpret_cast<std::uintptr_t>(address);
  if (a - last.start < last.bytes && (last.writable || !writable)) return true;
  for (const Segment& segment : segments()) {
    if (a - segment.start >= segment.bytes || (writable && !segment.writable)) continue;
    last = segment;
    return true;
  }
  return false;
}

std::string mapping_of(const void* address) {
  const auto a = reinterpret_cast<std::uintptr_t>(address);
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    std::uintptr_t first = 0;
    std::uintptr_t end = 0;
    char protection[5] = {};
    int path = 0;
    if (std::sscanf(line.c_str(), "%" SCNxPTR "-%" SCNxPTR " %4s %*s %*s %*s %n", &first, &end, protection,
                    &path) < 3)
      continue;
    if (a < first || a >= end) continue;
    const std::string name = line.substr(static_cast<std::size_t>(path));
    return std::string(protection) + " " + (name.empty() ? "without a name" : name);
  }
  return "not mapped";
}

void find_segments() {
  segments().clear();
  ::dl_iterate_phdr(add_object, nullptr);
}

}  // namespace vaecuda::simt
