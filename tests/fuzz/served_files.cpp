// The fuzzer's files without the system: MemoryFile's and whoever opens one of them. The linker leads the
// calls of the program's own objects here (--wrap, see fuzz.sh), so that the readers run as they are, buffers
// and all, and an execution costs no system call. Every other descriptor and path is passed on.
//
// One thread; what is opened must be closed before the fuzzer's next input.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <vector>

#include "fuzz/served_files.hpp"

// The names are the linker's.
// NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp,readability-identifier-naming)
extern "C" {
int __real_open(const char* path, int flags, ...);
int __real_fstat(int descriptor, struct stat* status);
int __real_close(int descriptor);
off_t __real_lseek(int descriptor, off_t offset, int whence);
ssize_t __real_read(int descriptor, void* to, std::size_t count);
ssize_t __real_write(int descriptor, const void* from, std::size_t count);
std::FILE* __real_fopen(const char* path, const char* mode);
}

namespace {

constexpr int kFirst = 1 << 20;  // no system hands out such descriptors
constexpr std::size_t kMost = 16;
constexpr std::string_view kFolder = "/proc/self/fd/";

struct Descriptor {
  bool used = false;
  std::size_t file = 0;  ///< whose bytes: itself for one that was created, not opened
  std::size_t at = 0;    ///< where the next read begins
  std::vector<std::uint8_t> bytes;
};

std::array<Descriptor, kMost>& descriptors() {
  static std::array<Descriptor, kMost> all;
  return all;
}

Descriptor* find(int number) {
  if (number < kFirst || number >= kFirst + static_cast<int>(kMost)) return nullptr;
  Descriptor& found = descriptors()[static_cast<std::size_t>(number - kFirst)];
  return found.used ? &found : nullptr;
}

int number_of(const char* path) {
  const std::string_view text = path;
  if (text.substr(0, kFolder.size()) != kFolder) return -1;
  int number = -1;
  const auto [end, error] = std::from_chars(text.data() + kFolder.size(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? number : -1;
}

/// A free descriptor that reads the file; its own where it is to be a new one.
int take(const Descriptor* file) {
  auto& all = descriptors();
  for (std::size_t i = 0; i < kMost; ++i) {
    if (all[i].used) continue;
    all[i].used = true;
    all[i].file = file != nullptr ? file->file : i;
    all[i].at = 0;
    return kFirst + static_cast<int>(i);
  }
  errno = EMFILE;
  return -1;
}

}  // namespace

extern "C" {

int __wrap_memfd_create(const char* /*name*/, unsigned /*flags*/) {
  const int number = take(nullptr);
  if (Descriptor* file = find(number)) file->bytes.clear();
  return number;
}

int __wrap_open(const char* path, int flags, ...) {
  const Descriptor* const file = find(number_of(path));
  if (file != nullptr) return take(file);
  std::va_list rest;
  va_start(rest, flags);
  const auto mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : mode_t{0};
  va_end(rest);
  return __real_open(path, flags, mode);
}

int __wrap_fstat(int descriptor, struct stat* status) {
  const Descriptor* const own = find(descriptor);
  if (own == nullptr) return __real_fstat(descriptor, status);
  *status = {};
  status->st_mode = S_IFREG | S_IRUSR;
  status->st_size = static_cast<off_t>(descriptors()[own->file].bytes.size());
  return 0;
}

ssize_t __wrap_read(int descriptor, void* to, std::size_t count) {
  Descriptor* const own = find(descriptor);
  if (own == nullptr) return __real_read(descriptor, to, count);
  const std::vector<std::uint8_t>& bytes = descriptors()[own->file].bytes;
  const std::size_t got = std::min(count, bytes.size() - std::min(own->at, bytes.size()));
  if (got > 0) std::memcpy(to, bytes.data() + own->at, got);
  own->at += got;
  return static_cast<ssize_t>(got);
}

ssize_t __wrap_write(int descriptor, const void* from, std::size_t count) {
  Descriptor* const own = find(descriptor);
  if (own == nullptr) return __real_write(descriptor, from, count);
  const auto* const first = static_cast<const std::uint8_t*>(from);
  own->bytes.insert(own->bytes.end(), first, first + count);
  return static_cast<ssize_t>(count);
}

int __wrap_close(int descriptor) {
  Descriptor* const own = find(descriptor);
  if (own == nullptr) return __real_close(descriptor);
  own->used = false;
  return 0;
}

off_t __wrap_lseek(int descriptor, off_t offset, int whence) {
  Descriptor* const own = find(descriptor);
  if (own == nullptr) return __real_lseek(descriptor, offset, whence);
  if (whence != SEEK_SET || offset < 0) {
    errno = EINVAL;
    return -1;
  }
  own->at = static_cast<std::size_t>(offset);
  return offset;
}

std::FILE* __wrap_fopen(const char* path, const char* mode) {
  const Descriptor* const file = find(number_of(path));
  if (file == nullptr) return __real_fopen(path, mode);
  std::vector<std::uint8_t>& bytes = descriptors()[file->file].bytes;
  return ::fmemopen(bytes.empty() ? nullptr : bytes.data(), bytes.size(), mode);
}

}  // extern "C"
// NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp,readability-identifier-naming)

namespace vaecuda::fuzz {

std::size_t served_descriptors() {
  const auto& all = descriptors();
  return static_cast<std::size_t>(
      std::count_if(all.begin(), all.end(), [](const auto& d) { return d.used; }));
}

}  // namespace vaecuda::fuzz
