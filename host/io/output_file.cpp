// OutputFile and RowWriter of the public API, on atomic files.
#include <fmt/compile.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iterator>

#include "host/io/atomic_file.hpp"
#include "host/io/npz.hpp"
#include "vaecuda/output.hpp"

namespace vaecuda {
namespace {

constexpr std::size_t kPieceBytes = std::size_t{1} << 20;

std::string_view descr_of(RowType type) {
  switch (type) {
    case RowType::f32:
      return "<f4";
    case RowType::i32:
      return "<i4";
    case RowType::u8:
      break;
  }
  return "|u1";
}

}  // namespace

struct OutputFile::Impl {
  explicit Impl(const std::string& path) : file(path) {}
  void flush() {
    file.write(pending);
    pending.clear();
  }
  AtomicFile file;
  std::string pending;
  bool is_done = false;  ///< committed
};

OutputFile::OutputFile(const std::string& path) : impl_(std::make_unique<Impl>(path)) {}
OutputFile::OutputFile(OutputFile&&) noexcept = default;
OutputFile& OutputFile::operator=(OutputFile&&) noexcept = default;
OutputFile::~OutputFile() = default;

void OutputFile::write(std::string_view text) {
  if (impl_->is_done) impl_->file.write(text);  // refuses
  impl_->pending += text;
  if (impl_->pending.size() >= kPieceBytes) impl_->flush();
}

void OutputFile::commit() {
  impl_->flush();
  impl_->file.commit();
  impl_->is_done = true;
}

std::string csv_cell(std::string_view text) {
  // Everything that a reader would take as a separator, trim, or take as the start of another format; a
  // single empty name would give a blank line.
  constexpr std::string_view kSpecial = ",;|\t\"\r\n";
  constexpr std::string_view kSpecialAtStart = " #<{[%@";
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  const auto is_control = [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; };
  const bool is_plain =
      text.find_first_of(kSpecial) == std::string_view::npos &&
      std::none_of(text.begin(), text.end(), is_control) &&
      text.substr(0, kByteOrderMark.size()) != kByteOrderMark &&
      (!text.empty() && (kSpecialAtStart.find(text.front()) == std::string_view::npos && text.back() != ' '));
  if (is_plain) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

struct RowWriter::Impl {
  Impl(const std::string& target, std::int64_t width, RowType element, bool table)
      : path(target), file(target), columns(width), type(element), is_table(table) {}

  std::string path;
  OutputFile file;
  std::int64_t columns;
  RowType type;
  bool is_table;
  std::int64_t rows = 0;

  [[nodiscard]] std::string header() const {
    std::vector<std::int64_t> shape = {rows};
    if (columns > 0) shape.push_back(columns);
    return npy_header(descr_of(type), shape);
  }

  template <typename T>
  void append(std::span<const T> values, RowType of) {
    const auto width = static_cast<std::size_t>(std::max<std::int64_t>(columns, 1));
    if (of != type) {
      throw ConfigError(fmt::format("{}: rows of {} for a file of {}; give values of the writer's type", path,
                                    descr_of(of), descr_of(type)));
    }
    if (values.size() % width != 0) {
      throw ConfigError(fmt::format("{}: {} values cannot be cut into rows of {}; give whole rows", path,
                                    values.size(), width));
    }
    rows += static_cast<std::int64_t>(values.size() / width);
    if (!is_table) {
      const auto bytes = std::as_bytes(values);
      file.write({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
      return;
    }
    std::string line;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const bool ends = (i + 1) % width == 0;
      fmt::format_to(std::back_inserter(line), FMT_COMPILE("{}{}"), values[i], ends ? '\n' : ',');
      if (!ends) continue;
      file.write(line);
      line.clear();
    }
  }
};

RowWriter::RowWriter(const std::string& path, std::int64_t columns, RowType type,
                     const std::vector<std::string>& names) {
  const std::string ending = std::filesystem::path(path).extension().string();
  if (ending != ".npy" && ending != ".csv") {
    throw ConfigError(fmt::format("{}: rows are written as .npy or .csv; the name must end so", path));
  }
  if (columns < 0) {
    throw ConfigError(
        fmt::format("{}: rows of {} columns; expected 0 (one number a row) or more", path, columns));
  }
  const std::size_t cells = columns > 0 ? static_cast<std::size_t>(columns) : 1;
  if (!names.empty() && names.size() != cells) {
    throw ConfigError(fmt::format("{}: names are {}, but a row has {} cells; expected one for each, or none",
                                  path, names.size(), cells));
  }
  impl_ = std::make_unique<Impl>(path, columns, type, ending == ".csv");
  if (!impl_->is_table) {
    impl_->file.write(impl_->header());  // a placeholder: the number of rows is filled in at the end
  } else if (!names.empty()) {
    std::string line;
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (i > 0) line += ',';
      line += csv_cell(names[i]);
    }
    impl_->file.write(line + "\n");
  }
}

RowWriter::RowWriter(RowWriter&&) noexcept = default;
RowWriter& RowWriter::operator=(RowWriter&&) noexcept = default;
RowWriter::~RowWriter() = default;

void RowWriter::append(std::span<const float> rows) {
  impl_->append(rows, RowType::f32);
}

void RowWriter::append(std::span<const std::int32_t> rows) {
  impl_->append(rows, RowType::i32);
}

void RowWriter::append(std::span<const std::uint8_t> rows) {
  impl_->append(rows, RowType::u8);
}

void RowWriter::commit() {
  OutputFile::Impl& file = *impl_->file.impl_;
  file.flush();
  // Padding gives every header the same length for up to 2^63 rows.
  if (!impl_->is_table) file.file.rewrite(0, impl_->header());
  impl_->file.commit();
}

std::int64_t RowWriter::rows() const {
  return impl_->rows;
}

}  // namespace vaecuda
