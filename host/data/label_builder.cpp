#include "host/data/label_builder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <optional>
#include <system_error>
#include <utility>

#include "host/data/number.hpp"

namespace vaecuda::data {
namespace {

// A number that the text stands for; none where it is not one or too large for a double to tell from the
// next.
std::optional<double> number_of(std::string_view text) {
  constexpr double kExactIntegers = 9007199254740992.0;  // 2^53
  double value = 0.0;
  text = without_plus(without_blanks(text));
  const char* const end = text.data() + text.size();
  const auto [stop, status] = std::from_chars(text.data(), end, value);
  if (status != std::errc() || stop != end || !(std::abs(value) < kExactIntegers)) return std::nullopt;
  return value + 0.0;  // -0 becomes 0
}

std::string name_of(double number) {
  if (std::trunc(number) == number) return fmt::format("{}", static_cast<std::int64_t>(number));
  return fmt::format("{}", number);
}

struct Class {
  std::string name;
  std::optional<double> number;
  std::vector<std::int32_t> indices;  ///< of its texts
};

}  // namespace

void MissingLabels::add(std::int64_t at, std::string_view label) {
  if (count++ > 0) return;
  place = at;
  text = label;
}

std::string MissingLabels::message(std::int64_t rows) const {
  std::string line = "the label is missing";
  if (!text.empty()) line += fmt::format(" ('{}' stands for a missing value)", text);
  if (count > 1) line += fmt::format(", as those of {} of {} rows are", count, rows);
  return line + "; every row must have a label";
}

void LabelBuilder::add(std::string_view text) {
  auto place = seen_.find(text);
  if (place == seen_.end()) {
    place = seen_.emplace(std::string(text), static_cast<std::int32_t>(seen_.size())).first;
  }
  values_.push_back(place->second);
}

void LabelBuilder::add(std::int64_t number) {
  char text[24];
  const auto [end, status] = std::to_chars(std::begin(text), std::end(text), number);
  add(std::string_view(text, static_cast<std::size_t>(end - text)));
}

void LabelBuilder::drop_first() {
  values_.erase(values_.begin());
}

std::optional<std::int32_t> find_class(const std::vector<std::string>& names, std::string_view text) {
  auto found = std::find(names.begin(), names.end(), text);
  if (found == names.end()) {
    const std::optional<double> wanted = number_of(text);
    if (!wanted) return std::nullopt;
    found = std::find_if(names.begin(), names.end(),
                         [&wanted](const std::string& name) { return number_of(name) == wanted; });
  }
  if (found == names.end()) return std::nullopt;
  return static_cast<std::int32_t>(found - names.begin());
}

bool has_decimals(const std::vector<std::string>& names) {
  bool is_whole = true;
  for (const std::string& name : names) {
    const std::optional<double> number = number_of(name);
    if (!number) return false;
    is_whole = is_whole && std::trunc(*number) == *number;
  }
  return !is_whole;
}

Labels as_classes(const std::vector<std::int32_t>& values, const std::vector<std::string>& texts) {
  LabelBuilder builder;
  for (const std::string& text : texts) builder.add(text);
  Labels classes = std::move(builder).finish();
  if (!std::all_of(texts.begin(), texts.end(), number_of)) {
    std::vector<std::int32_t> place(classes.names.size(), -1);
    std::vector<std::string> names;
    for (std::int32_t& value : classes.values) {
      const auto sorted = static_cast<std::size_t>(value);
      if (place[sorted] < 0) {
        place[sorted] = static_cast<std::int32_t>(names.size());
        names.push_back(classes.names[sorted]);
      }
      value = place[sorted];
    }
    classes.names = std::move(names);
  }
  const std::vector<std::int32_t> class_of = std::exchange(classes.values, values);
  for (std::int32_t& value : classes.values) value = class_of[static_cast<std::size_t>(value)];
  return classes;
}

Labels LabelBuilder::finish() && {
  std::vector<bool> is_used(seen_.size(), false);
  for (const std::int32_t value : values_) is_used[static_cast<std::size_t>(value)] = true;

  std::vector<Class> classes;
  std::map<double, std::size_t> of_number;
  for (const auto& [text, index] : seen_) {
    if (!is_used[static_cast<std::size_t>(index)]) continue;
    const std::optional<double> number = number_of(text);
    if (number) {
      const auto [same, is_new] = of_number.emplace(*number, classes.size());
      if (!is_new) {
        classes[same->second].name = name_of(*number);
        classes[same->second].indices.push_back(index);
        continue;
      }
    }
    classes.push_back({text, number, {index}});
  }
  if (of_number.size() == classes.size()) {
    for (Class& one : classes) one.name = name_of(*one.number);
    std::sort(classes.begin(), classes.end(),
              [](const Class& a, const Class& b) { return *a.number < *b.number; });
  } else {
    std::sort(classes.begin(), classes.end(), [](const Class& a, const Class& b) { return a.name < b.name; });
  }

  Labels labels;
  std::vector<std::int32_t> index_of(seen_.size(), 0);
  for (Class& one : classes) {
    for (const std::int32_t index : one.indices) {
      index_of[static_cast<std::size_t>(index)] = static_cast<std::int32_t>(labels.names.size());
    }
    labels.names.push_back(std::move(one.name));
  }
  for (std::int32_t& value : values_) value = index_of[static_cast<std::size_t>(value)];
  labels.values = std::move(values_);
  return labels;
}

}  // namespace vaecuda::data
