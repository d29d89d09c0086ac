// What vae_cuda refuses, every command against every kind of mistake: exit code, message, nothing left
// behind.
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/files.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/tool_models.hpp"
#include "tests/support/tool_runs.hpp"

namespace vaecuda::test {
namespace {

namespace fs = std::filesystem;

struct CommandCase {
  std::string name;
  Words words;         ///< what it needs beside MODEL, --data and its output
  std::string output;  ///< the flag of what it writes; empty: it prints
  bool reads_rows = false;
  bool draws = false;    ///< a .png too
  bool decodes = false;  ///< latents, and so a conditional model has to be told a class
  /// In the place of `words`: rows and latents that do not exist, and what is said of them.
  std::vector<std::pair<Words, std::string>> out_of_range = {};
};

/// All but `report`, which works on a folder.
const std::vector<CommandCase>& command_cases() {
  static const std::vector<CommandCase> kCases = {
      {"info", {}, ""},
      {"encode", {}, "--out", true},
      {"reconstruct", {}, "--out", true, true},
      {"generate", {}, "--out", false, true, true},
      {"interpolate",
       {"--from", "0", "--to", "1"},
       "--out",
       true,
       true,
       true,
       {{{"--from", "600", "--to", "1"}, "row 600 does not exist; the data has 600 rows, counted from 0"},
        {{"--from", "0", "--to", "600"}, "row 600 does not exist"},
        {{"--from", "-1", "--to", "1"}, "--from: '-1' is not"},
        {{"--from", "0", "--to", "1", "--steps", "1"}, "--steps: '1' is not"}}},
      {"neighbors",
       {"--row", "0"},
       "--out",
       true,
       true,
       true,
       {{{"--row", "600"}, "row 600 does not exist"}, {{"--row", "1.5"}, "--row: '1.5' is not"}}},
      {"manifold",
       {},
       "--out",
       false,
       true,
       true,
       {{{"--dims", "0,3"}, "--dims: '3' is not a whole number from 0 to 2"},
        {{"--dims", "1"}, "two different latents from 0 to 2"}}},
      {"traverse",
       {"--row", "0"},
       "--out",
       true,
       true,
       true,
       {{{"--row", "600"}, "row 600 does not exist"}, {{"--dims", "0,3"}, "--dims: '3' is not"}}},
      {"score", {}, "--out", true},
      {"evaluate", {"--samples", "0"}, "--rows", true},
      {"export", {"--format", "npz"}, "--out"},
  };
  return kCases;
}

/// A folder of inputs, in which nothing else may be found after a refusal.
class Place {
 public:
  Place()
      : broken_(write_file(folder_.path() / "m.safetensors", "not a model")),
        narrow_(write_file(folder_.path() / "narrow.csv", "1,2\n3,4\n")),
        bare_(write_file(folder_.path() / "bare.npy",
                         npy_bytes("|u1", "4, 256", std::string(std::size_t{4} * 256, '\0')))),
        few_(write_file(folder_.path() / "few.csv", "a\nb\nc\n")) {}

  [[nodiscard]] const std::string& broken_model() const { return broken_; }
  [[nodiscard]] const std::string& narrow() const { return narrow_; }
  [[nodiscard]] const std::string& unlabelled() const { return bare_; }
  [[nodiscard]] const std::string& three_labels() const { return few_; }
  [[nodiscard]] std::string output() const { return (folder_.path() / "x.npy").string(); }

  /// `model` with the rest of a whole call; `data` for commands that read rows.
  [[nodiscard]] Words call(const CommandCase& command, const std::string& model, const std::string& data,
                           const Words& words) const {
    Words all = Words{command.name, model} + words;
    if (command.reads_rows) all = all + Words{"--data", data};
    if (!command.output.empty()) all = all + Words{command.output, output()};
    return all;
  }

  void refuses(const Words& words, int exit_code, std::string_view part) const {
    check_tool_refuses(words, exit_code, part);
    std::size_t files = 0;
    for ([[maybe_unused]] const auto& entry : fs::directory_iterator(folder_.path())) ++files;
    CHECK(files == 4);
  }

 private:
  TempDir folder_;
  std::string broken_;
  std::string narrow_;
  std::string bare_;
  std::string few_;
};

}  // namespace

TEST_CASE("every command refuses what is no model", "[tool]") {
  const Place place;
  const std::string help = run_tool({"--help"}).out;
  std::size_t listed = 0;
  const std::size_t end = help.find("\n\n", help.find("\nCommands"));
  for (std::size_t at = help.find("\nCommands"); at < end; at = help.find("\n  ", at + 1)) ++listed;
  REQUIRE(listed == 1 + command_cases().size() + 1);  // the heading, and report
  for (const CommandCase& command : command_cases()) {
    INFO(command.name);
    place.refuses(place.call(command, place.broken_model(), kShapes, command.words), kBadFile,
                  place.broken_model());
    place.refuses(place.call(command, "/nonexistent/m.safetensors", kShapes, command.words), kBadFile,
                  "/nonexistent/m.safetensors: no such file");
    place.refuses(place.call(command, place.narrow(), kShapes, command.words), kBadFile, place.narrow());
  }
}

TEST_CASE("every command that reads rows refuses those of another width, and files that are not there",
          "[tool]") {
  const Place place;
  int commands = 0;
  for (const CommandCase& command : command_cases()) {
    if (!command.reads_rows) continue;
    INFO(command.name);
    ++commands;
    const auto with = [&](const std::string& data) {
      return place.call(command, tool_models().pictures, data, command.words);
    };
    place.refuses(with(place.narrow()), kBadFile,
                  place.narrow() + ": rows have 2 values, but the model was trained on rows of 256");
    place.refuses(with("/nonexistent.npy"), kBadFile, "/nonexistent.npy");
    place.refuses(with(place.broken_model()), kBadFile, place.broken_model());
    place.refuses(with(kShapes) + Words{"--labels", "/nonexistent.csv"}, kBadFile, "/nonexistent.csv");
    place.refuses(with(kShapes) + Words{"--labels", place.three_labels()}, kBadFile, place.three_labels());
  }
  CHECK(commands == 7);
}

TEST_CASE("a conditional model's commands ask for the labels that are missing", "[tool]") {
  const Place place;
  const std::string& model = tool_models().conditional;
  for (const CommandCase& command : command_cases()) {
    INFO(command.name);
    if (command.reads_rows) {
      place.refuses(place.call(command, model, place.unlabelled(), command.words), kBadFile,
                    place.unlabelled() +
                        ": this model is conditional, so every row needs a label, one of square, ellipse, "
                        "heart");
    }
    if (command.decodes) {
      place.refuses(place.call(command, model, kShapes, command.words), kUsage,
                    "--label is missing: this model is conditional; its classes are square, ellipse, heart");
      place.refuses(place.call(command, model, kShapes, command.words) + Words{"--label", "circle"}, kUsage,
                    "circle");
      place.refuses(
          place.call(command, tool_models().pictures, kShapes, command.words) + Words{"--label", "heart"},
          kUsage, "--label: this model was not trained with --conditional, so it has no classes");
    }
  }
}

TEST_CASE("rows and latents that do not exist are refused by number", "[tool]") {
  const Place place;
  for (const CommandCase& command : command_cases()) {
    for (const auto& [words, part] : command.out_of_range) {
      INFO(command.name << " " << part);
      place.refuses(place.call(command, tool_models().pictures, kShapes, words), kUsage, part);
    }
  }
}

TEST_CASE("every command says that its output cannot be written", "[tool]") {
  const Place place;
  for (const CommandCase& command : command_cases()) {
    INFO(command.name);
    Words words = Words{command.name, tool_models().pictures} + command.words;
    if (command.reads_rows) words = words + Words{"--data", kShapes};
    if (!command.output.empty()) {
      place.refuses(words + Words{command.output, "/nonexistent/x.npy"}, kRuntime,
                    "cannot open '/nonexistent/x.npy'");
    }
    if (command.draws) {
      place.refuses(words + Words{command.output, "/nonexistent/x.png"}, kRuntime, "/nonexistent/x.png");
    }
    if (!command.output.empty() && command.name != "export" && command.name != "report") {
      place.refuses(words + Words{command.output, place.output() + ".txt"}, kUsage, ".npy or .csv");
    }
    if (!fs::exists("/dev/full")) continue;
    ProgramOptions options;
    options.stdout_path = "/dev/full";
    if (!command.output.empty()) words = words + Words{command.output, place.output()};
    const ProgramResult full = run_tool(words + Words{"--json", "--device", "cpu"}, options);
    CHECK(full.exit_code == kRuntime);
    CHECK(contains(full.err, "error: cannot write to standard output"));
    fs::remove(place.output());  // written before it was told
  }
}

}  // namespace vaecuda::test
