// Figures and curves of training.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <utility>
#include <vector>

#include "host/report/chart.hpp"
#include "host/report/markup.hpp"
#include "host/run_report/page_parts.hpp"
#include "vaecuda/latent.hpp"

namespace vaecuda {
namespace {

std::string cell(double value) {
  return "<td>" + number_words(value, 4) + "</td>";
}

std::string terms_row(const std::string& name, const LossTerms& terms, bool quantized) {
  std::string row = fmt::format("<tr><th scope=\"row\">{}</th>{}{}", escape_markup(name), cell(terms.loss),
                                cell(terms.reconstruction));
  if (!quantized) return row + cell(terms.kl) + "</tr>\n";
  const QuantizationTerms terms_of_codes = terms.quantization.value_or(QuantizationTerms{});
  return row + cell(terms_of_codes.error) + cell(terms_of_codes.perplexity) + "</tr>\n";
}

std::string key(std::size_t colour, const std::string& name) {
  return fmt::format(
      "<li><svg viewBox=\"0 0 24 12\" aria-hidden=\"true\"><path class=\"line s{}\" d=\"M1 "
      "6H23\"/></svg>{}</li>",
      colour, escape_markup(name));
}

/// For a constant curve: its value in words; empty for any other.
std::string level_words(const std::string& name, const std::string& unit, const std::vector<double>& values) {
  const auto moves = [&values](double value) { return value != values.front(); };
  if (values.empty() || std::any_of(values.begin(), values.end(), moves)) return "";
  return fmt::format("{}: {:.5g}{}{} throughout.", name, values.front(), unit.empty() ? "" : " ", unit);
}

struct Curve {
  std::string id;
  std::string name;
  std::string unit;
  std::function<double(const RecordLine&)> training;
  std::function<double(const LossTerms&)> validation;  ///< empty: no validation
  bool from_zero = false;
  bool at_evaluations = false;  ///< known only at some lines, and drawn as dots
};

/// A curve without values, or a constant one, becomes a sentence in `notes` instead of a card.
std::string curve_figure(const RunRecord& run, const Curve& curve, bool validated, std::string& notes) {
  std::vector<Series> series(1);
  series[0].name = curve.validation ? "training" : curve.name;
  series[0].marked = curve.at_evaluations;
  for (const RecordLine& line : run.lines) {
    const double value = curve.training(line);
    if (curve.at_evaluations && !std::isfinite(value)) continue;
    series[0].points.emplace_back(line.epoch, value);
  }
  std::string keys;
  if (curve.validation && validated) {
    series.push_back({"validation", {}, true});
    for (const RecordLine& line : run.lines) {
      if (line.valid) series[1].points.emplace_back(line.epoch, curve.validation(*line.valid));
    }
    keys = "<ul class=\"keys\">" + key(0, "training") + key(1, "validation") + "</ul>\n";
  }
  std::string words = fmt::format("{} over {:.3g} epochs", curve.name, run.lines.back().epoch);
  std::vector<double> known;
  for (const auto& [epoch, value] : series[0].points) {
    if (std::isfinite(value)) known.push_back(value);
  }
  if (known.empty()) {
    notes += note(curve.name + ": no value is known.");
    return "";
  }
  if (!curve.validation) {
    const std::string level = level_words(curve.name, curve.unit, known);
    if (!level.empty()) {
      notes += note(level);
      return "";
    }
  }
  words +=
      fmt::format("; the last value is {:.5g}{}", known.back(), curve.unit.empty() ? "" : " " + curve.unit);
  const Curves drawn = curves_chart({curve.id, words, "epoch", curve.unit}, series, curve.from_zero);
  return figure(curve.name, keys, drawn.svg,
                drawn.cut ? fmt::format("The curve begins above the axis, at {:.5g}.", known.front()) : "");
}

const LatentTerms* latents_at(const RecordLine& line) {
  return line.valid && line.valid->latents && !line.valid->latents->kl.empty() ? &*line.valid->latents
                                                                               : nullptr;
}

double active_at(const RecordLine& line) {
  const LatentTerms* latents = latents_at(line);
  return latents != nullptr ? static_cast<double>(latents->active_units) : std::nan("");
}

/// The evaluations with a KL per latent.
std::vector<const RecordLine*> latent_lines(const RunRecord& run) {
  std::vector<const RecordLine*> lines;
  for (const RecordLine& line : run.lines) {
    if (latents_at(line) != nullptr) lines.push_back(&line);
  }
  return lines;
}

double kl_at(const RecordLine& line, std::size_t latent) {
  const std::vector<double>& kl = latents_at(line)->kl;
  return latent < kl.size() ? kl[latent] : std::nan("");
}

/// The latents by their final KL, the largest first; values that are not finite last.
std::vector<std::size_t> latents_by_kl(const RecordLine& line) {
  std::vector<std::size_t> order(latents_at(line)->kl.size());
  std::iota(order.begin(), order.end(), 0);
  const auto known = [&line](std::size_t latent) {
    const double kl = kl_at(line, latent);
    return std::isfinite(kl) ? kl : -1.0;
  };
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return known(a) > known(b); });
  return order;
}

}  // namespace

std::string latent_history(const RunRecord& run, std::string& notes) {
  constexpr std::size_t kMostRows = 64;
  constexpr double kNothing = 0.01;  // nats; a smaller KL counts as none
  const std::vector<const RecordLine*> lines = latent_lines(run);
  if (lines.empty()) return "";
  const std::vector<std::size_t> order = latents_by_kl(*lines.back());
  const auto words_of = [&](std::size_t latent) {
    return fmt::format("latent {}: {} nats at first, {} at the end", latent,
                       number_words(kl_at(*lines.front(), latent), 3),
                       number_words(kl_at(*lines.back(), latent), 3));
  };
  std::vector<double> ends;
  ends.reserve(lines.size());
  for (const RecordLine* line : lines) ends.push_back(line->epoch);
  std::vector<HeatRow> rows;
  for (std::size_t i = 0; i < std::min(kMostRows, order.size()); ++i) {
    HeatRow row{fmt::format("{}", order[i]), words_of(order[i]), {}};
    for (const RecordLine* line : lines) row.values.push_back(kl_at(*line, order[i]));
    rows.push_back(std::move(row));
  }
  const std::string label = fmt::format(
      "KL of each of {} latents over {:.3g} epochs, as shades of a colour; the greatest at the end is {}; "
      "the least is {}",
      order.size(), ends.back(), words_of(order.front()), words_of(order.back()));
  std::string caption =
      "A line for each latent, the stronger the colour the more nats; the greatest at the end is on top. "
      "Means over the validation rows.";
  if (order.size() > kMostRows) caption += fmt::format(" The {} greatest are drawn.", kMostRows);
  return figure("KL per latent over the epochs", "",
                heat_chart({"kl-history", label, "epoch", "latent"}, ends, rows, "nats", kNothing), caption) +
         curve_figure(run, {"active", "Active latents", "latents", active_at, {}, true, true}, false, notes);
}

namespace {

std::string lines_table(const RunRecord& run, bool quantized, bool validated) {
  constexpr std::size_t kMostRows = 100;
  const std::size_t count = run.lines.size();
  std::string table = fmt::format(
      "<details>\n<summary>The curves as a table</summary>\n<div class=\"wide\" tabindex=\"0\" "
      "role=\"region\" aria-label=\"Table of the curves\">\n<table>\n<caption>{}</caption>\n<thead><tr><th "
      "scope=\"col\">step</th><th scope=\"col\">epoch</th><th scope=\"col\">loss</th><th "
      "scope=\"col\">reconstruction</th><th scope=\"col\">{}</th>{}<th scope=\"col\">learning "
      "rate</th></tr></thead>\n<tbody>\n",
      count > kMostRows ? fmt::format("{} of {} lines of metrics.jsonl", kMostRows, count)
                        : "Lines of metrics.jsonl",
      quantized ? "quantization" : "KL", validated ? "<th scope=\"col\">validation loss</th>" : "");
  const std::size_t shown = std::min(count, kMostRows);
  for (std::size_t i = 0; i < shown; ++i) {
    const RecordLine& line = run.lines[(i + 1) * count / shown - 1];
    table +=
        fmt::format("<tr><td>{}</td><td>{}</td>{}{}{}", grouped(line.step), number_words(line.epoch, 2),
                    cell(line.loss.loss), cell(line.loss.reconstruction),
                    cell(quantized && line.loss.quantization ? line.loss.quantization->error : line.loss.kl));
    if (validated) table += line.valid ? cell(line.valid->loss) : "<td>–</td>";
    table += std::isfinite(line.lr) ? fmt::format("<td>{:.3g}</td></tr>\n", line.lr) : "<td>–</td></tr>\n";
  }
  return table + "</tbody>\n</table>\n</div>\n</details>\n";
}

}  // namespace

std::string figures_section(const PageContent& content) {
  std::string text = "<section>\n<h2>Final figures</h2>\n";
  const bool quantized = traits_of(content.run.config.model.latent).has_codes;
  const std::optional<LossTerms> training = last_epoch(content.run);
  if (training || content.valid || content.test) {
    text += fmt::format(
        "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"Final figures\">\n<table "
        "id=\"figures\">\n"
        "<thead><tr><th scope=\"col\">nats per row</th><th scope=\"col\">loss</th><th "
        "scope=\"col\">reconstruction</th>{}</tr></thead>\n<tbody>\n",
        quantized ? "<th scope=\"col\">quantization error</th><th scope=\"col\">perplexity</th>"
                  : "<th scope=\"col\">KL</th>");
    if (training) text += terms_row("training, last epoch", *training, quantized);
    if (content.valid) text += terms_row("validation, best model", *content.valid, quantized);
    if (content.test) text += terms_row("test, best model", *content.test, quantized);
    text += "</tbody>\n</table>\n</div>\n";
  }
  if (!training) text += note("There are no figures of training: metrics.jsonl is missing or empty.");
  if (!content.valid) text += note("No rows were held out for validation, or no epoch ended.");
  if (!content.test) text += note(content.no_test);
  return text + "</section>\n";
}

std::string curves_section(const PageContent& content) {
  const RunRecord& run = content.run;
  std::string text = "<section>\n<h2>Training</h2>\n";
  if (run.broken_lines > 0) {
    text +=
        note(fmt::format("Lines of metrics.jsonl that could not be read are left out ({}): a run that was "
                         "killed leaves such an end.",
                         run.broken_lines));
  }
  if (run.lines.empty()) return text + note("There are no curves.") + "</section>\n";
  bool validated = false;
  for (const RecordLine& line : run.lines) validated = validated || line.valid.has_value();
  const LatentTraits& latent = traits_of(run.config.model.latent);
  std::vector<Curve> curves = {{"loss", "Loss", "nats", [](const RecordLine& line) { return line.loss.loss; },
                                [](const LossTerms& terms) { return terms.loss; }},
                               {"reconstruction", "Reconstruction", "nats",
                                [](const RecordLine& line) { return line.loss.reconstruction; },
                                [](const LossTerms& terms) { return terms.reconstruction; }}};
  if (latent.has_density) {
    curves.push_back({"kl", "KL divergence", "nats", [](const RecordLine& line) { return line.loss.kl; },
                      [](const LossTerms& terms) { return terms.kl; }});
  } else if (latent.has_codes) {
    const auto perplexity = [](const LossTerms& terms) {
      return terms.quantization ? terms.quantization->perplexity : std::nan("");
    };
    curves.push_back({"perplexity", "Perplexity of the codes", "codes",
                      [perplexity](const RecordLine& line) { return perplexity(line.loss); }, perplexity});
  }
  text += "<div class=\"charts\">\n";
  std::string notes;
  for (const Curve& curve : curves) text += curve_figure(run, curve, validated, notes);
  text +=
      curve_figure(run, {"lr", "Learning rate", "", [](const RecordLine& line) { return line.lr; }, {}, true},
                   false, notes);
  const auto rate = [&run](const RecordLine& line) {
    return rows_per_second(run, static_cast<std::size_t>(&line - run.lines.data()));
  };
  text += curve_figure(run, {"throughput", "Throughput", "rows/s", rate, {}, true}, false, notes);
  const auto norm = [](const RecordLine& line) { return line.gradient_norm; };
  const bool has_norm = std::any_of(run.lines.begin(), run.lines.end(),
                                    [&](const RecordLine& line) { return std::isfinite(norm(line)); });
  if (has_norm) text += curve_figure(run, {"gradient", "Gradient norm", "", norm, {}, false}, false, notes);
  text += "</div>\n" + notes;
  if (!latent.has_density && !latent.has_codes)
    text += note(fmt::format("A {} latent has no KL.", latent.adjective));
  return text + lines_table(run, latent.has_codes, validated) + "</section>\n";
}

}  // namespace vaecuda
