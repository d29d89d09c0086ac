#include "host/model/model_document.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include "host/config/enumerators.hpp"
#include "host/config/likelihood_traits.hpp"
#include "host/config/limits.hpp"
#include "host/config/parse.hpp"
#include "host/config/split.hpp"
#include "host/config/text_forms.hpp"
#include "host/config/utf8.hpp"
#include "host/model/json_scanner.hpp"
#include "host/model/json_writer.hpp"
#include "vaecuda/error.hpp"
#include "vaecuda/options.hpp"

namespace vaecuda {
namespace {

/// The options of a table that a model file keeps, and `others`, which no option of the same key says.
template <class Pass>
std::vector<JsonMember> members_of(std::string_view table, std::vector<JsonMember> others, const Pass& pass) {
  for (const Option& option : options()) {
    const std::size_t dot = option.key.find('.');
    if (!option.is_stored_in_model || option.key.substr(0, dot) != table) continue;
    others.push_back({option.key.substr(dot + 1), [&pass, &option] { pass(option); }});
  }
  return others;
}

// --- reading

void set_number(const JsonScanner& scanner, RunConfig& config, const Option& option,
                const std::string& number) {
  try {
    option.set(config, number, option.key);
  } catch (const ConfigError&) {
    scanner.fail(fmt::format("{} is {}; expected {}", option.key, number, option.range));
  }
}

void set_text(const JsonScanner& scanner, RunConfig& config, const Option& option, std::string_view text) {
  try {
    option.set(config, text, option.key);
  } catch (const ConfigError& error) {
    scanner.fail(error.what());
  }
}

void read_option(JsonScanner& scanner, RunConfig& config, const Option& option) {
  switch (option.type) {
    case OptionType::integer:
      return set_number(scanner, config, option, std::to_string(scanner.natural()));
    case OptionType::real:
      return set_number(scanner, config, option, config::format_real(scanner.real()));
    case OptionType::flag:
      return set_text(scanner, config, option, scanner.boolean() ? "true" : "false");
    case OptionType::integer_list: {
      std::vector<std::int64_t> values;
      scanner.each_element(static_cast<std::size_t>(config::kLayers.max),
                           [&] { values.push_back(scanner.natural()); });
      return set_number(scanner, config, option,
                        values.empty() ? "none" : fmt::format("{}", fmt::join(values, ",")));
    }
    case OptionType::real_or_word:
    case OptionType::text:
    case OptionType::choice:
      break;
  }
  set_text(scanner, config, option, scanner.string());
}

/// `in_every_file`: the keys that a file by the first version has as well; others may be missing and mean the
/// defaults.
void read_table(JsonScanner& scanner, RunConfig& config, std::string_view table,
                std::span<const std::string_view> in_every_file, std::vector<JsonMember> others) {
  const auto read = [&](const Option& option) { read_option(scanner, config, option); };
  std::vector<JsonMember> members = members_of(table, std::move(others), read);
  std::stable_partition(members.begin(), members.end(), [&](const JsonMember& member) {
    return std::find(in_every_file.begin(), in_every_file.end(), member.key) != in_every_file.end();
  });
  scanner.object(members, in_every_file.size());
}

void read_model(JsonScanner& scanner, RunConfig& config) {
  static constexpr std::array<std::string_view, 7> kInEveryFile = {
      "activation", "hidden", "init", "input_dim", "latent_dim", "likelihood", "sigma"};
  ModelConfig& model = config.model;
  const auto read_conditions = [&] {
    model.condition_dim = scanner.natural();
    model.conditional = model.condition_dim > 0;
  };
  const auto read_sigma_source = [&] {
    const std::string_view text = scanner.string();
    try {
      model.sigma_source =
          static_cast<SigmaSource>(config::parse_choice(text, config::kSigmaSources, "model.sigma_source"));
    } catch (const ConfigError& error) {
      scanner.fail(error.what());
    }
  };
  read_table(scanner, config, "model", kInEveryFile,
             {{"input_dim", [&] { model.input_dim = scanner.natural(); }},
              {"row_sum", [&] { model.row_sum = scanner.real(); }},
              {"condition_dim", read_conditions},
              {"sigma", [&] { model.sigma = scanner.real(); }},
              {"sigma_source", read_sigma_source}});
}

float read_float(JsonScanner& scanner, std::string_view key) {
  const double value = scanner.real();
  // The comparison also refuses what would become infinite; a float that is a double is itself again.
  if (!(std::abs(value) <= static_cast<double>(std::numeric_limits<float>::max())) ||
      static_cast<double>(static_cast<float>(value)) != value) {
    scanner.fail(fmt::format("{} is {}; expected a number that fp32 holds exactly", key, value));
  }
  return static_cast<float>(value);
}

void read_data(JsonScanner& scanner, RunConfig& config, ModelDocument& document) {
  static constexpr std::array<std::string_view, 3> kInEveryFile = {"binarize", "scale", "standardize"};
  ValueSizes sizes;
  read_table(scanner, config, "data", kInEveryFile,
             {{"scale", [&] { document.file.preparation.scale = read_float(scanner, "data.scale"); }},
              {"standardize", [&] { document.standardize = scanner.boolean(); }},
              {"exponent", [&] { sizes.exponent = scanner.real(); }},
              {"largest", [&] { sizes.largest = read_float(scanner, "data.largest"); }}});
  if (sizes != ValueSizes{}) document.file.trained_on = sizes;
}

std::optional<ImageShape> read_image(JsonScanner& scanner) {
  if (scanner.accept_null()) return std::nullopt;
  ImageShape image;
  scanner.expect('[');
  image.height = scanner.natural();
  scanner.expect(',');
  image.width = scanner.natural();
  scanner.expect(',');
  image.channels = scanner.natural();
  scanner.expect(']');
  return image;
}

std::uint64_t read_seed(JsonScanner& scanner) {
  const std::string_view text = scanner.string();
  std::uint64_t seed = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seed);
  if (error != std::errc{} || end != text.data() + text.size() || text != std::to_string(seed)) {
    scanner.fail(fmt::format("seed is {}; expected a whole number from 0 to 18446744073709551615 in quotes",
                             config::quoted(text)));
  }
  return seed;
}

// --- writing

template <class Number>
Number number_of(std::string_view text) {
  Number number{};
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

void write_option(JsonWriter& json, const RunConfig& config, const Option& option) {
  const std::string text = option.get(config);
  switch (option.type) {
    case OptionType::integer:
      return json.value(number_of<std::int64_t>(text));
    case OptionType::real:
      return json.value(number_of<double>(text));
    case OptionType::flag:
      return json.value(text == "true");
    case OptionType::integer_list:
      json.open_array();
      if (text != "none") {
        for (const std::string_view each : config::split(text, ',')) {
          json.value(number_of<std::int64_t>(each));
        }
      }
      return json.close_array();
    case OptionType::real_or_word:
    case OptionType::text:
    case OptionType::choice:
      break;
  }
  json.value(text);
}

/// Sorted by their keys.
void write_table(JsonWriter& json, const RunConfig& config, std::string_view table,
                 std::vector<JsonMember> others) {
  const auto write = [&](const Option& option) { write_option(json, config, option); };
  std::vector<JsonMember> members = members_of(table, std::move(others), write);
  std::sort(members.begin(), members.end(),
            [](const JsonMember& a, const JsonMember& b) { return a.key < b.key; });
  json.key(table);
  json.open_object();
  for (const JsonMember& member : members) {
    json.key(member.key);
    member.pass();
  }
  json.close_object();
}

}  // namespace

std::string write_model_document(const ModelFile& file) {
  RunConfig config;
  config.model = file.model;
  config.objective = file.objective;
  config.data.binarize = config::same_as<BinarizeMode>(file.preparation.binarize);
  JsonWriter json;
  json.open_object();
  json.array("column_names", file.column_names);
  json.array("condition_names", file.condition_names);
  std::vector<JsonMember> data = {
      {"scale", [&] { json.value(static_cast<double>(file.preparation.scale)); }},
      {"standardize", [&] { json.value(!file.preparation.mean.empty()); }},
  };
  if (file.trained_on) {
    data.push_back({"exponent", [&] { json.value(file.trained_on->exponent); }});
    data.push_back({"largest", [&] { json.value(static_cast<double>(file.trained_on->largest)); }});
  }
  write_table(json, config, "data", std::move(data));
  if (file.image) {
    json.array("image", std::array{file.image->height, file.image->width, file.image->channels});
  } else {
    json.key("image");
    json.null();
  }
  if (!file.label_vector_names.empty()) json.array("label_vector_names", file.label_vector_names);
  const ModelConfig& model = file.model;
  std::vector<JsonMember> own = {
      {"input_dim", [&] { json.value(model.input_dim); }},
      {"condition_dim", [&] { json.value(model.condition_dim); }},
      {"sigma", [&] { json.value(model.sigma.value()); }},
      {"sigma_source",
       [&] { json.value(config::kSigmaSources[static_cast<std::size_t>(model.sigma_source.value())]); }}};
  if (traits_of(model.likelihood).domain == ValueDomain::count)
    own.push_back({"row_sum", [&] { json.value(model.row_sum); }});
  write_table(json, config, "model", std::move(own));
  write_table(json, config, "objective", {});
  json.member("seed", std::to_string(file.seed));
  json.member("steps", file.steps);
  json.close_object();
  return json.take();
}

ModelDocument read_model_document(std::span<char> text, const std::string& place) {
  ModelDocument document;
  ModelFile& file = document.file;
  RunConfig config;
  JsonScanner scanner(text, place);
  const std::vector<JsonMember> members = {
      {"column_names", [&] { document.column_names = scanner.skip_strings(); }},
      {"data", [&] { read_data(scanner, config, document); }},
      {"image", [&] { file.image = read_image(scanner); }},
      {"model", [&] { read_model(scanner, config); }},
      {"objective",
       [&] { read_table(scanner, config, "objective", std::array<std::string_view, 1>{"beta"}, {}); }},
      {"seed", [&] { file.seed = read_seed(scanner); }},
      {"steps", [&] { file.steps = scanner.natural(); }},
      // Older files lack these and mean the defaults.
      {"condition_names", [&] { document.condition_names = scanner.skip_strings(); }},
      {"label_vector_names", [&] { document.label_vector_names = scanner.skip_strings(); }}};
  scanner.object(members, members.size() - 2);
  scanner.expect_end();
  file.model = config.model;
  file.objective = config.objective;
  file.preparation.binarize = static_cast<Binarize>(config.data.binarize);
  return document;
}

std::vector<std::string> read_names(std::span<char> text, std::string_view key, std::int64_t count,
                                    const std::string& place) {
  std::vector<std::string> names;
  if (text.empty()) return names;
  const auto most = static_cast<std::size_t>(count);
  JsonScanner scanner(text, fmt::format("{} {}", place, key));
  scanner.each_element(most, [&] {
    if (names.empty()) names.reserve(most);
    names.emplace_back(scanner.string());
    if (names.back().find('\0') != std::string::npos) scanner.fail("a name holds the character of code 0");
  });
  if (!names.empty() && names.size() != most) {
    scanner.fail(fmt::format("{} names; expected none, or {}", names.size(), count));
  }
  return names;
}

}  // namespace vaecuda
