// Some rows of a source, kept in memory.
#include <algorithm>
#include <utility>

#include "host/data/check_values.hpp"
#include "host/data/label_builder.hpp"
#include "host/data/message.hpp"
#include "vaecuda/row_source.hpp"

namespace vaecuda {

Dataset take_rows(RowSource& source, std::span<const std::int64_t> rows) {
  constexpr std::int64_t kBlockFloats = std::int64_t{1} << 20;
  check_source(source);
  const std::int64_t columns = source.columns();
  const std::int64_t most = std::max<std::int64_t>(1, kBlockFloats / columns);
  const auto wanted = static_cast<std::int64_t>(rows.size());
  std::vector<float> values(static_cast<std::size_t>(wanted * columns));
  std::vector<std::int32_t> labels(source.has_labels() ? rows.size() : 0);
  std::vector<float> vectors;
  // Places in the result by row, so that one pass meets them in order.
  std::vector<std::pair<std::int64_t, std::size_t>> order;
  for (std::size_t i = 0; i < rows.size(); ++i) order.emplace_back(rows[i], i);
  std::sort(order.begin(), order.end());
  std::int64_t done = 0;
  auto at = order.begin();
  const auto refuse = [&](std::int64_t row) {
    throw ConfigError(fmt::format("{}: row {} does not exist; the data has {}, counted from 0", source.name(),
                                  row, data::counted(source.rows().value_or(done), "row")));
  };
  if (at != order.end() && at->first < 0) refuse(at->first);
  while (at != order.end()) {
    const std::span<const float> block = source.next(most);
    if (block.empty()) refuse(order.back().first);
    check_block(source, block, done, most);
    const std::int64_t end = done + static_cast<std::int64_t>(block.size()) / columns;
    for (; at != order.end() && at->first < end; ++at) {
      const auto from = block.begin() + (at->first - done) * columns;
      std::copy_n(from, columns, values.begin() + static_cast<std::int64_t>(at->second) * columns);
      const auto place = static_cast<std::size_t>(at->first - done);
      if (!labels.empty()) labels[at->second] = source.labels()[place];
      const std::span<const float> told = source.label_vectors();
      const std::size_t size = told.size() / static_cast<std::size_t>(end - done);
      vectors.resize(rows.size() * size);
      std::copy_n(told.begin() + static_cast<std::ptrdiff_t>(place * size), size,
                  vectors.begin() + static_cast<std::ptrdiff_t>(at->second * size));
    }
    done = end;
  }
  Dataset taken(std::move(values), wanted, columns);
  taken.set_name(source.name());
  taken.set_notes(source.notes());
  taken.set_image(source.image());
  taken.set_column_names(source.column_names());
  taken.set_label_column(source.label_column());
  if (source.has_labels()) {
    data::Labels told = data::as_classes(labels, source.label_names());  // a table may spell a number twice
    taken.set_labels(std::move(told.values), std::move(told.names));
  }
  if (!vectors.empty()) {
    taken.set_label_vectors(std::move(vectors));
    taken.set_label_vector_names(source.label_vector_names());
  }
  return taken;
}

}  // namespace vaecuda
