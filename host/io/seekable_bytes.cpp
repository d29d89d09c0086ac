#include "host/io/seekable_bytes.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "vaecuda/error.hpp"

namespace vaecuda {
namespace {

[[noreturn]] void fail_by_system(const std::string& path, const char* what, int code) {
  throw FileError(fmt::format("{}: {} ({})", path, what, std::generic_category().message(code)));
}

/// Closes in its destructor, also if the constructor of its owner throws.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  [[nodiscard]] int number() const { return number_; }

 private:
  int number_;
};

[[noreturn]] void refuse_folder(const std::filesystem::path& folder) {
  const std::filesystem::path model = folder / "model.safetensors";
  std::error_code error;
  const bool is_run = std::filesystem::exists(model, error);
  throw FileError(fmt::format("{}: is a folder; expected a file{}", folder.string(),
                              is_run ? ": its model is " + model.string() : ""));
}

class FileBytes : public SeekableBytes {
 public:
  explicit FileBytes(const Place& place)
      : path_(place.path().string()),
        // A pipe without a writer would block in open(); O_NONBLOCK has no effect on regular files.
        file_(place.open(O_RDONLY | O_NONBLOCK)) {
    if (file_.number() < 0) {
      const int code = errno;
      if (code == ENOENT) throw FileError(path_ + ": no such file; check the path");
      fail_by_system(path_, "cannot be opened for reading", code);
    }
    struct stat status {};
    if (::fstat(file_.number(), &status) != 0) fail_by_system(path_, "cannot be examined", errno);
    if (S_ISDIR(status.st_mode)) refuse_folder(place.path());
    if (!S_ISREG(status.st_mode)) throw FileError(path_ + ": is no regular file; copy its content to one");
    size_ = status.st_size;
  }

  [[nodiscard]] const std::string& name() const override { return path_; }
  [[nodiscard]] std::int64_t size() const override { return size_; }

  void read(std::int64_t offset, std::span<std::byte> to) const override {
    while (!to.empty()) {
      // Linux transfers at most 2 GiB at once; a short read is not an error.
      const std::size_t wanted = std::min<std::size_t>(to.size(), std::size_t{1} << 30);
      const ssize_t got = ::pread(file_.number(), to.data(), wanted, offset);
      if (got < 0) {
        const int code = errno;
        if (code == EINTR) continue;
        fail_by_system(path_, "cannot be read", code);
      }
      if (got == 0) {
        throw FileError(fmt::format(
            "{}: ended at byte {} while it was read, expected {} bytes; another program is changing it",
            path_, offset, size_));
      }
      to = to.subspan(static_cast<std::size_t>(got));
      offset += got;
    }
  }

 private:
  std::string path_;
  Descriptor file_;
  std::int64_t size_ = 0;
};

class MemoryBytes : public SeekableBytes {
 public:
  MemoryBytes(std::string name, std::span<const std::byte> bytes) : name_(std::move(name)), bytes_(bytes) {}

  [[nodiscard]] const std::string& name() const override { return name_; }
  [[nodiscard]] std::int64_t size() const override { return static_cast<std::int64_t>(bytes_.size()); }

  void read(std::int64_t offset, std::span<std::byte> to) const override {
    const auto start = static_cast<std::size_t>(offset);
    if (offset < 0 || start > bytes_.size() || to.size() > bytes_.size() - start) {
      throw std::logic_error("read past the end of " + name_);
    }
    if (!to.empty()) std::memcpy(to.data(), bytes_.data() + start, to.size());
  }

 private:
  std::string name_;
  std::span<const std::byte> bytes_;
};

}  // namespace

std::unique_ptr<SeekableBytes> open_bytes(const Place& place) {
  return std::make_unique<FileBytes>(place);
}

std::unique_ptr<SeekableBytes> bytes_in_memory(std::string name, std::span<const std::byte> bytes) {
  return std::make_unique<MemoryBytes>(std::move(name), bytes);
}

}  // namespace vaecuda
