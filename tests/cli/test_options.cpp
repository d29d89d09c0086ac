// The option table: strict parsing of every option, and text that stores the value it was made from. The
// cases are generated from the table, so that a new option is covered the moment it exists.
#include <algorithm>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/cli/option_texts.hpp"
#include "tests/support/catch.hpp"
#include "vaecuda/error.hpp"
#include "vaecuda/options.hpp"

using namespace vaecuda;
using test::by_flag;
using test::refusal;
using test::stored;

namespace {

bool is_free_text(const Option& option) {
  return option.type == OptionType::text && option.range.empty();
}

const std::vector<std::string> kNeverNumbers{"",
                                             " ",
                                             "x",
                                             "nan",
                                             "NaN",
                                             "-nan",
                                             "inf",
                                             "-inf",
                                             "infinity",
                                             "1e999",
                                             "1e-999",
                                             "99999999999999999999999999",
                                             "0x10",
                                             "0b1",
                                             "010",
                                             "00",
                                             "+1",
                                             "1 ",
                                             " 1",
                                             "1x",
                                             "1,",
                                             ",1",
                                             "1_000",
                                             "--1",
                                             "1e",
                                             "1.5.2",
                                             "٣",
                                             "1\n",
                                             std::string("1\0", 2),
                                             "-",
                                             ".",
                                             "e5",
                                             "1d0",
                                             "1f",
                                             "true"};

}  // namespace

TEST_CASE("every option of the command line is in the table", "[options]") {
  std::istringstream flags(
      "--data --test --test-fraction --valid --valid-fraction --labels --label-column --normal-label "
      "--image --scale --standardize --binarize --hidden --latent-dim --latent --conditional "
      "--activation --init --likelihood --sigma --output-bias --logvar-head --samples --objective "
      "--beta-schedule --capacity --capacity-steps --free-bits --reduce --adam-v-init --beta "
      "--latent-l2 --epochs --steps --batch-size --lr --lr-schedule --optimizer --adam-beta1 "
      "--adam-beta2 --adam-eps --weight-decay --clip-norm --precision --autotune --seed --patience "
      "--threads --device --init-from --out --overwrite --log-every --on-nonfinite --max-restores "
      "--checkpoint-every --checkpoint-seconds");
  for (std::string flag; flags >> flag;) CHECK(by_flag(flag).flag == flag);
}

TEST_CASE("flags and keys are unique, well formed and described", "[options]") {
  std::set<std::string_view> flags;
  std::set<std::string_view> keys;
  for (const Option& option : options()) {
    INFO(option.flag);
    CHECK(flags.insert(option.flag).second);
    CHECK(keys.insert(option.key).second);
    CHECK(option.flag.substr(0, 2) == "--");
    CHECK(option.flag.find('_') == std::string_view::npos);
    CHECK(std::count(option.key.begin(), option.key.end(), '.') == 1);
    CHECK_FALSE(option.help.empty());
    CHECK_FALSE(option.group.empty());
    CHECK(option.value.empty() == (option.type == OptionType::flag));
    CHECK(option.range.empty() == is_free_text(option));
    CHECK(find_option_by_key(option.key) == &option);
  }
  CHECK(find_option_by_key("train") == nullptr);
  CHECK(find_option_by_key("") == nullptr);
}

TEST_CASE("numbers are parsed strictly by every numeric option", "[options]") {
  for (const Option& option : options()) {
    const bool numeric = option.type == OptionType::integer || option.type == OptionType::real ||
                         option.type == OptionType::integer_list;
    if (!numeric) continue;
    for (const std::string& text : kNeverNumbers) {
      INFO(option.flag << " '" << text << "'");
      const std::string message = refusal(option, text);
      REQUIRE_FALSE(message.empty());
      CHECK(message.substr(0, option.flag.size() + 2) == std::string(option.flag) + ": ");
      const bool names_range = message.find("number from") != std::string::npos ||
                               message.find("number above") != std::string::npos ||
                               message.find(option.range) != std::string::npos;
      CHECK(names_range);
    }
    // No quantity of a run is negative.
    for (const std::string_view text : {"-1", "-0.5", "-0", "-9223372036854775808"}) {
      if (text == "-0" && option.type == OptionType::real) continue;
      INFO(option.flag << " " << text);
      CHECK_FALSE(refusal(option, text).empty());
    }
    if (option.type == OptionType::real) continue;
    for (const std::string_view text : {"1.5", "1.0", "1e3", "9223372036854775808", "18446744073709551616"}) {
      if (option.flag == "--seed" && text == "9223372036854775808") continue;  // of 64 bits
      INFO(option.flag << " " << text);
      CHECK_FALSE(refusal(option, text).empty());
    }
  }
}

TEST_CASE("every option refuses an empty value; texts refuse what a file cannot carry", "[options]") {
  for (const Option& option : options()) {
    INFO(option.flag);
    CHECK(refusal(option, "").find("is empty") != std::string::npos);
    CHECK_FALSE(refusal(option, std::string_view("a\0b", 3)).empty());
    CHECK_FALSE(refusal(option, "\xff\xfe").empty());
  }
}

TEST_CASE("choices and flags take their words alone", "[options]") {
  for (const Option& option : options()) {
    if (option.type == OptionType::flag) {
      CHECK(stored(option, "true") == "true");
      CHECK(stored(option, "false") == "false");
      for (const std::string_view text : {"1", "0", "yes", "True", "on", "true "}) {
        CHECK_FALSE(refusal(option, text).empty());
      }
    }
    if (option.type != OptionType::choice) continue;
    std::string words(option.value);
    for (std::size_t start = 0; start <= words.size();) {
      const std::size_t end = std::min(words.find('|', start), words.size());
      const std::string word = words.substr(start, end - start);
      INFO(option.flag << " " << word);
      CHECK(stored(option, word) == word);
      CHECK_FALSE(refusal(option, word + " ").empty());
      CHECK_FALSE(refusal(option, word + "|").empty());
      start = end + 1;
    }
    CHECK(refusal(option, "zzzzzzzz").find("is not one of") != std::string::npos);
  }
  CHECK(refusal(by_flag("--activation"), "gelu_tanh").find("did you mean gelu-tanh?") != std::string::npos);
}

TEST_CASE("choice words reach the enumerators of the same name", "[options]") {
  RunConfig config;
  by_flag("--activation").set(config, "gelu-tanh", "x");
  CHECK(config.model.activation == Activation::gelu_tanh);
  by_flag("--activation").set(config, "silu", "x");
  CHECK(config.model.activation == Activation::silu);
  by_flag("--activation").set(config, "leaky-relu", "x");
  CHECK(config.model.activation == Activation::leaky_relu);
  by_flag("--init").set(config, "glorot", "x");
  CHECK(config.model.init == Initialization::glorot);
  by_flag("--likelihood").set(config, "gaussian", "x");
  CHECK(config.model.likelihood == Likelihood::gaussian);
  by_flag("--scale").set(config, "none", "x");
  CHECK(config.data.scale == ScaleMode::none);
  by_flag("--binarize").set(config, "stochastic", "x");
  CHECK(config.data.binarize == BinarizeMode::stochastic);
  by_flag("--optimizer").set(config, "adamw", "x");
  CHECK(config.optimizer.kind == OptimizerKind::adamw);
  by_flag("--precision").set(config, "bf16", "x");
  CHECK(config.train.precision == Precision::bf16);
}

TEST_CASE("a default, where there is one, can be set from its own text", "[options]") {
  for (const Option& option : options()) {
    const std::string initial = option.get(RunConfig{});
    INFO(option.flag << " " << initial);
    if (!initial.empty()) CHECK(stored(option, initial) == initial);
  }
}

TEST_CASE("real numbers survive as text to the last bit", "[options]") {
  const Option& seconds = by_flag("--checkpoint-seconds");
  const Option& lr = by_flag("--lr");
  for (const double value :
       {0.1, 1e-3, 1.0 / 3.0, 5e-324, 1e6, 0.30000000000000004, 2.2250738585072014e-308}) {
    RunConfig config;
    config.output.checkpoint_seconds = value;
    RunConfig copy;
    seconds.set(copy, seconds.get(config), "x");
    CHECK(copy.output.checkpoint_seconds == value);
  }
  CHECK(stored(lr, "1e-3") == "0.001");
  CHECK(stored(lr, ".5") == "0.5");
  CHECK(stored(by_flag("--beta"), "-0") == "0");
}

TEST_CASE("ranges are closed or open as their words say", "[options]") {
  const auto accepts = [](std::string_view flag, std::string_view text) {
    return refusal(by_flag(flag), text).empty();
  };
  CHECK(accepts("--valid-fraction", "0"));
  CHECK(accepts("--valid-fraction", "0.999"));
  CHECK_FALSE(accepts("--valid-fraction", "1"));
  CHECK_FALSE(accepts("--lr", "0"));
  CHECK_FALSE(accepts("--lr", "9e-31"));
  CHECK(accepts("--lr", "1e-30"));
  CHECK(accepts("--clip-norm", "0"));
  CHECK(accepts("--clip-norm", "1e-18"));
  CHECK_FALSE(accepts("--clip-norm", "9e-19"));
  CHECK(accepts("--beta", "1e-30"));
  CHECK(refusal(by_flag("--beta"), "1e-46") == "--beta: '1e-46' is not 0 or a number from 1e-30 to 1e+12");
  CHECK(accepts("--lr", "1e6"));
  CHECK_FALSE(accepts("--lr", "1000001"));
  CHECK_FALSE(accepts("--adam-beta1", "1"));
  CHECK(accepts("--threads", "0"));
  CHECK(accepts("--threads", "1024"));
  CHECK_FALSE(accepts("--threads", "1025"));
  CHECK_FALSE(accepts("--batch-size", "0"));
  CHECK(accepts("--batch-size", "16777216"));
  CHECK_FALSE(accepts("--batch-size", "16777217"));
  CHECK(accepts("--seed", "18446744073709551615"));
  CHECK(refusal(by_flag("--batch-size"), "-3") ==
        "--batch-size: '-3' is not a whole number from 1 to 16777216");
  CHECK(refusal(by_flag("--lr"), "nan") == "--lr: 'nan' is not a number from 1e-30 to 1e+06");
}

TEST_CASE("hidden layers are a list, or none", "[options]") {
  const Option& hidden = by_flag("--hidden");
  CHECK(stored(hidden, "512,256,64") == "512,256,64");
  RunConfig config;
  hidden.set(config, "none", "x");
  CHECK(config.model.hidden.empty());
  CHECK(hidden.get(config) == "none");
  for (const std::string_view text :
       {"0", "400,", ",400", "400,,20", "400 200", "400, 200", "None", "400,-1", "400,010"}) {
    INFO(text);
    CHECK_FALSE(refusal(hidden, text).empty());
  }
  std::string deep = "8";
  for (int i = 1; i < 64; ++i) deep += ",8";
  CHECK(stored(hidden, deep) == deep);
  CHECK_FALSE(refusal(hidden, deep + ",8").empty());
}

TEST_CASE("pictures and devices have a form", "[options]") {
  const Option& image = by_flag("--image");
  CHECK(stored(image, "28x28x1") == "28x28x1");
  CHECK(stored(image, "32x16") == "32x16x1");
  for (const std::string_view text :
       {"28", "28x", "x28", "28x28x", "28x28x1x1", "28X28", "0x28", "-1x28x1", "28x28x0", "4096x4096x2",
        "16777216x16777216x16777216", "028x28", "28x28x1 "}) {
    INFO(text);
    CHECK_FALSE(refusal(image, text).empty());
  }
  const Option& device = by_flag("--device");
  for (const std::string_view text : {"auto", "cpu", "cuda", "cuda:0", "cuda:12"})
    CHECK(stored(device, text) == text);
  for (const std::string_view text :
       {"gpu", "cuda:", "cuda:-1", "cuda:01", "cuda:x", "cuda0", "CPU", "cuda:1024"}) {
    INFO(text);
    CHECK_FALSE(refusal(device, text).empty());
  }
}

TEST_CASE("messages show hostile text on one line", "[options]") {
  const std::string message = refusal(by_flag("--epochs"), "1\n\x1b[31m\xff");
  CHECK(message.find("'1\\x0a\\x1b[31m\\xff'") != std::string::npos);
  CHECK(refusal(by_flag("--epochs"), std::string(100000, '9')).size() < 300);
}

TEST_CASE("the nearest name is found, and only where it is near", "[options]") {
  const std::vector<std::string_view> names{"--batch-size", "--beta", "--epochs",
                                            "--latent-dim", "--lr",   "--lr-schedule"};
  CHECK(nearest_name("--bacth-size", names) == "--batch-size");
  CHECK(nearest_name("--epoch", names) == "--epochs");
  CHECK(nearest_name("-epochs", names) == "--epochs");
  CHECK(nearest_name("--batch", names) == "--batch-size");
  CHECK(nearest_name("--latentdim", names) == "--latent-dim");
  CHECK(nearest_name("--zzz", names).empty());
  CHECK(nearest_name("--", names).empty());
  CHECK(nearest_name("", names).empty());
  CHECK(nearest_name(std::string(100000, 'a'), names).empty());
}

TEST_CASE("a deviation is a number or a word", "[options]") {
  const Option& sigma = by_flag("--sigma");
  RunConfig config;
  sigma.set(config, "learned", "x");
  CHECK(config.model.sigma_source == SigmaSource::learned);
  CHECK(config.model.sigma == kDefaultSigma);
  sigma.set(config, "2.5", "x");
  CHECK(config.model.sigma_source == SigmaSource::fixed);
  CHECK(config.model.sigma == 2.5);
  sigma.set(config, "head", "x");
  CHECK(config.model.sigma_source == SigmaSource::head);
  CHECK(sigma.get(config) == "head");
  for (const std::string& text : kNeverNumbers) CHECK_FALSE(refusal(sigma, text).empty());
  for (const char* text : {"0", "-1", "fixed", "Learned", "1e7"}) {
    INFO(text);
    CHECK(refusal(sigma, text).find("a number from 1e-06 to 1e+06, learned or head") != std::string::npos);
  }
  CHECK(refusal(sigma, "lerned").find("did you mean learned?") != std::string::npos);
}
