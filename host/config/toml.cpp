// Reading config.toml: every key must be in the option table, and every value is set by its set().
#include <fmt/format.h>
#include <toml++/toml.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "host/config/parse.hpp"
#include "host/config/scopes.hpp"
#include "host/config/text_forms.hpp"
#include "host/config/toml_guard.hpp"
#include "host/config/utf8.hpp"
#include "vaecuda/config.hpp"
#include "vaecuda/error.hpp"
#include "vaecuda/options.hpp"

namespace vaecuda {
namespace {

std::string read_text(const std::string& path) {
  const auto fail = [&path](int error) {
    const std::string advice = error == EISDIR
                                   ? fmt::format("; that of a run is its file {}",
                                                 (std::filesystem::path(path) / "config.toml").string())
                                   : std::string();
    throw FileError(fmt::format("{}: cannot read the configuration: {}{}", path,
                                std::generic_category().message(error), advice));
  };
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), &std::fclose);
  if (!file) fail(errno);
  std::string text;
  std::array<char, 1 << 16> chunk;
  for (;;) {
    const std::size_t count = std::fread(chunk.data(), 1, chunk.size(), file.get());
    if (count == 0) break;
    text.append(chunk.data(), count);
    if (text.size() > config::kMaxConfigBytes) {
      throw ConfigError(fmt::format("{}: larger than {} bytes; a configuration is a few lines of TOML", path,
                                    config::kMaxConfigBytes));
    }
  }
  if (std::ferror(file.get()) != 0) fail(errno);
  return text;
}

/// "run.toml:12"
std::string place(const std::string& path, const toml::source_region& region) {
  return fmt::format("{}:{}", path, region.begin.line);
}

std::string_view type_name(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "an array";
    case toml::node_type::string:
      return "a string";
    case toml::node_type::integer:
      return "an integer";
    case toml::node_type::floating_point:
      return "a floating-point number";
    case toml::node_type::boolean:
      return "a boolean";
    default:
      return "a date or time";
  }
}

std::string_view expected_type(OptionType type) {
  switch (type) {
    case OptionType::integer:
      return "an integer";
    case OptionType::real:
      return "a number";
    case OptionType::real_or_word:
      return "a number or a string";
    case OptionType::flag:
      return "true or false";
    case OptionType::integer_list:
      return "an array of integers";
    case OptionType::text:
    case OptionType::choice:
      break;
  }
  return "a string";
}

[[noreturn]] void refuse_type(const std::string& where, const Option& option, const toml::node& node) {
  std::string message =
      fmt::format("{}: expected {}, found {}", where, expected_type(option.type), type_name(node));
  const bool wants_string = option.type == OptionType::text || option.type == OptionType::choice;
  if (wants_string && !node.is_table() && !node.is_array()) message += "; put the value in quotes";
  throw ConfigError(message);
}

/// A value as text for Option::set.
std::string value_text(const std::string& path, const Option& option, const toml::node& node) {
  const std::string where = fmt::format("{}: {}", place(path, node.source()), option.key);
  switch (option.type) {
    case OptionType::integer:
      if (const auto* integer = node.as_integer()) return std::to_string(integer->get());
      if (const auto* text = node.as_string(); text != nullptr && config::exceeds_toml(text->get()))
        return text->get();
      break;
    case OptionType::real_or_word:
      if (const auto* text = node.as_string()) return text->get();
      [[fallthrough]];
    case OptionType::real:
      if (const auto* integer = node.as_integer()) return std::to_string(integer->get());
      if (const auto* real = node.as_floating_point()) return config::format_real(real->get());
      break;
    case OptionType::flag:
      if (const auto* flag = node.as_boolean()) return flag->get() ? "true" : "false";
      break;
    case OptionType::text:
    case OptionType::choice:
      if (const auto* text = node.as_string()) return text->get();
      break;
    case OptionType::integer_list:
      if (const auto* array = node.as_array()) {
        std::vector<std::int64_t> values;
        for (const toml::node& element : *array) {
          const auto* integer = element.as_integer();
          if (integer == nullptr) {
            refuse_type(fmt::format("{}: {}", place(path, element.source()), option.key), option, element);
          }
          values.push_back(integer->get());
        }
        return values.empty() ? "none" : fmt::format("{}", fmt::join(values, ","));
      }
      break;
  }
  refuse_type(where, option, node);
}

std::string_view table_of(std::string_view key) {
  return key.substr(0, key.find('.'));
}
std::string_view name_in_table(std::string_view key) {
  return key.substr(key.find('.') + 1);
}

/// The key that was probably meant: one with the same name in another table, else one of similar spelling.
std::string suggest_key(const std::string& key, std::string_view name) {
  std::vector<std::string_view> keys;
  for (const Option& option : options()) {
    if (name_in_table(option.key) == name) return std::string(option.key);
    keys.push_back(option.key);
  }
  return nearest_name(key, keys);
}

[[noreturn]] void refuse_key(const std::string& where, std::string_view kind, const std::string& key,
                             const std::string& suggestion) {
  std::string message = fmt::format("{}: unknown {} {}", where, kind, config::quoted(key));
  if (!suggestion.empty()) message += fmt::format("; did you mean '{}'?", suggestion);
  throw ConfigError(message);
}

bool is_table_name(std::string_view name) {
  for (const Option& option : options()) {
    if (table_of(option.key) == name) return true;
  }
  return false;
}

std::string suggest_table(std::string_view name) {
  std::vector<std::string_view> names;
  for (const Option& option : options()) names.push_back(table_of(option.key));
  return nearest_name(name, names);
}

/// A setting in the file, and its place.
struct GivenSetting {
  const Option* option;
  std::string where;
};

void read_table(RunConfig& run, const std::string& path, std::string_view table_name,
                const toml::table& table, std::vector<GivenSetting>& given) {
  for (const auto& [name, node] : table) {
    const std::string key = fmt::format("{}.{}", table_name, name.str());
    const Option* option = find_option_by_key(key);
    if (option == nullptr) refuse_key(place(path, name.source()), "key", key, suggest_key(key, name.str()));
    const std::string where = fmt::format("{}: {}", place(path, node.source()), key);
    option->set(run, value_text(path, *option, node), where);
    if (option->why_idle != nullptr) given.push_back({option, where});
  }
}

/// Files of earlier versions hold every option, so a default without an effect is not refused. Other values
/// count as defaults, which yield to a later choice.
void settle(RunConfig& run, const std::vector<GivenSetting>& given) {
  const RunConfig usual;
  for (const auto& [option, where] : given) {
    const std::string why = config::why_idle(*option, run);
    if (!why.empty() && option->get(run) != option->get(usual))
      throw ConfigError(fmt::format("{}: {}", where, why));
  }
  for (const GivenSetting& one : given) one.option->take_as_usual(run);
}

toml::table parse_toml(const std::string& path, const std::string& text) {
  try {
    return toml::parse(text, path);
  } catch (const toml::parse_error& error) {
    throw ConfigError(fmt::format("{}:{}: {}", path, error.source().begin.line, error.description()));
  }
}

/// `given`: receives the settings in the text.
RunConfig read_config(const std::string& text, const RunConfig& base, const std::string& path,
                      std::vector<GivenSetting>& given) {
  if (const auto found = config::find_unbearable(text)) {
    throw ConfigError(fmt::format("{}:{}: {}", path, found->line, found->what));
  }
  const toml::table document = parse_toml(path, text);
  RunConfig run = base;
  for (const auto& [name, node] : document) {
    const std::string key(name.str());
    const std::string where = place(path, name.source());
    if (is_table_name(key)) {
      const toml::table* table = node.as_table();
      if (table == nullptr) {
        throw ConfigError(fmt::format("{}: {}: expected a table, found {}", where, key, type_name(node)));
      }
      read_table(run, path, key, *table, given);
    } else if (node.is_table()) {
      refuse_key(where, "table", key, suggest_table(key));
    } else {
      refuse_key(where, "key", key, suggest_key(key, key));
    }
  }
  return run;
}

}  // namespace

RunConfig load_config(const std::string& path, const RunConfig& base) {
  return parse_config(read_text(path), base, path);
}

RunConfig parse_config(const std::string& text, const RunConfig& base, const std::string& path) {
  std::vector<GivenSetting> given;
  RunConfig run = read_config(text, base, path, given);
  settle(run, given);
  return run;
}

RunConfig config::load_kept_config(const std::string& path) {
  std::vector<GivenSetting> given;
  RunConfig run = read_config(read_text(path), {}, path, given);
  forget_idle(run);
  for (const GivenSetting& one : given) one.option->take_as_usual(run);
  return run;
}

}  // namespace vaecuda
