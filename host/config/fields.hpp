// Builds rows of the option table: set and get functions for a field, given by the member pointers that lead
// to it from RunConfig. Ranges and choices are given once, and the texts of the table are derived from them.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "host/config/enumerators.hpp"
#include "host/config/parse.hpp"
#include "host/config/split.hpp"
#include "vaecuda/options.hpp"
#include "vaecuda/setting.hpp"

namespace vaecuda::config {

/// The entries of a row besides its field.
struct Label {
  std::string_view key;
  std::string_view flag;
  std::string_view value;
  std::string_view group;
  std::string_view help;
};

template <auto... Path>
auto& field(RunConfig& config) {
  return (config.*....*Path);
}
template <auto... Path>
const auto& field(const RunConfig& config) {
  return (config.*....*Path);
}
template <typename T>
struct ValueOf {
  using Type = T;
  static constexpr bool kIsSetting = false;
};
template <typename T>
struct ValueOf<Setting<T>> {
  using Type = T;
  static constexpr bool kIsSetting = true;
};
template <auto... Path>
using FieldOf = ValueOf<std::remove_reference_t<decltype(field<Path...>(std::declval<RunConfig&>()))>>;
/// The type of the value, also if the field is a Setting of it.
template <auto... Path>
using FieldType = typename FieldOf<Path...>::Type;

/// Adds the functions of a Setting to the row, if the field is one.
template <auto... Path>
Option with_setting(Option option) {
  if constexpr (FieldOf<Path...>::kIsSetting) {
    option.is_given = [](const RunConfig& config) { return field<Path...>(config).is_given(); };
    option.forget = [](RunConfig& config) { field<Path...>(config).forget(); };
    option.take_as_usual = [](RunConfig& config) { field<Path...>(config).take_as_usual(); };
  }
  return option;
}

/// A row of an option that may change on resume: locations of files, devices, and distribution of work, but
/// nothing that affects the result. Data rows are recognized by their content, and the length is checked
/// against the schedules.
inline Option free_on_resume(Option option) {
  option.may_change_on_resume = true;
  return option;
}
inline Option of_start_model(Option option) {
  option.is_of_start_model = true;
  return option;
}
/// A row of an option whose value a model file keeps.
inline Option in_model(Option option) {
  option.is_stored_in_model = true;
  return option;
}
/// A row of an option that has an effect only if `why_idle` returns an empty text.
inline Option only(std::string (*why_idle)(const RunConfig& config, std::string_view flag), Option option) {
  option.why_idle = why_idle;
  return option;
}

/// Texts of the table have static storage duration.
template <const auto& Range>
std::string_view range_text() {
  static const std::string kText = describe(Range);
  return kText;
}
template <const auto& Names>
std::string_view choice_text() {
  static const std::string kText = fmt::format("{}", fmt::join(Names, "|"));
  return kText;
}

using Set = decltype(Option::set);
using Get = decltype(Option::get);

inline Option row(const Label& label, OptionType type, std::string_view range, Set set, Get get) {
  return {.key = label.key,
          .flag = label.flag,
          .type = type,
          .value = label.value,
          .range = range,
          .group = label.group,
          .help = label.help,
          .set = set,
          .get = get};
}

/// An integer of any width that holds Range, optional or not.
template <const IntegerRange& Range, auto... Path>
Option integer_option(const Label& label) {
  using Value = FieldType<Path...>;
  const Set set = [](RunConfig& config, std::string_view text, std::string_view where) {
    const std::int64_t value = parse_integer(text, Range, where);
    if constexpr (std::is_same_v<Value, std::optional<std::int64_t>>) {
      field<Path...>(config) = value;
    } else {
      field<Path...>(config) = static_cast<Value>(value);
    }
  };
  const Get get = [](const RunConfig& config) {
    if constexpr (std::is_same_v<Value, std::optional<std::int64_t>>) {
      const auto& value = field<Path...>(config);
      return value ? std::to_string(*value) : std::string{};
    } else {
      const Value& value = field<Path...>(config);
      return std::to_string(value);
    }
  };
  return with_setting<Path...>(row(label, OptionType::integer, range_text<Range>(), set, get));
}

template <const RealRange& Range, auto... Path>
Option real_option(const Label& label) {
  const Set set = [](RunConfig& config, std::string_view text, std::string_view where) {
    field<Path...>(config) = parse_real(text, Range, where);
  };
  const Get get = [](const RunConfig& config) { return format_real(field<Path...>(config)); };
  return with_setting<Path...>(row(label, OptionType::real, range_text<Range>(), set, get));
}

/// Any text; empty if unset.
template <auto... Path>
Option text_option(const Label& label) {
  const Set set = [](RunConfig& config, std::string_view text, std::string_view where) {
    field<Path...>(config) = parse_text(text, where);
  };
  return row(label, OptionType::text, "", set,
             [](const RunConfig& config) { return field<Path...>(config); });
}

/// A text that Parse(text, where) reads and Format(value) writes.
template <auto Parse, auto Format, auto... Path>
Option formatted_option(const Label& label, std::string_view range) {
  const Set set = [](RunConfig& config, std::string_view text, std::string_view where) {
    field<Path...>(config) = Parse(text, where);
  };
  const Get get = [](const RunConfig& config) { return Format(field<Path...>(config)); };
  return with_setting<Path...>(row(label, OptionType::text, range, set, get));
}

template <auto... Path>
Option flag_option(const Label& label) {
  const Set set = [](RunConfig& config, std::string_view text, std::string_view where) {
    field<Path...>(config) = parse_flag(text, where);
  };
  const Get get = [](const RunConfig& config) {
    return std::string(field<Path...>(config) ? "true" : "false");
  };
  return row(label, OptionType::flag, "true or false", set, get);
}

/// An enumeration whose enumerators have the values 0, 1, … in the order of Names; the placeholder lists
/// them.
template <const auto& Names, auto... Path>
Option choice_option(Label label) {
  using Enum = FieldType<Path...>;
  static_assert(Names.size() == enumerator_count<Enum>(), "a text for each enumerator");
  label.value = choice_text<Names>();
  const Set set = [](RunConfig& config, std::string_view text, std::string_view where) {
    field<Path...>(config) = static_cast<Enum>(parse_choice(text, Names, where));
  };
  const Get get = [](const RunConfig& config) {
    const Enum& value = field<Path...>(config);
    const auto index = static_cast<std::size_t>(value);
    return index < Names.size() ? std::string(Names[index]) : std::to_string(index);
  };
  return with_setting<Path...>(row(label, OptionType::choice, range_text<Names>(), set, get));
}

/// A list of integers separated by commas; "none" is the empty list.
template <const IntegerRange& Range, const IntegerRange& Length, auto... Path>
Option list_option(const Label& label) {
  static const std::string kRange =
      fmt::format("none or up to {} comma-separated values, each {}", Length.max, describe(Range));
  const Set set = [](RunConfig& config, std::string_view text, std::string_view where) {
    std::vector<std::int64_t> values;
    if (text != "none") {
      const auto pieces = split(text, ',');
      if (static_cast<std::int64_t>(pieces.size()) > Length.max) refuse(where, text, kRange);
      for (const std::string_view piece : pieces) {
        if (piece.empty()) refuse(where, text, kRange);
        values.push_back(parse_integer(piece, Range, where));
      }
    }
    field<Path...>(config) = std::move(values);
  };
  const Get get = [](const RunConfig& config) {
    const auto& values = field<Path...>(config);
    return values.empty() ? std::string("none") : fmt::format("{}", fmt::join(values, ","));
  };
  return row(label, OptionType::integer_list, kRange, set, get);
}

}  // namespace vaecuda::config
