// What the model learned, and the settings that it was trained with.
#include <fmt/format.h>

#include <algorithm>

#include "host/report/chart.hpp"
#include "host/report/markup.hpp"
#include "host/report/png.hpp"
#include "host/run_report/page_parts.hpp"
#include "vaecuda/options.hpp"

namespace vaecuda {
namespace {

/// Of a Gaussian latent.
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
                  fmt::format("KL per latent, the greatest first: from {:.3f} to {:.3f} nats; {}",
                              view.kl.front().kl, view.kl.back().kl, words),
                  "latent", "nats"},
                 bars, "nats");
  std::string caption = fmt::format(
      "{} (their mean varies over the rows by more than 0.01; the others are grey). {:.3f} nats in all, mean "
      "over {} {}.",
      words, sum, grouped(view.rows), content.rows_name);
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
  if (view.labels.empty()) caption += " The rows have no labels.";
  if (!view.labels.empty() && !coloured) {
    caption += fmt::format(
        " There are {} labels, more than colours that can be told apart ({}): all have one colour.",
        view.label_names.size(), kSeriesColours);
  }
  if (content.model->model.latent_dim == 1) text.y = "";
  return figure("Latents", "", scatter_chart(text, groups), caption);
}

std::span<const std::uint8_t> as_bytes(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// A side of a PNG file: a big-endian number of its first chunk.
std::uint32_t side_of(std::span<const std::uint8_t> png, std::size_t at) {
  std::uint32_t side = 0;
  for (std::size_t i = 0; i < 4; ++i) side = side << 8U | png[at + i];
  return side;
}

std::string picture_figure(const std::string& heading, std::span<const std::uint8_t> png,
                           const std::string& words) {
  constexpr std::size_t kWidthAt = 16;
  constexpr std::size_t kHeightAt = 20;
  constexpr std::size_t kMostBytes = std::size_t{4} << 20U;
  if (png.size() < kHeightAt + 4) return figure(heading, "", note("The picture's file is broken."), "");
  if (png.size() > kMostBytes) {
    return figure(
        heading, "",
        note("The picture is too large for this page; it is a file of its own in the run's folder."), "");
  }
  std::string img =
      fmt::format("<img alt=\"{}\" width=\"{}\" height=\"{}\" src=\"{}\"/>", escape_markup(words),
                  side_of(png, kWidthAt), side_of(png, kHeightAt), png_address(png));
  constexpr std::uint32_t kWide = 700;  // pixels: half as many on a phone can still be read
  const bool large = side_of(png, kWidthAt) > kWide;
  if (large) {  // on a phone it is moved across the screen, since the whole would be too small to be read
    img = fmt::format("<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"{}\">{}</div>",
                      escape_markup(heading), img);
  }
  return figure(heading, "", img, words, large);
}

}  // namespace

std::string latents_section(const PageContent& content) {
  std::string text = "<section>\n<h2>Latents</h2>\n";
  if (!content.latents) return text + note(content.no_latents) + "</section>\n";
  const bool gaussian = !content.latents->kl.empty();
  text += "<div class=\"charts two\">\n" + (gaussian ? kl_figure(content) : "") + scatter_figure(content) +
          "</div>\n";
  if (!gaussian) text += note("Only a Gaussian latent has a KL of its own for each latent.");
  return text + "</section>\n";
}

std::string pictures_section(const PageContent& content) {
  std::string text =
      "<section class=\"pictures\">\n<h2>What the model draws</h2>\n<div class=\"charts two\">\n";
  std::string notes;
  const auto add = [&](const std::string& name, const std::string& heading, const std::string& words,
                       const std::string& missing) {
    const auto found = content.run.pictures.find(name);
    if (found != content.run.pictures.end()) {
      text += picture_figure(heading, as_bytes(found->second), words);
    } else if (!missing.empty()) {
      notes += note(missing);
    }
  };
  const std::string unfinished = ".png is not in the run's folder: the end of training draws it.";
  add("reconstructions", "Reconstructions", "Each row above its reconstruction, the decoded posterior mean.",
      "reconstructions" + unfinished);
  const bool prior = content.run.config.model.latent != LatentKind::deterministic;
  add("samples", "Samples",
      content.run.config.model.conditional
          ? "Means of p(x|z) for z drawn from the prior, a line for each class."
          : "Means of p(x|z) for z drawn from the prior.",
      prior ? "samples" + unfinished
            : "There are no samples: a deterministic latent has no prior to draw from.");
  if (content.latents && content.latents->interpolations) {
    text +=
        picture_figure("Interpolations", encode_png(*content.latents->interpolations),
                       "Each line leads from the posterior mean of one row, left, to that of another, right, "
                       "in equal steps.");
  } else {
    notes += note("There are no interpolations. " +
                  (content.latents ? content.latents->no_interpolations : content.no_latents));
  }
  add("manifold", "Latent plane", "Means of p(x|z) over a grid of the prior's quantiles in both latents.",
      "");
  return text + "</div>\n" + notes + "</section>\n";
}

std::string settings_section(const PageContent& content) {
  std::vector<std::pair<std::string_view, std::string>> groups;  // names and rows, by first appearance
  for (const Option& option : options()) {
    const std::string value = option.get(content.run.config);
    const std::string_view group = option.key.substr(0, option.key.find('.'));
    if (value.empty()) continue;
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
