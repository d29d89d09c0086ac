#include "host/evaluate/anomalies.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "host/data/label_builder.hpp"
#include "host/evaluate/ranking.hpp"

namespace vaecuda {
namespace {

constexpr std::size_t kMostNamed = 10;

std::string known_labels(const std::vector<std::string>& names) {
  const auto last = names.begin() + static_cast<std::ptrdiff_t>(std::min(names.size(), kMostNamed));
  return fmt::format("{}{}", fmt::join(names.begin(), last, ", "), names.size() > kMostNamed ? ", …" : "");
}

}  // namespace

std::optional<std::int32_t> anomaly_label(const RowFacts& facts, const EvaluateOptions& options) {
  const auto& names = facts.label_names;
  const auto marked = [&](std::int32_t index) {
    return std::count(facts.labels.begin(), facts.labels.end(), index);
  };
  const auto both_kinds = [&](std::int32_t index) { return marked(index) > 0 && marked(index) < facts.rows; };
  if (!options.anomaly_label) {
    // In either order in the rows.
    const std::pair<const char*, const char*> kinds[] = {{"0", "1"}, {"False", "True"}};
    for (const auto& [usual, anomalous] : kinds) {
      const std::optional<std::int32_t> found = data::find_class(names, anomalous);
      const bool marks = names.size() == 2 && found && data::find_class(names, usual);
      if (marks && both_kinds(*found)) return found;
    }
    return std::nullopt;
  }
  const std::string& label = *options.anomaly_label;
  if (facts.labels.empty()) {
    throw ConfigError(fmt::format("anomaly label '{}': {} has no labels; give --labels or --label-column",
                                  label, facts.name));
  }
  const std::optional<std::int32_t> found = data::find_class(names, label);
  if (!found) {
    throw ConfigError(fmt::format("anomaly label '{}': {} has no such label; it has {}", label, facts.name,
                                  known_labels(names)));
  }
  const std::int32_t index = *found;
  if (!both_kinds(index)) {
    throw ConfigError(
        fmt::format("anomaly label '{}': {} of the {} rows of {} have it; both kinds are needed", label,
                    marked(index), facts.rows, facts.name));
  }
  return index;
}

AnomalyFigures anomaly_figures(const Vae& vae, const RowFacts& facts, std::int32_t anomaly,
                               const RowFigures& rows) {
  std::vector<std::uint8_t> marks;
  for (const std::int32_t label : facts.labels) marks.push_back(label == anomaly ? 1 : 0);
  AnomalyFigures figures;
  figures.label = facts.label_names[static_cast<std::size_t>(anomaly)];
  figures.anomalies = std::count(marks.begin(), marks.end(), std::uint8_t{1});
  const auto add = [&](const char* name, std::span<const float> scores) {
    const ClassSeparation found = separate(vae, scores, marks);
    figures.scores.push_back({name, found.roc_auc, found.average_precision});
  };
  std::vector<float> negative_elbo(rows.kl.size());
  std::transform(rows.kl.begin(), rows.kl.end(), rows.reconstruction.begin(), negative_elbo.begin(),
                 std::plus<>());
  add("negative_elbo", negative_elbo);
  add("reconstruction", rows.reconstruction);
  add("kl", rows.kl);
  if (!rows.nll.empty()) add("nll", rows.nll);
  add("squared_error", rows.squared_error);
  add("norm", rows.norm);
  return figures;
}

}  // namespace vaecuda
