#include "host/data/raw_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "host/data/message.hpp"

namespace vaecuda::data {
namespace {

constexpr std::size_t kBufferBytes = 64 * 1024;

// strerror() is not safe with threads.
std::string system_message(int code) {
  return std::error_code(code, std::generic_category()).message();
}

}  // namespace

RawFile::RawFile(std::string path) : path_(std::move(path)), buffer_(kBufferBytes) {
  descriptor_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);  // NOLINT(*-vararg)
  if (descriptor_ < 0) {
    const int code = errno;
    if (code == ENOENT) fail(path_, "no such file or folder; check the path");
    fail(path_, "cannot be opened for reading ({})", system_message(code));
  }
  // A constructor that throws runs no destructor, so the descriptor is closed here.
  try {
    struct stat status {};
    if (::fstat(descriptor_, &status) != 0) fail(path_, "cannot be examined ({})", system_message(errno));
    if (S_ISDIR(status.st_mode)) fail(path_, "is a folder; expected a file");
    if (S_ISREG(status.st_mode)) size_ = status.st_size;
    if (buffered().empty()) {
      fail(path_, "is empty (0 bytes); check that it was written or downloaded completely");
    }
  } catch (...) {
    ::close(descriptor_);
    throw;
  }
}

RawFile::~RawFile() {
  ::close(descriptor_);
}

std::size_t RawFile::read_system(std::uint8_t* to, std::size_t count) {
  // Linux transfers at most 2 GiB at once; a short read is no error.
  const std::size_t wanted = std::min<std::size_t>(count, std::size_t{1} << 30);
  while (true) {
    const ssize_t got = ::read(descriptor_, to, wanted);
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno == EINTR) continue;
    const std::int64_t place = position_ + static_cast<std::int64_t>(end_ - begin_);
    fail(path_, "cannot be read at byte {} ({})", place, system_message(errno));
  }
}

std::span<const std::uint8_t> RawFile::buffered(std::size_t wanted) {
  wanted = std::min(wanted, buffer_.size());
  if (end_ - begin_ < wanted) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
    while (end_ < wanted) {
      const std::size_t got = read_system(buffer_.data() + end_, buffer_.size() - end_);
      if (got == 0) break;
      end_ += got;
    }
  }
  return {buffer_.data() + begin_, end_ - begin_};
}

void RawFile::consume(std::size_t count) {
  begin_ += count;
  position_ += static_cast<std::int64_t>(count);
}

void RawFile::seek(std::int64_t position) {
  if (::lseek(descriptor_, position, SEEK_SET) != position)
    fail(path_, "cannot be read at byte {} ({})", position, system_message(errno));
  position_ = position;
  begin_ = 0;
  end_ = 0;
}

std::size_t RawFile::read_some(std::span<std::uint8_t> to) {
  if (to.empty()) return 0;
  if (begin_ == end_ && to.size() >= buffer_.size()) {
    const std::size_t got = read_system(to.data(), to.size());
    position_ += static_cast<std::int64_t>(got);
    return got;
  }
  const std::span<const std::uint8_t> ready = buffered();
  const std::size_t count = std::min(ready.size(), to.size());
  if (count > 0) std::memcpy(to.data(), ready.data(), count);
  consume(count);
  return count;
}

}  // namespace vaecuda::data
