// Figures and curves of training.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "host/report/chart.hpp"
#include "host/report/markup.hpp"
#include "host/run_report/page_parts.hpp"

namespace vaecuda {
namespace {

std::string cell(double value) {
  return std::isfinite(value) ? fmt::format("<td>{:.4f}</td>", value) : "<td>not finite</td>";
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

struct Curve {
  std::string id;
  std::string name;
  std::string unit;
  std::function<double(const RecordLine&)> training;
  std::function<double(const LossTerms&)> validation;  ///< empty: there is none
  bool from_zero = false;
};

std::string curve_figure(const RunRecord& run, const Curve& curve, bool validated) {
  std::vector<Series> series(1);
  series[0].name = curve.validation ? "training" : curve.name;
  for (const RecordLine& line : run.lines) series[0].points.emplace_back(line.epoch, curve.training(line));
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
  if (known.empty()) return figure(curve.name, "", note("No value is known."), "");
  words +=
      fmt::format("; the last value is {:.5g}{}", known.back(), curve.unit.empty() ? "" : " " + curve.unit);
  const Curves drawn = curves_chart({curve.id, words, "epoch", curve.unit}, series, curve.from_zero);
  return figure(curve.name, keys, drawn.svg,
                drawn.cut ? fmt::format("The curve begins above the axis, at {:.5g}.", known.front()) : "");
}

std::string lines_table(const RunRecord& run, bool quantized, bool validated) {
  constexpr std::size_t kMostRows = 100;
  const std::size_t count = run.lines.size();
  std::string table = fmt::format(
      "<details>\n<summary>The curves as a table</summary>\n<div class=\"wide\" tabindex=\"0\" "
      "role=\"region\" "
      "aria-label=\"Table of the curves\">\n<table>\n<caption>{}</caption>\n<thead><tr><th "
      "scope=\"col\">step</th>"
      "<th scope=\"col\">epoch</th><th scope=\"col\">loss</th><th scope=\"col\">reconstruction</th><th "
      "scope=\"col\">{}</th>{}<th scope=\"col\">learning rate</th></tr></thead>\n<tbody>\n",
      count > kMostRows ? fmt::format("{} of {} lines of metrics.jsonl", kMostRows, count)
                        : "Lines of metrics.jsonl",
      quantized ? "quantization" : "KL", validated ? "<th scope=\"col\">validation loss</th>" : "");
  const std::size_t shown = std::min(count, kMostRows);
  for (std::size_t i = 0; i < shown; ++i) {
    const RecordLine& line = run.lines[(i + 1) * count / shown - 1];
    table +=
        fmt::format("<tr><td>{}</td><td>{:.2f}</td>{}{}{}", grouped(line.step), line.epoch,
                    cell(line.loss.loss), cell(line.loss.reconstruction),
                    cell(quantized && line.loss.quantization ? line.loss.quantization->error : line.loss.kl));
    if (validated) table += line.valid ? cell(line.valid->loss) : "<td>–</td>";
    table += fmt::format("<td>{:.3g}</td></tr>\n", line.lr);
  }
  return table + "</tbody>\n</table>\n</div>\n</details>\n";
}

}  // namespace

std::string figures_section(const PageContent& content) {
  std::string text = "<section>\n<h2>Final figures</h2>\n";
  const bool quantized = content.run.config.model.latent == LatentKind::vq;
  const std::optional<LossTerms> training = last_epoch(content.run);
  if (training || content.valid || content.test) {
    text += fmt::format(
        "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"Final figures\">\n<table "
        "id=\"figures\">\n"
        "<thead><tr><th scope=\"col\">nats per row</th><th scope=\"col\">loss</th><th "
        "scope=\"col\">reconstruction</th>"
        "{}</tr></thead>\n<tbody>\n",
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
    text += note(
        fmt::format("Lines of metrics.jsonl that could not be read are left out ({}): a run that was killed "
                    "leaves such an end.",
                    run.broken_lines));
  }
  if (run.lines.empty()) return text + note("There are no curves.") + "</section>\n";
  bool validated = false;
  for (const RecordLine& line : run.lines) validated = validated || line.valid.has_value();
  const LatentKind latent = run.config.model.latent;
  std::vector<Curve> curves = {{"loss", "Loss", "nats", [](const RecordLine& line) { return line.loss.loss; },
                                [](const LossTerms& terms) { return terms.loss; }},
                               {"reconstruction", "Reconstruction", "nats",
                                [](const RecordLine& line) { return line.loss.reconstruction; },
                                [](const LossTerms& terms) { return terms.reconstruction; }}};
  if (latent == LatentKind::gaussian) {
    curves.push_back({"kl", "KL divergence", "nats", [](const RecordLine& line) { return line.loss.kl; },
                      [](const LossTerms& terms) { return terms.kl; }});
  } else if (latent == LatentKind::vq) {
    const auto perplexity = [](const LossTerms& terms) {
      return terms.quantization ? terms.quantization->perplexity : std::nan("");
    };
    curves.push_back({"perplexity", "Perplexity of the codes", "codes",
                      [perplexity](const RecordLine& line) { return perplexity(line.loss); }, perplexity});
  }
  text += "<div class=\"charts\">\n";
  for (const Curve& curve : curves) text += curve_figure(run, curve, validated);
  text += curve_figure(
      run, {"lr", "Learning rate", "", [](const RecordLine& line) { return line.lr; }, {}, true}, false);
  const auto rate = [&run](const RecordLine& line) {
    return rows_per_second(run, static_cast<std::size_t>(&line - run.lines.data()));
  };
  text += curve_figure(run, {"throughput", "Throughput", "rows/s", rate, {}, true}, false);
  const auto norm = [](const RecordLine& line) { return line.gradient_norm; };
  const bool has_norm = std::any_of(run.lines.begin(), run.lines.end(),
                                    [&](const RecordLine& line) { return std::isfinite(norm(line)); });
  if (has_norm) text += curve_figure(run, {"gradient", "Gradient norm", "", norm, {}, false}, false);
  text += "</div>\n";
  if (latent == LatentKind::deterministic) text += note("A deterministic latent has no KL.");
  return text + lines_table(run, latent == LatentKind::vq, validated) + "</section>\n";
}

}  // namespace vaecuda
