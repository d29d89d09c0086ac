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

const Segment* find_segment(const void* address, bool writable) {
  const auto a = reinterpret_cast<std::uintptr_t>(address);
  static thread_local std::size_t last = 0;
  std::vector<Segment>& list = segments();
  const auto holds = [&](const Segment& segment) {
    return a - segment.start < segment.bytes && (segment.writable || !writable);
  };
  if (last < list.size() && holds(list[last])) return &list[last];
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (!holds(list[i])) continue;
    last = i;
    return &list[i];
  }
  return nullptr;
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
