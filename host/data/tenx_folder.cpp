#include "host/data/tenx_folder.hpp"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <system_error>
#include <utility>
#include <vector>

#include "host/data/bytes.hpp"
#include "host/data/lines.hpp"
#include "host/data/matrix_market.hpp"
#include "host/data/message.hpp"
#include "host/data/sparse_entries.hpp"

namespace vaecuda::data {
namespace {

constexpr std::string_view kExpression = "Gene Expression";

/// The first of the names that is a file in the folder, as it is or in gzip; empty where none is.
std::string find_file(const std::string& folder, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    for (const char* end : {"", ".gz"}) {
      std::error_code error;
      const std::filesystem::path path = std::filesystem::path(folder) / (std::string(name) + end);
      if (std::filesystem::exists(path, error) && !std::filesystem::is_directory(path, error))
        return path.string();
    }
  }
  return {};
}

std::string_view next_cell(std::string_view& line) {
  const std::string_view cell = line.substr(0, line.find('\t'));
  line.remove_prefix(std::min(cell.size() + 1, line.size()));
  return cell;
}

struct Features {
  std::vector<std::string> ids;
  std::vector<std::int64_t> expression;  ///< places of the features that are genes
};

Features read_features(const std::string& path) {
  ByteSource source(path);
  LineReader lines(source);
  Features features;
  while (lines.next()) {
    std::string_view line = lines.line();
    const std::string_view id = next_cell(line);
    if (id.empty()) fail(path, "line {}: the feature has no id", lines.number());
    require_label(path, lines.number(), id);
    static_cast<void>(next_cell(line));  // its symbol, which several may share
    const std::string_view type = next_cell(line);
    if (type.empty() || type == kExpression)
      features.expression.push_back(static_cast<std::int64_t>(features.ids.size()));
    features.ids.emplace_back(id);
  }
  if (features.expression.empty()) fail(path, "holds no feature of the type {}", kExpression);
  return features;
}

std::int64_t count_lines(const std::string& path) {
  ByteSource source(path);
  LineReader lines(source);
  std::int64_t count = 0;
  while (lines.next()) ++count;
  return count;
}

void require_count(const std::string& path, std::int64_t found, std::string_view matrix, std::int64_t wanted,
                   std::string_view side) {
  if (found == wanted) return;
  fail(path, "has {}, but {} has {}; expected one line for each", counted(found, "line"), matrix,
       counted(wanted, side));
}

}  // namespace

std::optional<TenxFiles> find_tenx(const std::string& folder) {
  TenxFiles files;
  files.matrix = find_file(folder, {"matrix.mtx"});
  if (files.matrix.empty()) return std::nullopt;
  files.features = find_file(folder, {"features.tsv", "genes.tsv"});
  files.barcodes = find_file(folder, {"barcodes.tsv"});
  for (const auto& [path, name] : {std::pair(&files.features, "features.tsv or genes.tsv"),
                                   std::pair(&files.barcodes, "barcodes.tsv")}) {
    if (!path->empty()) continue;
    fail(folder,
         "the folder holds {} and lacks {}; expected {}. For a matrix whose rows are rows of data give "
         "the file itself",
         std::filesystem::path(files.matrix).filename().string(), name, kTenxExpected);
  }
  return files;
}

LoadedRows read_tenx(const TenxFiles& files) {
  Features features = read_features(files.features);
  const std::int64_t cells = count_lines(files.barcodes);
  ByteSource bytes(files.matrix);
  MatrixEntries matrix = read_matrix_entries(bytes, true);
  const auto count = static_cast<std::int64_t>(features.ids.size());
  require_count(files.features, count, files.matrix, matrix.entries.width, "row");
  require_count(files.barcodes, cells, files.matrix, matrix.entries.row_count, "column");
  OrderedRows ordered = order_entries(std::move(matrix.entries), Repeated::refused, files.matrix);
  LoadedRows loaded = load_sparse(std::move(ordered), fmt::format("10x counts, {}", matrix.field));
  loaded.rows.set_column_names(std::move(features.ids));
  const auto kept = static_cast<std::int64_t>(features.expression.size());
  if (kept < count) {
    loaded.rows = loaded.rows.select_columns(features.expression);
    loaded.facts.content += fmt::format(", {} of other types left out", counted(count - kept, "feature"));
  }
  return loaded;
}

}  // namespace vaecuda::data
