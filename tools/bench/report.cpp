#include "bench/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cli/summary_json.hpp"

namespace vaecuda::bench {
namespace {

using Table = std::vector<std::vector<std::string>>;  // the header first

/// Four digits, and no exponent.
std::string rounded(double value) {
  if (value == 0.0) return "0";
  const int magnitude = static_cast<int>(std::floor(std::log10(std::abs(value))));
  return fmt::format("{:.{}f}", value, std::clamp(3 - magnitude, 0, 9));
}

/// An array's elements are joined, as in 400-200.
std::string cell(const Json& value, bool exact) {
  if (value.is_null()) return "";
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  if (value.is_number_float()) {
    const double number = value.get<double>();
    return exact ? fmt::format("{}", number) : rounded(number);
  }
  if (!value.is_array()) return value.dump();
  std::vector<std::string> elements;
  for (const Json& element : value) elements.push_back(cell(element, exact));
  return elements.empty() ? "none" : fmt::format("{}", fmt::join(elements, "-"));
}

Table table_of(const Report& report) {
  Table table(1);
  for (const Column& column : report.columns) table[0].push_back(column.title);
  for (const Json& row : report.results) {
    table.emplace_back();
    for (const Column& column : report.columns) table.back().push_back(cell(row.at(column.key), false));
  }
  return table;
}

/// Characters, not bytes: continuation bytes of UTF-8 are not counted.
std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & '\xC0') != '\x80'; }));
}

std::vector<std::size_t> widths_of(const Table& table) {
  std::vector<std::size_t> widths(table[0].size(), 3);
  for (const auto& row : table) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  return widths;
}

/// Numbers are right-aligned.
std::vector<bool> numeric_columns(const Report& report) {
  std::vector<bool> numeric;
  for (const Column& column : report.columns) {
    numeric.push_back(std::all_of(report.results.begin(), report.results.end(), [&](const Json& row) {
      const Json& value = row.at(column.key);
      return value.is_number() || value.is_null();
    }));
  }
  return numeric;
}

std::string padded(const std::string& text, std::size_t width, bool right) {
  const std::string blanks(width - width_of(text), ' ');
  return right ? blanks + text : text + blanks;
}

std::string heading(const Report& report) {
  std::string text = report.device.is_null() ? std::string{} : report.device.at("kind").get<std::string>();
  if (text.empty()) return text;
  text += fmt::format(" {}", report.device.at("name").get<std::string>());
  if (report.device.at("threads").is_number()) {
    const int threads = report.device.at("threads").get<int>();
    text += fmt::format(", {} thread{}", threads, threads == 1 ? "" : "s");
  }
  return text + fmt::format("; vaecuda {}, commit {}", report.build.at("version").get<std::string>(),
                            report.build.at("commit").get<std::string>().substr(0, 12));
}

std::string plain(const Report& report) {
  const Table table = table_of(report);
  const std::vector<std::size_t> widths = widths_of(table);
  const std::vector<bool> numeric = numeric_columns(report);
  std::string text = heading(report);
  if (!text.empty()) text += "\n\n";
  for (const auto& row : table) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i > 0) line += "  ";
      line += padded(row[i], widths[i], numeric[i]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  }
  return text;
}

/// A bar in the text would end the cell.
std::string escaped(const std::string& text) {
  std::string safe;
  for (const char c : text) {
    if (c == '|') safe += '\\';
    safe += c;
  }
  return safe;
}

std::string markdown(const Report& report) {
  Table table = table_of(report);
  for (auto& row : table) std::transform(row.begin(), row.end(), row.begin(), escaped);
  const std::vector<std::size_t> widths = widths_of(table);
  const std::vector<bool> numeric = numeric_columns(report);
  std::string text = heading(report);
  if (!text.empty()) text += "\n\n";
  for (std::size_t r = 0; r < table.size(); ++r) {
    for (std::size_t i = 0; i < widths.size(); ++i) {
      text += fmt::format("| {} ", padded(table[r][i], widths[i], numeric[i]));
    }
    text += "|\n";
    if (r > 0) continue;
    for (std::size_t i = 0; i < widths.size(); ++i) {
      text += fmt::format("| {}{} ", std::string(widths[i] - 1, '-'), numeric[i] ? ':' : '-');
    }
    text += "|\n";
  }
  return text;
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\n") == std::string::npos) return text;
  std::string quoted(1, '"');
  for (const char c : text) {
    if (c == '"') quoted += c;
    quoted += c;
  }
  return quoted + '"';
}

/// The fields that identify a row when tables of several machines are combined.
Json origin_of(const Report& report) {
  Json origin;
  origin["schema"] = kSchema;
  origin["device"] = report.device.is_null() ? Json(nullptr) : report.device.at("name");
  origin["threads"] = report.device.is_null() ? Json(nullptr) : report.device.at("threads");
  origin["commit"] = report.build.is_null() ? Json(nullptr) : report.build.at("commit");
  return origin;
}

std::string csv(const Report& report) {
  std::string text;
  std::vector<std::string> fields;
  const Json origin = origin_of(report);
  for (const auto& item : report.results.front().items()) fields.push_back(item.key());
  for (const auto& item : origin.items()) fields.push_back(item.key());
  text += fmt::format("{}\n", fmt::join(fields, ","));
  for (const Json& row : report.results) {
    fields.clear();
    for (const Json& value : row) fields.push_back(csv_field(cell(value, true)));
    for (const Json& value : origin) fields.push_back(csv_field(cell(value, true)));
    text += fmt::format("{}\n", fmt::join(fields, ","));
  }
  return text;
}

std::string document(const Report& report) {
  Json json;
  json["schema"] = kSchema;
  json["command"] = report.command;
  json["device"] = report.device;
  json["build"] = report.build;
  for (const auto& item : report.more.items()) json[item.key()] = item.value();
  json["results"] = report.results;
  return cli::dump_line(json);
}

}  // namespace

std::string to_text(const Report& report, Format format) {
  switch (format) {
    case Format::json:
      return document(report);
    case Format::csv:
      return csv(report);
    case Format::markdown:
      return markdown(report);
    case Format::text:
      break;
  }
  return plain(report);
}

Json describe(const Shape& shape) {
  Json row;
  row["shape"] = shape.name;
  row["input"] = shape.input;
  row["hidden"] = shape.hidden;
  row["latent_dim"] = shape.latent_dim;
  row["batch_size"] = shape.batch_size;
  return row;
}

void add_quality(Json& row, const Measurement& measurement, const std::string& runs_key) {
  row["spread"] = measurement.spread ? Json(*measurement.spread) : Json(nullptr);
  row["repeats"] = measurement.repeats;
  row[runs_key] = measurement.runs_per_repeat;
}

}  // namespace vaecuda::bench
