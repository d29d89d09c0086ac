#include "host/run_report/page.hpp"

#include <fmt/format.h>

#include "host/report/markup.hpp"
#include "host/run_report/page_parts.hpp"
#include "host/run_report/page_style.hpp"
#include "vaecuda/options.hpp"
#include "vaecuda/version.hpp"

namespace vaecuda {
namespace {

std::string network_words(const ModelConfig& model) {
  std::string words = model.input_dim > 0 ? fmt::format("{}", model.input_dim) : "data";
  for (const std::int64_t width : model.hidden) words += fmt::format("–{}", width);
  words += fmt::format("–{}", model.latent_dim);
  for (auto width = model.hidden.rbegin(); width != model.hidden.rend(); ++width)
    words += fmt::format("–{}", *width);
  return words + (model.input_dim > 0 ? fmt::format("–{}", model.input_dim) : "–data");
}

std::string option_words(const RunConfig& config, std::string_view key) {
  return escape_markup(find_option_by_key(key)->get(config));
}

std::string head(const PageContent& content) {
  const RunConfig& config = content.run.config;
  const ModelConfig& model = content.model != nullptr ? content.model->model : config.model;
  std::string text = fmt::format("<header>\n<h1>{}</h1>\n<p>{} latent, {} likelihood, network {}",
                                 escape_markup(content.run.name), option_words(config, "model.latent"),
                                 option_words(config, "model.likelihood"), network_words(model));
  if (content.model != nullptr) text += fmt::format(", {} parameters", grouped(content.model->parameters));
  if (!content.run.lines.empty()) {
    const RecordLine& last = content.run.lines.back();
    text +=
        fmt::format("; trained for {} steps ({} epochs)", grouped(last.step), number_words(last.epoch, 1));
  }
  return text + fmt::format(", seed {}.</p>\n</header>\n", config.train.seed);
}

/// The warnings at the run's end; nothing if there are none.
std::string warnings_section(const PageContent& content) {
  if (content.warnings.empty()) return "";
  std::string text = "<section id=\"warnings\" aria-label=\"Warnings\">\n";
  for (const std::string& line : content.warnings) {
    text += "<p class=\"warning\"><strong>Warning:</strong> " + escape_markup(line) + ".</p>\n";
  }
  return text + "</section>\n";
}

}  // namespace

std::string note(const std::string& sentence) {
  return "<p class=\"note\">" + escape_markup(sentence) + "</p>\n";
}

std::string figure(const std::string& heading, const std::string& keys, const std::string& body,
                   const std::string& caption, bool large) {
  std::string text = fmt::format("<figure{}>\n<h3>{}</h3>\n{}{}\n", large ? " class=\"large\"" : "",
                                 escape_markup(heading), keys, body);
  if (!caption.empty()) text += fmt::format("<figcaption>{}</figcaption>\n", escape_markup(caption));
  return text + "</figure>\n";
}

std::string render_page(const PageContent& content) {
  std::string page = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
      "<link rel=\"icon\" href=\"data:,\"/>\n<title>{} – "
      "vaecuda</title>\n<style>{}</style>\n</head>\n<body>\n",
      escape_markup(content.run.name), kPageStyle);
  page += head(content) + "<main>\n" + warnings_section(content);
  page += figures_section(content) + curves_section(content) + latents_section(content);
  page += pictures_section(content) + settings_section(content);
  page +=
      fmt::format("</main>\n<footer>Written by vaecuda {}.</footer>\n<script>{}</script>\n</body>\n</html>\n",
                  version(), kPageScript);
  return page;
}

}  // namespace vaecuda
