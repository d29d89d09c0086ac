#include "host/data/gzip.hpp"

#include <zlib.h>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <new>

#include "host/data/message.hpp"

namespace vaecuda::data {

bool is_gzip(std::span<const std::uint8_t> head) {
  return head.size() >= 2 && head[0] == 0x1f && head[1] == 0x8b;
}

struct GzipDecoder::Stream {
  z_stream z{};
  Stream() {
    constexpr int kGzipOnly = 15 + 16;  // the largest window; 16 asks for gzip's header and trailer
    if (inflateInit2(&z, kGzipOnly) != Z_OK) throw std::bad_alloc();
  }
  ~Stream() { inflateEnd(&z); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
};

GzipDecoder::GzipDecoder(RawFile& file) : file_(file), stream_(std::make_unique<Stream>()) {}

GzipDecoder::~GzipDecoder() = default;

bool GzipDecoder::begin_next_member() {
  const std::span<const std::uint8_t> rest = file_.buffered(2);
  if (rest.empty()) return false;
  if (!is_gzip(rest)) {
    fail(file_.path(),
         "has bytes behind the end of its gzip data, from byte {} of the file on; expected the end of the "
         "file or another gzip member. Download or compress it again",
         file_.position());
  }
  inflateReset(&stream_->z);
  return true;
}

std::size_t GzipDecoder::read_some(std::span<std::uint8_t> to) {
  z_stream& z = stream_->z;
  const std::size_t wanted = std::min<std::size_t>(to.size(), std::numeric_limits<uInt>::max());
  z.next_out = to.data();
  z.avail_out = static_cast<uInt>(wanted);
  // An empty member yields nothing, so one call may have to pass through several.
  while (!ended_ && z.avail_out == wanted && wanted > 0) {
    const std::span<const std::uint8_t> input = file_.buffered();
    if (input.empty()) {
      fail(file_.path(),
           "ends in the middle of its gzip data, at byte {} of the file: it is truncated. Download or "
           "compress it again",
           file_.position());
    }
    // zlib's interface lacks the const; it does not write to its input.
    z.next_in = const_cast<Bytef*>(input.data());  // NOLINT(*-const-cast)
    z.avail_in = static_cast<uInt>(input.size());
    const int status = inflate(&z, Z_NO_FLUSH);
    file_.consume(input.size() - z.avail_in);
    if (status == Z_STREAM_END) {
      ended_ = !begin_next_member();
    } else if (status == Z_MEM_ERROR) {
      throw std::bad_alloc();
    } else if (status != Z_OK && status != Z_BUF_ERROR) {
      fail(file_.path(),
           "has damaged gzip data, at byte {} of the file (zlib: {}). Download or compress it again",
           file_.position(), z.msg != nullptr ? z.msg : "unknown error");
    }
  }
  return wanted - z.avail_out;
}

}  // namespace vaecuda::data
