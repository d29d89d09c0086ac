#include "tests/support/report_pages.hpp"

#include <algorithm>
#include <cctype>
#include <string_view>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/files.hpp"
#include "tests/support/words.hpp"
#include "vaecuda/vaecuda.hpp"

namespace vaecuda::test {

namespace fs = std::filesystem;

namespace {

/// What is wrong with `page` as XML: tags that do not nest, attributes without quotes or given twice, bare &
/// or <. Empty: nothing.
std::string fault_of(const std::string& page) {
  std::vector<std::string> open;
  std::size_t at = page.find('\n');  // behind the document type
  while (at < page.size()) {
    const std::size_t tag = page.find('<', at);
    const std::string text = page.substr(at, std::min(tag, page.size()) - at);
    for (std::size_t i = text.find('&'); i != std::string::npos; i = text.find('&', i + 1)) {
      const std::string name = text.substr(i + 1, text.find(';', i) - i - 1);
      if (name != "amp" && name != "lt" && name != "gt" && name != "quot" && name != "#39")
        return "bare & in: " + text;
    }
    if (tag == std::string::npos) break;
    const std::size_t end = page.find('>', tag);
    if (end == std::string::npos) return "a tag without an end";
    std::string inside = page.substr(tag + 1, end - tag - 1);
    at = end + 1;
    if (inside.empty()) return "an empty tag";
    if (inside[0] == '/') {
      if (open.empty() || open.back() != inside.substr(1))
        return "</" + inside.substr(1) + "> closes nothing";
      open.pop_back();
      continue;
    }
    const bool closed = inside.back() == '/';
    if (closed) inside.pop_back();
    const std::size_t name_end = std::min(inside.find_first_of(" \n"), inside.size());
    std::vector<std::string> names;
    for (std::size_t i = name_end; i < inside.size();) {
      if (std::isspace(static_cast<unsigned char>(inside[i])) != 0) {
        ++i;
        continue;
      }
      const std::size_t equals = inside.find("=\"", i);
      if (equals == std::string::npos) return "an attribute without value in <" + inside;
      const std::size_t quote = inside.find('"', equals + 2);
      if (quote == std::string::npos ||
          inside.substr(equals + 2, quote - equals - 2).find('<') != std::string::npos)
        return "a broken attribute in <" + inside;
      names.push_back(inside.substr(i, equals - i));
      i = quote + 1;
    }
    std::sort(names.begin(), names.end());
    if (std::adjacent_find(names.begin(), names.end()) != names.end())
      return "an attribute twice in <" + inside;
    if (!closed) open.push_back(inside.substr(0, name_end));
  }
  return open.empty() ? "" : "<" + open.back() + "> stays open";
}

}  // namespace

std::size_t count_of(const std::string& text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

void check_page(const std::string& page) {
  INFO(fault_of(page));
  CHECK(fault_of(page).empty());
  CHECK(page.find("<!DOCTYPE html>\n<html lang=\"en\">") == 0);
  CHECK(count_of(page, "<img ") == count_of(page, "<img alt=\"") - count_of(page, "<img alt=\"\""));
  CHECK(count_of(page, "role=\"img\"") ==
        count_of(page, "role=\"img\" aria-label=\"") - count_of(page, "role=\"img\" aria-label=\"\""));
  CHECK(count_of(page, "<figure") == count_of(page, "<h3>"));
  std::string outside = page;
  for (const std::string_view allowed : {"\"http://www.w3.org/2000/svg\"", "'http://www.w3.org/2000/svg'"}) {
    for (std::size_t i = outside.find(allowed); i != std::string::npos; i = outside.find(allowed)) {
      outside.erase(i, allowed.size());
    }
  }
  constexpr std::string_view kPicture = "base64,";  // whose letters may spell anything
  for (std::size_t i = outside.find(kPicture); i != std::string::npos; i = outside.find(kPicture, i + 1)) {
    outside.erase(i + kPicture.size(), outside.find('"', i) - i - kPicture.size());
  }
  for (const std::string_view part :
       {"http:", "https:", "file:", "src=\"/", "@import", "NaN", "nan", "inf<"}) {
    INFO(part);
    CHECK_FALSE(contains(outside, part));
  }
}

RunConfig report_run(const fs::path& dir) {
  RunConfig config;
  config.data.train.path = "shapes:16x16,n=400";
  config.data.test_fraction = 0.1;
  config.data.valid_fraction = 0.1;
  config.model.hidden = {24};
  config.model.latent_dim = 3;
  config.train.epochs = 3;
  config.train.device = "cpu";
  config.output.dir = dir.string();
  config.output.log_every = 2;
  return config;
}

std::string report_of(const fs::path& dir) {
  ReportOptions options;
  options.on.device = "cpu";
  return read_file(write_report(dir.string(), options));
}

std::string page_of(const RunConfig& config, TrainSummary* summary) {
  Trainer run(config);
  const TrainSummary figures = run.run();
  if (summary != nullptr) *summary = figures;
  const std::string page = read_file(run.write_report());
  check_page(page);
  CHECK(page == report_of(config.output.dir));
  return page;
}

}  // namespace vaecuda::test
