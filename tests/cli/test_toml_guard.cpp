// What is kept from toml++, because it does not survive it, and that sound files are not.
#include <string>

#include "tests/support/catch.hpp"
#include "tests/support/toml_file.hpp"
#include "vaecuda/config.hpp"

using namespace vaecuda;
using test::refusal;
using test::TomlFile;

TEST_CASE("files that would overflow the parser's stack are refused before it sees them", "[toml]") {
  std::string dotted = "a";
  for (int i = 0; i < 200000; ++i) dotted += ".a";
  CHECK(refusal("# x\n" + dotted + " = 1\n") == "run.toml:2: a key of more than 128 parts");
  CHECK(refusal("[" + dotted + "]\n") == "run.toml:1: a key of more than 128 parts");
  CHECK(refusal("x = {" + dotted + " = 1}\n") == "run.toml:1: a key of more than 128 parts");
  CHECK(refusal("x = \"\"\"\"\"\"\"\"\n" + dotted + " = 1\n").find("128 parts") != std::string::npos);
  CHECK(refusal("x = '''''''\n" + dotted + " = 1\n").find("128 parts") != std::string::npos);
  CHECK(refusal("x = \"\\\"\"\n" + dotted + " = 1\n").find("128 parts") != std::string::npos);
  std::string quoted = "\"a\"";
  for (int i = 0; i < 128; ++i) quoted += " . 'a'";
  CHECK(refusal(quoted + " = 1\n").find("128 parts") != std::string::npos);
  CHECK(refusal("x = " + std::string(100000, '[') + "\n").substr(0, 9) == "run.toml:");
  for (const char* header :
       {"[\x9e]\n", "[ .x]\n", "[[\n", "\n[#\n", "[[ \xc3\xa4]]\n", "x = [\n[1]]\n[=]\n"})
    CHECK(refusal(header).find("expected the name of a table behind '['") != std::string::npos);
  CHECK(
      TomlFile("[model]\nhidden = [\n 2, # [?\n 3\n]\n[ data ]\npath = '[?'\n").load().model.hidden.size() ==
      2);

  const std::string dots(1000, '.');
  CHECK(TomlFile("[data] # " + dots + "\npath = \"" + dots + "\"\nvalid = '" + dots + "'\n")
            .load()
            .data.train.path == dots);
  CHECK(TomlFile("[data]\npath = \"\"\"\n\\\"" + dots + "\"\"\"\n").load().data.train.path == "\"" + dots);

  CHECK(refusal(std::string((1 << 20) + 1, '#')).find("larger than 1048576 bytes") != std::string::npos);
  CHECK(refusal(std::string(1 << 20, '#')).empty());
}

TEST_CASE("what the parser takes for granted is looked at before it sees it", "[toml]") {
  struct Case {
    std::string text;
    std::string message;
  };
  const std::string time = "found ':' outside quotes; no option takes a time, and text needs quotes";
  const std::string date = "found a date or time, which no option takes; text needs quotes";
  const std::string letter = "found a character outside ASCII outside quotes; text needs quotes";
  const std::string quote = "found a quote within a value; expected it to begin there";
  const std::string escape = "found '\\' before a character outside ASCII; write the string without it";
  const std::vector<Case> cases = {
      {"[train]\nseed = 1979-05-27To07:3\n", "run.toml:2: " + date},
      {"[train]\nseed = 1979-05-27 0 \n", "run.toml:2: " + date},
      {"[train]\nseed = 0{A------o 9 \n", "run.toml:2: " + date},
      {"[train]\nseed = 07:32:00\n", "run.toml:2: " + time},
      {"[model]\nhidden = [1,\n 7:3]\n", "run.toml:3: " + time},
      {"data = {path = 7_-1}\n", "run.toml:1: " + date},
      {"[data]\npath = caf\xc3\xa9\n", "run.toml:2: " + letter},
      {"[train]\nseed = 1\xef\xba\xbf\n", "run.toml:2: " + letter},
      {"caf\xc3\xa9 = 1\n", "run.toml:1: " + letter},
      {"[train]\nseed = 3=a'a.\xd2\x9e'\n", "run.toml:2: " + quote},
      {"[train]\nseed = 3=\"\xd2\x9e\"\n", "run.toml:2: " + quote},
      {"[model]\nhidden = [1[\"\xd2\x9e\"]\n", "run.toml:2: " + quote},
      {"data = {path = 1{'\xd2\x9e'}\n", "run.toml:1: " + quote},
      {"[model]\nhidden = [}\n", "run.toml:2: expected a value or ']', found '}'"},
      {"[model]\nhidden = [1, }\n", "run.toml:2: expected a value or ']', found '}'"},
      {"[data]\npath = \"\"\"a\\\xc3\xa4\"\"\"\n", "run.toml:2: " + escape},
      {"[data]\npath = \"\"\"a \\\n  \xc3\xa4\"\"\"\n", "run.toml:2: " + escape},
  };
  for (const Case& bad : cases) {
    INFO(bad.text);
    CHECK(refusal(bad.text) == bad.message);
  }
}

TEST_CASE("what only looks like it is left to the parser", "[toml]") {
  const RunConfig config =
      TomlFile(
          "\xef\xbb\xbf# caf\xc3\xa9: 7:30 [}\n"
          "data = {path = \"caf\xc3\xa9 {:} 1-1\", \"labels\" = 'a\\\xc3\xa9', normal_label=\"x\"}\n"
          "optimizer = {lr = 1e-5, beta1 = 0.5}\n"
          "[model]\n\"hidden\" = [4,5 ,6]\n"
          "[output]\ndir = \"\"\"\\\n  a \\\\\xc3\xa9 \\u00e9\"\"\"\n")
          .load();
  CHECK(config.data.train.path == "caf\xc3\xa9 {:} 1-1");
  CHECK(config.data.train.labels_path == "a\\\xc3\xa9");
  CHECK(config.optimizer.lr == 1e-5);
  CHECK(config.model.hidden == std::vector<std::int64_t>{4, 5, 6});
  CHECK(config.output.dir == "a \\\xc3\xa9 \xc3\xa9");
  // The parser's own messages stay where it can give them.
  CHECK(refusal("lr: 3\n").find("expected '='") != std::string::npos);
  CHECK(refusal("[train-1]\n").find("unknown table 'train-1'") != std::string::npos);
}
