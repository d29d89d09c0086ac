#include "host/data/npy.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "host/data/array_file_rows.hpp"
#include "host/data/format.hpp"
#include "host/data/message.hpp"

namespace vaecuda::data {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";

// The dictionary that stands in the header: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }.
struct Dictionary {
  std::optional<std::string> descr;
  std::optional<bool> fortran_order;
  std::optional<std::vector<std::int64_t>> shape;
};

// Reads the few forms of Python literals that numpy writes there, and refuses every other.
class DictionaryParser {
 public:
  DictionaryParser(const std::string& path, std::string_view text) : path_(path), text_(text) {}

  Dictionary parse() {
    Dictionary dictionary;
    expect('{');
    while (!accept('}')) {
      const std::string key = parse_string();
      expect(':');
      if (key == "descr") {
        dictionary.descr = parse_descr();
      } else if (key == "fortran_order") {
        dictionary.fortran_order = parse_bool();
      } else if (key == "shape") {
        dictionary.shape = parse_shape();
      } else {
        damaged(fmt::format("unknown key {}", in_quotes(key)));
      }
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip_space();
    if (at_ < text_.size()) damaged("text behind the dictionary");
    if (!dictionary.descr) damaged("key 'descr' is missing");
    if (!dictionary.fortran_order) damaged("key 'fortran_order' is missing");
    if (!dictionary.shape) damaged("key 'shape' is missing");
    return dictionary;
  }

 private:
  [[noreturn]] void damaged(std::string_view why) const {
    fail(path_, "has a damaged .npy header ({}, at character {} of {}); write it again with numpy.save", why,
         at_, in_quotes(text_));
  }
  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t')) ++at_;
  }
  bool accept(char wanted) {
    skip_space();
    if (at_ >= text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }
  void expect(char wanted) {
    if (!accept(wanted)) damaged(fmt::format("expected '{}'", wanted));
  }
  std::string parse_string() {
    const char quote = accept('"') ? '"' : '\'';
    if (quote == '\'') expect('\'');
    const std::size_t end = text_.find(quote, at_);
    if (end == std::string_view::npos) damaged("unclosed string");
    const std::string_view content = text_.substr(at_, end - at_);
    at_ = end + 1;
    return std::string(content);
  }
  std::string parse_descr() {
    skip_space();
    if (at_ < text_.size() && text_[at_] == '[') {
      fail(path_,
           "is a structured array (fields with names); expected plain numbers. Save one array, for example "
           "numpy.stack([a[n] for n in a.dtype.names], 1)");
    }
    return parse_string();
  }
  bool parse_bool() {
    skip_space();
    for (const bool value : {false, true}) {
      const std::string_view word = value ? "True" : "False";
      if (text_.substr(at_, word.size()) == word) {
        at_ += word.size();
        return value;
      }
    }
    damaged("expected True or False");
  }
  std::vector<std::int64_t> parse_shape() {
    std::vector<std::int64_t> shape;
    expect('(');
    while (!accept(')')) {
      skip_space();
      std::int64_t size = 0;
      const char* const begin = text_.data() + at_;
      const auto [end, status] = std::from_chars(begin, text_.data() + text_.size(), size);
      if (status == std::errc::result_out_of_range) {
        fail(path_, "has a header with a dimension over 2^63; the header is damaged");
      }
      if (status != std::errc()) damaged("expected a size");
      at_ += static_cast<std::size_t>(end - begin);
      if (at_ < text_.size() && text_[at_] == 'L') ++at_;  // Python 2 wrote its long integers so
      shape.push_back(size);
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return shape;
  }

  const std::string& path_;
  std::string_view text_;
  std::size_t at_ = 0;
};

struct NamedScalar {
  std::string_view name;
  Scalar scalar;
};
constexpr std::array<NamedScalar, 11> kScalars = {{{"b1", Scalar::b1},
                                                   {"u1", Scalar::u8},
                                                   {"i1", Scalar::i8},
                                                   {"u2", Scalar::u16},
                                                   {"i2", Scalar::i16},
                                                   {"u4", Scalar::u32},
                                                   {"i4", Scalar::i32},
                                                   {"u8", Scalar::u64},
                                                   {"i8", Scalar::i64},
                                                   {"f4", Scalar::f32},
                                                   {"f8", Scalar::f64}}};

Scalar scalar_of(const std::string& path, std::string_view descr) {
  const char order = descr.empty() ? ' ' : descr.front();
  const std::string_view name = descr.substr(std::min<std::size_t>(1, descr.size()));
  if (name.substr(0, 1) == "O") {
    fail(path,
         "holds Python objects (dtype {}); expected plain numbers. Convert it with a.astype('float32') and "
         "save it again",
         in_quotes(descr));
  }
  const auto* const found =
      std::find_if(kScalars.begin(), kScalars.end(), [&](const NamedScalar& s) { return s.name == name; });
  if (found == kScalars.end() || std::string_view("<>|=").find(order) == std::string_view::npos) {
    fail(path,
         "has elements of dtype {}, which cannot be read; expected bool, u1 to u8, i1 to i8, f4 or f8. "
         "Convert it with a.astype('float32') and save it again",
         in_quotes(descr));
  }
  if (order == '>' && scalar_bytes(found->scalar) > 1) {
    fail(path,
         "holds big-endian data (dtype {}); expected little-endian. Convert it with a.astype('<{}') and save "
         "it again",
         in_quotes(descr), name);
  }
  return found->scalar;
}

std::string read_header_text(ByteSource& source) {
  constexpr std::string_view kWhat = "the .npy header";
  std::array<std::uint8_t, 8> start{};
  source.read(start, kWhat);
  const int major = start[6];
  if (major < 1 || major > 3) {
    fail(source.path(), "is a .npy file of version {}.{}; expected 1.0, 2.0 or 3.0", major, start[7]);
  }
  std::array<std::uint8_t, 4> size_bytes{};
  source.read(std::span(size_bytes).first(major == 1 ? 2 : 4), kWhat);
  std::int64_t size = 0;
  for (std::size_t i = size_bytes.size(); i-- > 0;) size = size * 256 + size_bytes[i];
  constexpr std::int64_t kLongestHeader = 1 << 20;  // numpy's own limit is 10,000 characters
  if (size > kLongestHeader || size > source.size_limit()) {
    fail(source.path(), "has a .npy header that claims to be {} long; the file is damaged",
         counted(size, "byte"));
  }
  std::vector<std::uint8_t> text(static_cast<std::size_t>(size));
  source.read(text, kWhat);
  return {text.begin(), text.end()};
}

}  // namespace

bool is_npy(std::span<const std::uint8_t> head) {
  return head.size() >= kMagic.size() &&
         std::equal(kMagic.begin(), kMagic.end(), head.begin(),
                    [](char letter, std::uint8_t byte) { return static_cast<std::uint8_t>(letter) == byte; });
}

ArrayHeader read_npy_header(ByteSource& source) {
  const std::string text = read_header_text(source);
  const Dictionary dictionary = DictionaryParser(source.path(), text).parse();
  ArrayHeader header;
  header.scalar = scalar_of(source.path(), *dictionary.descr);
  header.dims = *dictionary.shape;
  if (*dictionary.fortran_order) {
    fail(source.path(),
         "is stored in Fortran order (column by column); expected C order. Convert it with "
         "numpy.ascontiguousarray(a) and save it again");
  }
  if (header.dims.empty()) {
    fail(source.path(), "holds a single number (shape ()); expected an array with one row per sample");
  }
  return header;
}

std::string read_npy_text(ByteSource& source) {
  constexpr std::size_t kLongest = 64;
  const Dictionary dictionary = DictionaryParser(source.path(), read_header_text(source)).parse();
  const std::string_view descr = *dictionary.descr;
  const bool is_wide = descr.starts_with("<U");
  std::size_t letters = 0;
  const char* const digits = descr.data() + std::min<std::size_t>(2, descr.size());
  const auto [end, status] = std::from_chars(digits, descr.data() + descr.size(), letters);
  const bool is_text = (descr.starts_with("|S") || is_wide) && status == std::errc() &&
                       end == descr.data() + descr.size() && letters <= kLongest;
  if (!is_text || !dictionary.shape->empty())
    fail(source.path(), "holds elements of dtype {}; expected a single short text", in_quotes(descr));
  const std::size_t step = is_wide ? 4 : 1;
  std::vector<std::uint8_t> bytes(letters * step);
  source.read(bytes, "a text");
  source.expect_end("the text");
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += step) {
    const bool is_ascii =
        bytes[i] < 0x80 && std::all_of(bytes.begin() + static_cast<std::ptrdiff_t>(i + 1),
                                       bytes.begin() + static_cast<std::ptrdiff_t>(i + step),
                                       [](std::uint8_t byte) { return byte == 0; });
    if (!is_ascii) fail(source.path(), "holds a text that is not ASCII");
    if (bytes[i] != 0) text += static_cast<char>(bytes[i]);
  }
  return text;
}

constinit const Format kNpyFormat = {
    .name = ".npy",
    .labels_name = ".npy",
    .streams_with_labels = true,
    .is_it = [](const ByteSource&, std::span<const std::uint8_t> head) { return is_npy(head); },
    .read = [](const DataSource&, ByteSource& bytes) { return read_array(bytes, read_npy_header(bytes)); },
    .read_labels =
        [](ByteSource& bytes, std::int64_t, const std::vector<std::string>&) {
          return read_label_file(bytes, read_npy_header(bytes));
        },
    .open =
        [](const DataSource& source, std::unique_ptr<ByteSource> bytes) {
          return open_array_file(source, std::move(bytes), read_npy_header);
        },
};

}  // namespace vaecuda::data
