#include "host/data/lines.hpp"

#include <algorithm>
#include <cstring>
#include <span>

#include "host/data/message.hpp"

namespace vaecuda::data {
namespace {

constexpr std::size_t kChunk = std::size_t{64} << 10U;
constexpr std::size_t kLongest = std::size_t{16} << 20U;
constexpr std::string_view kBlanks = " \t";

}  // namespace

bool LineReader::refill() {
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ >= kLongest)
    fail(source_.path(), "line {} is longer than 16 MiB; the file is no text of this format", number_ + 1);
  if (buffer_.size() - end_ < kChunk) buffer_.resize(std::max(2 * buffer_.size(), end_ + kChunk));
  // Chars and bytes may alias.
  const std::span<std::uint8_t> room(reinterpret_cast<std::uint8_t*>(buffer_.data()) + end_,  // NOLINT
                                     buffer_.size() - end_);
  const std::size_t got = source_.read_some(room);
  end_ += got;
  return got > 0;
}

bool LineReader::next() {
  constexpr std::string_view kUtf8Mark = "\xef\xbb\xbf";
  std::size_t looked = 0;
  const char* stop = nullptr;
  while (true) {
    const std::size_t held = end_ - begin_ - looked;
    const void* const found = held > 0 ? std::memchr(buffer_.data() + begin_ + looked, '\n', held) : nullptr;
    stop = static_cast<const char*>(found);
    if (stop != nullptr) break;
    looked = end_ - begin_;
    if (!refill()) break;
  }
  if (stop == nullptr && begin_ == end_) return false;
  const char* const start = buffer_.data() + begin_;
  const std::size_t size = stop != nullptr ? static_cast<std::size_t>(stop - start) : end_ - begin_;
  line_ = {start, size};
  begin_ += size + (stop != nullptr ? 1 : 0);
  if (line_.ends_with('\r')) line_.remove_suffix(1);
  if (++number_ == 1 && line_.starts_with(kUtf8Mark)) line_.remove_prefix(kUtf8Mark.size());
  return true;
}

std::string_view next_word(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(kBlanks), line.size()));
  const std::string_view word = line.substr(0, line.find_first_of(kBlanks));
  line.remove_prefix(word.size());
  return word;
}

}  // namespace vaecuda::data
