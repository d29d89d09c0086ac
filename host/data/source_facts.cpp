#include "host/data/source_facts.hpp"

#include "host/data/message.hpp"

namespace vaecuda::data {

std::string describe(std::string_view name, std::optional<std::int64_t> rows, std::int64_t columns) {
  const std::string size = counted(columns, "column");
  return rows ? fmt::format("{}: {} × {}", name, counted(*rows, "row"), size)
              : fmt::format("{}: {}", name, size);
}

ReadNotes notes_of(const SourceFacts& facts, std::string_view size, std::string_view labels) {
  std::string line(size);
  if (!facts.content.empty()) line += ", " + facts.content;
  if (!facts.labels.empty()) line += ", " + facts.labels;
  if (!labels.empty()) line += fmt::format(" ({})", labels);
  if (!facts.missing.empty()) line += ", " + facts.missing;
  return {line, facts.warnings};
}

ReadNotes notes_of(const SourceFacts& facts, const Dataset& dataset) {
  std::string labels;
  if (!dataset.labels().empty()) {
    const auto classes = static_cast<std::int64_t>(dataset.label_names().size());
    labels = fmt::format("{} {}", classes, classes == 1 ? "class" : "classes");
  } else if (!dataset.label_vectors().empty()) {
    labels = fmt::format("vectors of {}", dataset.label_vector_size());
  }
  return notes_of(facts, describe(dataset.name(), dataset.rows(), dataset.columns()), labels);
}

}  // namespace vaecuda::data
