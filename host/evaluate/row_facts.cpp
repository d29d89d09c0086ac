#include "host/evaluate/row_facts.hpp"

#include <utility>

#include "host/data/label_builder.hpp"

namespace vaecuda {

void RowFacts::name_classes() {
  data::Labels classes = data::as_classes(labels, label_names);
  labels = std::move(classes.values);
  label_names = std::move(classes.names);
}

NotedRows::NotedRows(RowSource& rows, RowFacts& facts) : ForwardedRows(rows), facts_(facts) {
  facts_.name = rows.name();
}

std::span<const float> NotedRows::next(std::int64_t most) {
  const std::span<const float> block = ForwardedRows::next(most);
  if (block.empty()) return block;
  facts_.rows += static_cast<std::int64_t>(block.size()) / columns();
  facts_.labels.insert(facts_.labels.end(), labels().begin(), labels().end());
  facts_.factors.insert(facts_.factors.end(), factors().begin(), factors().end());
  // A table's classes become known row by row.
  facts_.label_names = label_names();
  facts_.factor_names = factor_names();
  return block;
}

}  // namespace vaecuda
