// Writing config.toml: the option table in its own order, grouped by TOML table.
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "host/config/text_forms.hpp"
#include "vaecuda/config.hpp"
#include "vaecuda/options.hpp"

namespace vaecuda {
namespace {

std::string quote(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (byte < 0x20 || byte == 0x7F) {
      quoted += fmt::format("\\u{:04X}", static_cast<unsigned>(byte));
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

std::string toml_value(const Option& option, const std::string& text) {
  switch (option.type) {
    case OptionType::integer:
      return config::exceeds_toml(text) ? quote(text) : text;
    case OptionType::flag:
      break;
    case OptionType::real_or_word:
      if (text.find_first_not_of("0123456789.e+-") != std::string::npos) return quote(text);
      [[fallthrough]];
    case OptionType::real:
      // Without a point or an exponent it would be an integer in TOML.
      return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
    case OptionType::integer_list: {
      std::string list;
      for (const char c : text == "none" ? std::string_view{} : std::string_view(text)) {
        list += c;
        if (c == ',') list += ' ';
      }
      return "[" + list + "]";
    }
    case OptionType::text:
    case OptionType::choice:
      return quote(text);
  }
  return text;
}

}  // namespace

std::string to_toml(const RunConfig& config) {
  std::vector<std::string_view> tables;
  for (const Option& option : options()) {
    const std::string_view table = option.key.substr(0, option.key.find('.'));
    if (std::find(tables.begin(), tables.end(), table) == tables.end()) tables.push_back(table);
  }
  std::string toml = "# A training run of vaecuda; vae_cuda_train --config FILE --out DIR repeats it.\n";
  for (const std::string_view table : tables) {
    toml += fmt::format("\n[{}]\n", table);
    for (const Option& option : options()) {
      if (option.key.substr(0, option.key.find('.')) != table) continue;
      const std::string text = option.get(config);
      if (text.empty() || !option.applies(config)) continue;
      toml += fmt::format("{} = {}\n", option.key.substr(table.size() + 1), toml_value(option, text));
    }
  }
  return toml;
}

}  // namespace vaecuda
