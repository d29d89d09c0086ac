#include "host/data/svmlight.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "host/data/foreign.hpp"
#include "host/data/format.hpp"
#include "host/data/label_builder.hpp"
#include "host/data/lines.hpp"
#include "host/data/message.hpp"
#include "host/data/number.hpp"
#include "host/data/sparse_entries.hpp"
#include "host/data/storage.hpp"

namespace vaecuda::data {
namespace {

constexpr std::string_view kQuery = "qid";

struct Pair {
  std::string_view name;
  std::string_view value;
};

/// "12:0.5"; an empty name where there is no colon.
Pair pair_of(std::string_view word) {
  const std::size_t colon = word.find(':');
  if (colon == std::string_view::npos) return {{}, word};
  return {word.substr(0, colon), word.substr(colon + 1)};
}

bool is_index(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

std::string_view without_comment(std::string_view line) {
  return line.substr(0, line.find('#'));
}

enum class LineKind { row, label_alone, other };

/// "0 1:2.5 4:1": a label, then pairs. Of a line that is cut off the last word does not count.
LineKind kind_of(std::string_view line, bool is_whole) {
  if (!is_whole) line = line.substr(0, line.find_last_of(" \t") + 1);
  line = without_comment(line);
  float value = 0.0f;
  const std::string_view label = next_word(line);
  if (label.find(':') != std::string_view::npos || parse_f32(label, value) == NumberStatus::text)
    return LineKind::other;
  LineKind kind = LineKind::label_alone;
  for (std::string_view word = next_word(line); !word.empty(); word = next_word(line)) {
    const Pair pair = pair_of(word);
    if (pair.name != kQuery && !(is_index(pair.name) && parse_f32(pair.value, value) == NumberStatus::ok))
      return LineKind::other;
    kind = LineKind::row;
  }
  return kind;
}

/// By the first row that is not all zeros.
bool is_svmlight(const ByteSource&, std::span<const std::uint8_t> head) {
  // Chars and bytes may alias.
  std::string_view text(reinterpret_cast<const char*>(head.data()),  // NOLINT(*-reinterpret-cast)
                        head.size());
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  while (!text.empty()) {
    const std::size_t end = text.find_first_of("\r\n");
    const bool is_whole = end != std::string_view::npos || head.size() < kForeignHeadBytes;
    const std::string_view line = text.substr(0, end);
    std::string_view rest = without_comment(line);
    if (!next_word(rest).empty()) {
      const LineKind kind = kind_of(line, is_whole);
      if (kind != LineKind::label_alone) return kind == LineKind::row;
    }
    if (end == std::string_view::npos) return false;
    text.remove_prefix(end + 1);
  }
  return false;
}

class Rows {
 public:
  explicit Rows(ByteSource& source) : source_(source), lines_(source) {}

  LoadedRows read() {
    while (lines_.next()) {
      std::string_view line = without_comment(lines_.line());
      const std::string_view label = next_word(line);
      if (!label.empty()) add_row(label, line);
    }
    if (begins_.size() == 0) fail(source_.path(), "holds no row");
    return finish();
  }

 private:
  [[noreturn]] void refuse(const std::string& why) const {
    fail(source_.path(), "line {}: {}", lines_.number(), why);
  }

  void add_row(std::string_view label, std::string_view line) {
    float number = 0.0f;
    const NumberStatus status = parse_f32(label, number);
    if (status == NumberStatus::text || status == NumberStatus::missing) {
      refuse(fmt::format("the label {} {}; a line begins with its label{}", in_quotes(label),
                         complaint(status),
                         label.find(',') != std::string_view::npos ? ", of which a row has one" : ""));
    }
    labels_.add(without_plus(label));
    begins_.append({&count_, 1});
    for (std::string_view word = next_word(line); !word.empty(); word = next_word(line)) add_pair(word);
  }

  void add_pair(std::string_view word) {
    const Pair pair = pair_of(word);
    if (pair.name == kQuery) {
      has_queries_ = true;
      return;
    }
    std::uint32_t column = 0;
    const auto [end, status] = std::from_chars(pair.name.data(), pair.name.data() + pair.name.size(), column);
    const bool is_number = !pair.name.empty() && end == pair.name.data() + pair.name.size();
    if (!is_number || status != std::errc())
      refuse(
          fmt::format("{} is no pair of a column, counted up to 4294967295, and its value", in_quotes(word)));
    float value = 0.0f;
    if (const NumberStatus found = parse_f32(pair.value, value); found != NumberStatus::ok) {
      refuse(fmt::format("column {}: the value {} {}", column, in_quotes(pair.value), complaint(found)));
    }
    least_ = std::min(least_, column);
    most_ = std::max(most_, column);
    columns_.append({&column, 1});
    values_.append({&value, 1});
    ++count_;
  }

  LoadedRows finish() {
    if (count_ == 0)
      fail(source_.path(), "holds no value: every row is empty, which tells no number of columns");
    UnorderedRows rows;
    const std::uint32_t first = least_ == 0 ? 0 : 1;
    rows.width = std::int64_t{most_} - first + 1;
    begins_.append({&count_, 1});
    rows.row_begin = begins_.take(source_.path());
    std::vector<std::uint32_t> columns = columns_.take(source_.path());
    for (std::uint32_t& column : columns) column -= first;
    rows.columns = std::move(columns);
    rows.values = values_.take(source_.path());
    OrderedRows ordered = order_rows(std::move(rows), Repeated::refused, source_.path());
    LoadedRows loaded =
        load_sparse(std::move(ordered), fmt::format("svmlight text, columns counted from {}", first));
    Labels labels = std::move(labels_).finish();
    loaded.rows.set_labels(std::move(labels.values), std::move(labels.names));
    loaded.facts.labels = "labels in front of the rows";
    if (has_queries_) {
      loaded.facts.warnings.push_back(
          fmt::format("{}: the queries of its rows (qid) are left out", source_.path()));
    }
    return loaded;
  }

  ByteSource& source_;
  LineReader lines_;
  LabelBuilder labels_;
  BlockList<std::int64_t> begins_;
  BlockList<std::uint32_t> columns_;
  BlockList<float> values_;
  std::int64_t count_ = 0;
  std::uint32_t least_ = UINT32_MAX;
  std::uint32_t most_ = 0;
  bool has_queries_ = false;
};

}  // namespace

constinit const Format kSvmlightFormat = {
    .name = "svmlight text",
    .is_it = is_svmlight,
    .read = [](const DataSource&, ByteSource& bytes) { return Rows(bytes).read(); },
};

}  // namespace vaecuda::data
