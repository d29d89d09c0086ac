#include "host/evaluate/row_facts.hpp"

namespace vaecuda {

NotedRows::NotedRows(RowSource& rows, RowFacts& facts) : rows_(rows), facts_(facts) {
  facts_.name = rows.name();
}

std::span<const float> NotedRows::next(std::int64_t most) {
  const std::span<const float> block = rows_.next(most);
  if (block.empty()) return block;
  facts_.rows += static_cast<std::int64_t>(block.size()) / rows_.columns();
  facts_.labels.insert(facts_.labels.end(), rows_.labels().begin(), rows_.labels().end());
  facts_.factors.insert(facts_.factors.end(), rows_.factors().begin(), rows_.factors().end());
  // A table's classes become known row by row.
  facts_.label_names = rows_.label_names();
  facts_.factor_names = rows_.factor_names();
  return block;
}

}  // namespace vaecuda
