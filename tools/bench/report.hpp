// The results of a measurement, as a table for people or a document for programs.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "bench/measure.hpp"
#include "bench/options.hpp"

namespace vaecuda::bench {

using Json = nlohmann::ordered_json;

/// A column of the tables; the documents hold every field.
struct Column {
  std::string key;    ///< of the results
  std::string title;  ///< with the unit
};

struct Report {
  std::string command;
  Json device;
  Json build;
  Json more = Json::object();  ///< further members of the JSON document
  std::vector<Json> results;   ///< one object per row, all with the same keys
  std::vector<Column> columns;
};

inline constexpr int kSchema = 1;

[[nodiscard]] std::string to_text(const Report& report, Format format);

/// "name", "input", … of a shape, for a row of results.
[[nodiscard]] Json describe(const Shape& shape);
/// Adds "spread", "repeats" and `runs_key`, the runs of a repeat.
void add_quality(Json& row, const Measurement& measurement, const std::string& runs_key);

}  // namespace vaecuda::bench
