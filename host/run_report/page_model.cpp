// What the model learned, and the options that it was trained with.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "host/report/chart.hpp"
#include "host/report/markup.hpp"
#include "host/run_report/page_parts.hpp"
#include "vaecuda/latent.hpp"
#include "vaecuda/options.hpp"

namespace vaecuda {
namespace {

/// For a Gaussian latent.
std::string kl_figure(const PageContent& content) {
  const LatentView& view = *content.latents;
  constexpr std::size_t kMostBars = 64;
  std::vector<Bar> bars;
  std::int64_t active = 0;
  double sum = 0.0;
  for (const KlOfLatent& one : view.kl) {
    if (bars.size() < kMostBars) bars.push_back({fmt::format("{}", one.latent), one.kl, !one.active});
    active += one.active ? 1 : 0;
    sum += one.kl;
  }
  const std::string words = fmt::format("{} of {} latents are active", active, view.kl.size());
  const std::string svg =
      bars_chart({"kl-latents",
                  fmt::format("KL per latent, the greatest first: from {} to {} nats; {}",
                              number_words(view.kl.front().kl, 3), number_words(view.kl.back().kl, 3), words),
                  "latent", "nats"},
                 bars, "nats");
  std::string caption = fmt::format(
      "{} (their mean varies over the rows by more than 0.01; the others are grey). {} nats in all, mean "
      "over {} {}.",
      words, number_words(sum, 3), grouped(view.rows), content.rows_name);
  if (view.kl.size() > kMostBars) caption += fmt::format(" The {} greatest are drawn.", kMostBars);
  return figure("KL per latent", "", svg, caption);
}

std::string scatter_figure(const PageContent& content) {
  const LatentView& view = *content.latents;
  const bool coloured = !view.labels.empty() && view.label_names.size() <= kSeriesColours;
  std::vector<PointGroup> groups(coloured ? view.label_names.size() : 1);
  for (std::size_t i = 0; i < view.plane.points.size(); ++i) {
    groups[coloured ? static_cast<std::size_t>(view.labels[i]) : 0].points.push_back(view.plane.points[i]);
  }
  for (std::size_t i = 0; coloured && i < groups.size(); ++i) groups[i].name = view.label_names[i];
  const std::string_view what = view.kl.empty() ? "Codes" : "Posterior means";
  ChartText text{"latent-scatter",
                 fmt::format("{} of {} {} in the plane", what, view.rows, content.rows_name), "latent 0",
                 "latent 1"};
  std::string caption = fmt::format("{} of {} {}", what, grouped(view.rows), content.rows_name);
  if (view.principal) {
    text.x = "first principal axis";
    text.y = "second principal axis";
    caption +=
        fmt::format(" on the two axes along which they vary most: {:.0f} % and {:.0f} % of their variance",
                    100.0 * view.plane.share[0], 100.0 * view.plane.share[1]);
  }
  caption += coloured ? ", coloured by label." : ".";
  const auto lost = std::count_if(view.plane.points.begin(), view.plane.points.end(), [](const auto& point) {
    return !std::isfinite(point[0]) || !std::isfinite(point[1]);
  });
  if (lost > 0) caption += fmt::format(" {} of them are not finite and not drawn.", grouped(lost));
  if (view.labels.empty()) caption += " The rows have no labels.";
  if (!view.labels.empty() && !coloured) {
    caption += fmt::format(
        " There are {} labels, more than colours that can be told apart ({}): all have one colour.",
        view.label_names.size(), kSeriesColours);
  }
  if (content.model->model.latent_dim == 1) text.y = "";
  return figure("Latents", "", scatter_chart(text, groups), caption);
}

}  // namespace

std::string latents_section(const PageContent& content) {
  const bool has_density = traits_of(content.run.config.model.latent).has_density;
  std::string notes;
  std::string history;
  if (has_density) {
    history = latent_history(content.run, notes);
    if (history.empty()) {
      notes += note(
          "No evaluation in metrics.jsonl tells the KL of each latent over the epochs: those of held-out "
          "rows do.");
    }
  } else {
    notes = note("Only a Gaussian latent has a KL of its own for each latent.");
  }
  std::string cards;
  if (content.latents) {
    if (!content.latents->kl.empty()) cards += kl_figure(content);
    cards += history + scatter_figure(content);
  } else {
    cards = history;
    notes = note(content.no_latents) + notes;
  }
  if (!cards.empty()) cards = "<div class=\"charts\">\n" + cards + "</div>\n";
  return "<section>\n<h2>Latents</h2>\n" + cards + notes + "</section>\n";
}

std::string settings_section(const PageContent& content) {
  std::vector<std::pair<std::string_view, std::string>> groups;  // names and rows, by first appearance
  for (const Option& option : options()) {
    const std::string value = option.get(content.run.config);
    const std::string_view group = option.key.substr(0, option.key.find('.'));
    if (value.empty() || !option.applies(content.run.config)) continue;
    auto found =
        std::find_if(groups.begin(), groups.end(), [&](const auto& one) { return one.first == group; });
    if (found == groups.end()) found = groups.insert(groups.end(), {group, ""});
    found->second += fmt::format("<tr><th scope=\"row\">{}</th><td>{}</td></tr>\n",
                                 option.key.substr(group.size() + 1), escape_markup(value));
  }
  std::string text = "<section>\n<h2>Configuration</h2>\n<div class=\"settings\">\n";
  for (const auto& [group, rows] : groups) {
    text += fmt::format("<table><caption>{}</caption><tbody>\n{}</tbody></table>\n", group, rows);
  }
  return text + "</div>\n</section>\n";
}

}  // namespace vaecuda
