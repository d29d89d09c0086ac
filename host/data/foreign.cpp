#include "host/data/foreign.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "host/data/message.hpp"
#include "host/data/zip_members.hpp"

namespace vaecuda::data {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kPickle =
    "a Python pickle, which is not opened for safety; save the array as .npy (numpy.save), or a table as "
    ".csv";
constexpr std::string_view kTable = "export the table as .csv or .npy";

struct Magic {
  std::size_t offset;
  std::string_view bytes;
  std::string_view name;
  std::string_view advice;
};
constexpr std::array<Magic, 31> kMagics = {{
    {0, "\x89HDF"sv, "an HDF5 file", "export the array as .npy"},
    {0, "PAR1"sv, "a Parquet file", kTable},
    {0, "ARROW1"sv, "an Arrow file (Feather)", kTable},
    {0, "FEA1"sv, "a Feather file", kTable},
    {0, "ORC"sv, "an ORC file", kTable},
    {0, "Obj\x01"sv, "an Avro file", kTable},
    {0, "SQLite format 3"sv, "an SQLite database", "export the table as .csv"},
    {0, "\xd0\xcf\x11\xe0"sv, "an old Excel or Office file (.xls)", "save the sheet as .csv"},
    {0, "MATLAB"sv, "a MATLAB file", "export the array as .npy"},
    {0, "CDF\x01"sv, "a NetCDF file", "export the array as .npy"},
    {0, "CDF\x02"sv, "a NetCDF file", "export the array as .npy"},
    {0, "SIMPLE  ="sv, "a FITS file", "export the array as .npy"},
    {0, "X\n\x00\x00"sv, "an R object (.rds)", "write the table with write.csv(row.names=FALSE)"},
    {0, "RDX2\n"sv, "an R workspace (.RData)", "write the table with write.csv(row.names=FALSE)"},
    {0, "RDX3\n"sv, "an R workspace (.RData)", "write the table with write.csv(row.names=FALSE)"},
    {0, "\x89PNG"sv, "a PNG picture", "put all pictures into one .npy array (N,H,W,C)"},
    {0, "\xff\xd8\xff"sv, "a JPEG picture", "put all pictures into one .npy array (N,H,W,C)"},
    {0, "GIF8"sv, "a GIF picture", "put all pictures into one .npy array (N,H,W,C)"},
    {0, "II*\x00"sv, "a TIFF picture", "put all pictures into one .npy array (N,H,W,C)"},
    {0, "MM\x00*"sv, "a TIFF picture", "put all pictures into one .npy array (N,H,W,C)"},
    {8, "WEBP"sv, "a WebP picture", "put all pictures into one .npy array (N,H,W,C)"},
    {8, "AVI "sv, "an AVI video", "put its pictures into one .npy array (N,H,W,C)"},
    {8, "WAVE"sv, "a WAV sound", "put its samples into one .npy array"},
    {4, "ftyp"sv, "an MP4 video", "put its pictures into one .npy array (N,H,W,C)"},
    {0, "%PDF"sv, "a PDF document", kTable},
    {0, "BZh"sv, "compressed by bzip2", "decompress it or use gzip"},
    {0, "\x28\xb5\x2f\xfd"sv, "compressed by zstd", "decompress it or use gzip"},
    {0, "\xfd\x37zXZ"sv, "compressed by xz", "decompress it or use gzip"},
    {0, "7z\xbc\xaf"sv, "a 7-Zip archive", "unpack it and give the file inside"},
    {0, "\x1f\x8b"sv, "gzip inside gzip", "decompress it once"},
    {257, "ustar"sv, "a tar archive", "unpack it and give the file or folder inside"},
}};

bool begins(std::string_view text, std::string_view start) {
  return text.substr(0, start.size()) == start;
}
bool ends(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

bool begins_in_any_case(std::string_view text, std::string_view start) {
  return text.size() >= start.size() &&
         std::equal(start.begin(), start.end(), text.begin(), [](char wanted, char letter) {
           return wanted == (letter >= 'A' && letter <= 'Z' ? letter - 'A' + 'a' : letter);
         });
}

std::string listed(const std::vector<std::string>& names) {
  constexpr std::size_t kMost = 8;
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kMost); ++i)
    text += (i > 0 ? ", " : "") + in_quotes(names[i]);
  return names.size() > kMost ? fmt::format("{} and {} more", text, names.size() - kMost) : text;
}

std::string numpy_archive(const std::vector<std::string>& names) {
  const auto holds = [&](const char* name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  // Its own format has been asked before: this one is in a pipe, which gives the first name alone, or lacks
  // one.
  if (holds("indices.npy") || holds("row.npy") || holds("offsets.npy")) {
    return "a zip archive that begins as a sparse matrix of SciPy does (.npz) and cannot be read as one: it "
           "is "
           "truncated, lacks an array, is in gzip or comes through a pipe; give the file itself, as "
           "scipy.sparse.save_npz writes it";
  }
  return fmt::format(
      "a zip archive of arrays (.npz) that holds {}; save the one you mean: numpy.save(\"x.npy\", "
      "numpy.load(…)[\"NAME\"])",
      listed(names));
}

/// An archive, by the names of what it holds; `head` begins with its first member.
std::string zip_format(const ByteSource& source, std::string_view head) {
  constexpr std::size_t kHeaderBytes = 30;
  std::vector<std::string> names = source.is_regular() && !source.is_compressed()
                                       ? zip_members(source.path())
                                       : std::vector<std::string>();
  const bool has_directory = !names.empty();
  std::string_view content;
  if (head.size() > kHeaderBytes) {
    const std::size_t size = static_cast<std::uint8_t>(head[26]) + 256U * static_cast<std::uint8_t>(head[27]);
    const std::size_t more = static_cast<std::uint8_t>(head[28]) + 256U * static_cast<std::uint8_t>(head[29]);
    if (names.empty()) names.emplace_back(head.substr(kHeaderBytes, size));
    content = head.substr(std::min(kHeaderBytes + size + more, head.size()));
  }
  const auto any = [&](auto&& is_one) { return std::any_of(names.begin(), names.end(), is_one); };
  // The first member of every Office document, whose directory a pipe does not give.
  if (head.find("[Content_Types].xml") != std::string_view::npos) {
    const bool is_other = has_directory && !any([](std::string_view name) { return begins(name, "xl/"); });
    return is_other ? "an Office document; save the table as .csv"
                    : "an Excel workbook (.xlsx); save the sheet as .csv";
  }
  if (begins(content, "application/vnd.oasis.opendocument"))
    return "an OpenDocument file (.ods); save the sheet as .csv";
  if (any([](std::string_view name) { return ends(name, "data.pkl"); }))
    return "a PyTorch file, which is a pickle and not opened for safety; save the tensor as .npy: "
           "numpy.save(\"x.npy\", tensor.numpy())";
  if (any([](std::string_view name) { return ends(name, ".npy"); })) return numpy_archive(names);
  if (names.empty() || names.front().empty())
    return "a zip archive (as .npz is); save the array or table inside as a file of its own";
  return fmt::format("a zip archive that holds {}; unpack it and give the file inside", listed(names));
}

/// Pickles of protocol 2 and later begin with their protocol; older ones are text that ends in a stop.
bool is_pickle(std::string_view head) {
  if (head.size() > 2 && head[0] == '\x80' && head[1] >= 2 && head[1] <= 5) {
    return std::string_view("\x95}]()cXKMJGBCIUV\x8c\x8a\x88\x89N\x58\x8e\x8f\x96").find(head[2]) !=
           std::string_view::npos;
  }
  return begins(head, "cnumpy") || begins(head, "ccopy_reg\n") || begins(head, "cpandas") ||
         begins(head, "(dp0\n") || begins(head, "(lp0\n") || begins(head, "(dp1\n") || begins(head, "(lp1\n");
}

/// Text whose every second byte is zero.
bool is_utf16(std::string_view head) {
  constexpr std::size_t kLeast = 8;
  const std::size_t pairs = std::min<std::size_t>(head.size() / 2, 64);
  if (2 * pairs < kLeast) return false;
  for (const std::size_t zero : {std::size_t{1}, std::size_t{0}}) {
    bool is_text = true;
    for (std::size_t i = 0; i < pairs && is_text; ++i) {
      const char letter = head[2 * i + 1 - zero];
      is_text = head[2 * i + zero] == '\0' &&
                ((letter >= ' ' && letter <= '~') || letter == '\t' || letter == '\n' || letter == '\r');
    }
    if (is_text) return true;
  }
  return false;
}

constexpr std::string_view kSpaces = " \t\r\n";

/// The first line that is neither blank nor begins with `comment`.
std::string_view first_line(std::string_view text, char comment) {
  while (true) {
    text.remove_prefix(std::min(text.find_first_not_of(kSpaces), text.size()));
    if (text.empty() || text.front() != comment) return text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.find('\n'), text.size()));
  }
}

bool is_text(std::string_view head) {
  return std::none_of(head.begin(), head.end(), [](char letter) {
    const auto byte = static_cast<std::uint8_t>(letter);
    return (byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') || byte == 0x7f;
  });
}

/// Two lines of text with as many separators each: what begins like another format is a column's name.
bool is_table(std::string_view head) {
  if (!is_text(head.substr(0, 512))) return false;
  const auto line = [&head] {
    const std::string_view text = head.substr(0, head.find('\n'));
    head.remove_prefix(std::min(text.size() + 1, head.size()));
    return text;
  };
  const auto separators = [](std::string_view text) {
    return std::count_if(text.begin(), text.end(),
                         [](char c) { return c == ',' || c == ';' || c == '\t' || c == '|'; });
  };
  const auto first = separators(line());
  return first > 0 && separators(line()) == first;
}

std::string text_format(std::string_view text) {
  if (begins(text, "\xef\xbb\xbf")) text.remove_prefix(3);
  const std::string_view start = text.substr(std::min(text.find_first_not_of(kSpaces), text.size()));
  if (begins(start, "version https://git-lfs") && !is_table(text))
    return "a Git LFS pointer instead of the file; fetch the file: git lfs pull";
  if (begins_in_any_case(first_line(text, '%'), "@relation"))
    return "an ARFF file (Weka); write the lines behind @data as .csv, under a line with the names of the "
           "attributes";
  const bool is_markup = begins(start, "<") && !is_table(text);
  if (is_markup && (begins_in_any_case(start, "<!doctype") || begins_in_any_case(start, "<html")))
    return "an HTML page, often the error page of a download; download the file itself";
  // A column may be called <b>; an element ends somewhere.
  const auto holds = [text](std::string_view mark) { return text.find(mark) != std::string_view::npos; };
  if (is_markup && (begins(start, "<?xml") || holds("</") || holds("/>") || holds("<!--")))
    return "an XML file; export the table as .csv";
  if (begins(start, "{\"") || begins(start, "{\n") || begins(start, "{ ") || begins(start, "[{") ||
      begins(start, "[[") || begins(start, "{}") || begins(start, "{'") || begins(start, "[\n") ||
      begins(start, "{\r"))
    return "JSON; write the table as .csv (pandas.read_json(…).to_csv(index=False))";
  return {};
}

/// A first line of comment, where it cannot be the line of names.
std::optional<std::string> comment_of(std::string_view text) {
  if (begins(text, "\xef\xbb\xbf")) text.remove_prefix(3);
  if (text.empty() || text.front() != '#') return std::nullopt;
  const std::string_view line = text.substr(0, text.find_first_of("\r\n"));
  const std::string_view behind = text.substr(std::min(line.size() + 1, text.size()));
  const auto cells = [](std::string_view of) {
    of = of.substr(0, of.find_first_of("\r\n"));
    return 1 + std::count_if(of.begin(), of.end(),
                             [](char c) { return c == ',' || c == ';' || c == '\t' || c == '|'; });
  };
  const std::string_view next = behind.substr(std::min(behind.find_first_not_of("\r\n"), behind.size()));
  const bool names_columns = !next.empty() && next.front() != '#' && cells(line) == cells(next);
  const bool has_words = line.find_first_of(",;\t|") != std::string_view::npos || begins(line, "# ");
  if (names_columns && has_words) return std::nullopt;
  return std::string(line);
}

}  // namespace

std::string foreign_format(const ByteSource& source, std::span<const std::uint8_t> bytes) {
  // Chars and bytes may alias.
  const std::string_view head(reinterpret_cast<const char*>(bytes.data()),  // NOLINT(*-reinterpret-cast)
                              bytes.size());
  if (begins(head, "PK\x03\x04") || begins(head, "PK\x05\x06")) return zip_format(source, head);
  const bool may_be_named = is_table(head);
  if (is_pickle(head) && !may_be_named) return std::string(kPickle);
  for (const Magic& magic : kMagics) {
    if (head.size() < magic.offset || may_be_named) continue;
    if (begins(head.substr(magic.offset), magic.bytes))
      return fmt::format("{}; {}", magic.name, magic.advice);
  }
  if (begins(head, "\xff\xfe") || begins(head, "\xfe\xff") || is_utf16(head))
    return "UTF-16 text; save the table as UTF-8";
  if (!is_text(head.substr(0, 512))) return {};
  if (std::string format = text_format(head); !format.empty()) return format;
  if (const std::optional<std::string> comment = comment_of(head)) {
    return fmt::format("a table whose first line is a comment, {}; remove the lines that begin with #",
                       in_quotes(*comment));
  }
  return {};
}

}  // namespace vaecuda::data
