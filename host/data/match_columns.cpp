#include "host/data/match_columns.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include "host/data/message.hpp"
#include "vaecuda/options.hpp"

namespace vaecuda::data {
namespace {

constexpr std::size_t kShown = 8;  ///< names in a list; a table may have thousands

using Index = std::map<std::string_view, std::int64_t>;

std::string listed(const std::vector<std::string_view>& names) {
  std::string list;
  for (std::size_t i = 0; i < std::min(names.size(), kShown); ++i) {
    list += (i > 0 ? ", " : "") + in_quotes(names[i]);
  }
  if (names.size() > kShown) list += fmt::format(" and {} more", names.size() - kShown);
  return list;
}

/// Fills `index` and gives what is wrong with a name that stands twice: the first such; empty where there is
/// none.
std::string index_names(const Columns& side, Index& index) {
  for (std::size_t i = 0; i < side.names.size(); ++i) {
    const auto [first, is_new] = index.emplace(side.names[i], static_cast<std::int64_t>(i));
    if (is_new) continue;
    const std::string place = fmt::format("columns {} and {} (counted from 0)", first->second, i);
    return side.names[i].empty() ? fmt::format("{} have no name", place)
                                 : fmt::format("{} are both called {}", place, in_quotes(side.names[i]));
  }
  return {};
}

/// \throws FileError for a name that stands twice
Index index_of(const Columns& side, const Columns& other) {
  Index index;
  const std::string twice = index_names(side, index);
  if (twice.empty()) return index;
  throw FileError(
      fmt::format("{}: {}, so they cannot be told apart beside {}; give every column a name of its own",
                  side.owner, twice, other.owner));
}

std::string shape_text(const ImageShape& image) {
  return fmt::format("{}x{}x{}", image.height, image.width, image.channels);
}

[[noreturn]] void refuse_missing(const Columns& wanted, const Columns& given,
                                 const std::vector<std::string_view>& missing) {
  std::string advice;
  const std::vector<std::string_view> names(given.names.begin(), given.names.end());
  std::vector<std::string_view> candidates;  // another wanted column is not this one by another name
  std::copy_if(names.begin(), names.end(), std::back_inserter(candidates), [&wanted](std::string_view name) {
    return std::find(wanted.names.begin(), wanted.names.end(), name) == wanted.names.end();
  });
  const std::string nearest = nearest_name(missing.front(), candidates);
  const bool is_label = std::find(missing.begin(), missing.end(), given.label_column) != missing.end();
  if (is_label && !given.label_column.empty()) {
    advice =
        fmt::format("; {} is taken for its labels: name another label column, or none (--label-column none)",
                    in_quotes(given.label_column));
  } else if (!nearest.empty()) {
    advice = fmt::format("; did you mean {}, which it has?", in_quotes(nearest));
  } else {
    advice = fmt::format("; it has {}", listed(names));
  }
  throw FileError(fmt::format("{}: {} of {} {} missing: {}{}", given.owner,
                              counted(static_cast<std::int64_t>(missing.size()), "column"), wanted.owner,
                              missing.size() == 1 ? "is" : "are", listed(missing), advice));
}

ColumnMatch match_by_position(const Columns& wanted, const Columns& given) {
  if (wanted.count != given.count) {
    throw FileError(fmt::format("{}: rows have {} values, but {} has rows of {}", given.owner, given.count,
                                wanted.owner, wanted.count));
  }
  ColumnMatch match;
  if (wanted.image && given.image && *wanted.image != *given.image) {
    match.note = fmt::format(
        "warning: {}: its rows are pictures of {}, those of {} of {}: they are accepted because the number "
        "of values is the same, but the pixels do not correspond; give pictures of that shape",
        given.owner, shape_text(*given.image), wanted.owner, shape_text(*wanted.image));
    return match;
  }
  if (wanted.names.empty() && given.names.empty()) return match;
  const Columns& nameless = wanted.names.empty() ? wanted : given;
  match.note =
      fmt::format("{}: its columns are taken by position, since {} no column names", given.owner,
                  &nameless == &given ? std::string("it has") : fmt::format("{} has", nameless.owner));
  return match;
}

}  // namespace

std::string column_name(std::span<const std::string> names, std::int64_t column) {
  const auto index = static_cast<std::size_t>(column);
  if (index < names.size()) return fmt::format("column '{}' ({})", names[index], column);
  return fmt::format("column {}", column);
}

ColumnMatch match_columns(const Columns& wanted, const Columns& given) {
  if (wanted.names.empty() || given.names.empty()) return match_by_position(wanted, given);
  static_cast<void>(index_of(wanted, given));
  const Index index = index_of(given, wanted);
  ColumnMatch match;
  std::vector<bool> is_taken(given.names.size(), false);
  std::vector<std::string_view> missing;
  for (const std::string& name : wanted.names) {
    const auto found = index.find(name);
    if (found == index.end()) {
      missing.emplace_back(name);
      continue;
    }
    match.order.push_back(found->second);
    is_taken[static_cast<std::size_t>(found->second)] = true;
  }
  if (!missing.empty()) refuse_missing(wanted, given, missing);
  std::vector<std::string_view> left_out;
  for (std::size_t i = 0; i < is_taken.size(); ++i) {
    if (!is_taken[i]) left_out.emplace_back(given.names[i]);
  }
  const bool reordered = !std::is_sorted(match.order.begin(), match.order.end());
  if (!reordered && left_out.empty()) {
    match.order.clear();
    return match;
  }
  match.note = fmt::format("{}: columns are taken by name, as {} has them", given.owner, wanted.owner);
  if (reordered) match.note += "; they stood in another order";
  if (!left_out.empty()) {
    match.note += fmt::format("; left out, since {} has no such {}: {}", wanted.owner,
                              left_out.size() == 1 ? "column" : "columns", listed(left_out));
  }
  return match;
}

void take_columns_of(const Columns& wanted, Dataset& data, std::vector<std::string>& notes) {
  ColumnMatch match = match_columns(wanted, columns_of(data));
  if (!match.order.empty()) data = data.select_columns(match.order);
  if (data.column_names().empty()) {
    data.set_column_names(std::vector<std::string>(wanted.names.begin(), wanted.names.end()));
  }
  if (!match.note.empty()) notes.push_back(std::move(match.note));
}

std::string label_owner(std::string_view rows) {
  return fmt::format("the label table of {}", rows);
}

Columns label_columns_of(const Dataset& data, const std::string& owner) {
  return {owner, data.label_vector_size(), data.label_vector_names()};
}

void take_label_columns_of(const Columns& wanted, Dataset& data, std::vector<std::string>& notes) {
  const std::string owner = label_owner(data.name());
  const Columns given = label_columns_of(data, owner);
  const bool by_name = !wanted.names.empty() && !given.names.empty();
  if (!by_name && wanted.count != given.count) return;
  ColumnMatch match = match_columns(wanted, given);
  std::vector<std::string> names(wanted.names.begin(), wanted.names.end());
  if (names.empty()) names = data.label_vector_names();
  if (!match.order.empty())
    data.set_label_vectors(choose_columns(data.label_vectors(), given.count, match.order));
  data.set_label_vector_names(std::move(names));
  if (!match.note.empty()) notes.push_back(std::move(match.note));
}

std::vector<float> choose_columns(std::span<const float> values, std::int64_t width,
                                  std::span<const std::int64_t> columns) {
  std::vector<float> chosen;
  const auto step = static_cast<std::size_t>(width);
  chosen.reserve(values.size() / step * columns.size());
  for (std::size_t row = 0; row < values.size(); row += step) {
    for (const std::int64_t column : columns)
      chosen.push_back(values[row + static_cast<std::size_t>(column)]);
  }
  return chosen;
}

std::string doubt_names(const Columns& trained_on) {
  Index index;
  const std::string twice = index_names(trained_on, index);
  if (twice.empty()) return {};
  return fmt::format(
      "{}: {}, so the model can be used on rows without column names alone, by position; give every column "
      "a name of its own",
      trained_on.owner, twice);
}

}  // namespace vaecuda::data
