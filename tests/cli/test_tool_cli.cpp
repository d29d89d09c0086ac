// vae_cuda as a user meets it: help, info, export, and how every command refuses.
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/files.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/tool_models.hpp"
#include "tests/support/tool_runs.hpp"
#include "vaecuda/vaecuda.hpp"

namespace vaecuda::test {
namespace {

namespace fs = std::filesystem;

const std::vector<std::string>& command_names() {
  static const std::vector<std::string> kNames = {"info",        "encode",    "reconstruct", "generate",
                                                  "interpolate", "neighbors", "manifold",    "traverse",
                                                  "score",       "evaluate",  "export",      "report"};
  return kNames;
}

/// What a command works on, as its help names it.
std::string_view argument_of(std::string_view command) {
  return command == "report" ? "RUN_DIR" : "MODEL";
}

}  // namespace

TEST_CASE("vae_cuda --help lists the commands, and each has a help of its own", "[tool]") {
  const ProgramResult help = run_tool({"--help"});
  CHECK(help.exit_code == 0);
  CHECK(help.err.empty());
  for (const std::string& name : command_names()) {
    INFO(name);
    CHECK(contains(help.out, "\n  " + name + " "));
    const ProgramResult own = run_tool({name, "-h"});
    CHECK(own.exit_code == 0);
    CHECK(own.err.empty());
    CHECK(contains(own.out, "Example: vae_cuda " + name));
    CHECK(contains(own.out, argument_of(name)));
    for (const std::string_view flag : {"--device", "--threads", "--batch-size", "--seed", "--json"}) {
      CHECK(contains(own.out, flag));
    }
    CHECK(run_tool({name, "--zebra", "--help"}).out == own.out);
    CHECK(run_tool({"--help", name}).out == own.out);
  }
  const ProgramResult version_text = run_tool({"encode", "--version"});
  CHECK(version_text.exit_code == 0);
  CHECK(version_text.out.find(std::string("vae_cuda ") + version() + "\n") == 0);
}

TEST_CASE("commands and options that do not exist name the nearest one", "[tool]") {
  check_tool_refuses({"encod"}, kUsage, "unknown command 'encod'; did you mean encode?");
  check_tool_refuses({"zzzzzz"}, kUsage, "unknown command 'zzzzzz'; expected one of info, encode");
  CHECK(run_tool({}).exit_code == kUsage);
  CHECK(contains(run_tool({}).err, "no command"));
  check_tool_refuses({"--quiet", "encode"}, kUsage, "'--quiet' stands where the command is expected");
  check_tool_refuses({"encode", "m", "--ot", "z.npy"}, kUsage, "unknown option '--ot'; did you mean --out?");
  check_tool_refuses({"encode", "m", "n"}, kUsage, "unexpected argument 'n'");
  check_tool_refuses({"generate", "m", "--out", "x.png", "-n", "1x"}, kUsage,
                     "--count: '1x' is not a whole number from 1");
  check_tool_refuses({"generate", "m", "--out", "x.png", "--temperature", "-1"}, kUsage,
                     "--temperature: '-1' is not");
  check_tool_refuses({"generate", "m", "--out", "x.png", "--batch_size", "0"}, kUsage,
                     "--batch-size: '0' is not");
  check_tool_refuses({"generate", "m", "--out", "x.jpg"}, kUsage,
                     ".png for a picture, .npy or .csv for rows");
  for (const std::string& name : command_names())
    check_tool_refuses({name}, kUsage, std::string(argument_of(name)) + " is missing: vae_cuda " + name);
}

TEST_CASE("report writes the page of a run, or says what is no run", "[tool]") {
  const TempDir folder;
  const std::string dir = fs::path(tool_models().pictures).parent_path().string();
  const std::string page = (folder.path() / "page.html").string();
  CHECK(tool_json({"report", dir, "--out", page}).at("out") == page);
  CHECK(contains(read_file(page), "<!DOCTYPE html>"));
  CHECK_FALSE(fs::exists(fs::path(dir) / "report.html"));
  const ProgramResult said = run_tool({"report", dir});
  CHECK(said.exit_code == 0);
  CHECK(said.out.empty());
  CHECK(contains(said.err, (fs::path(dir) / "report.html").string()));
  check_tool_refuses({"report", folder.path().string()}, kBadFile, "this folder holds no run");
  check_tool_refuses({"report", "/nonexistent/run"}, kBadFile, "/nonexistent/run: this folder holds no run");
  check_tool_refuses({"report", dir, "--out", "/nonexistent/page.html"}, kRuntime, "/nonexistent/page.html");
}

TEST_CASE("info tells a model's network, data and training", "[tool]") {
  const ProgramResult text = run_tool({"info", tool_models().pictures});
  CHECK(text.exit_code == 0);
  CHECK(contains(text.out, "256 - 24 - 3 - 24 - 256, relu"));
  CHECK(contains(text.out, "pictures of 16 x 16 x 1"));
  CHECK(contains(text.out, "60 steps, seed 1, beta 1"));
  CHECK(contains(text.out, "encoder.0.weight"));
  const auto json = tool_json({"info", tool_models().tabular});
  CHECK(json.at("column_names") == nlohmann::json({"speed", "load", "heat, outer"}));
  CHECK(json.at("likelihood") == "gaussian");
  CHECK(json.at("sigma_source") == "fixed");
  CHECK(json.at("mean").size() == 3);
  CHECK(json.at("image").is_null());
  CHECK(json.at("parameters") == 3 * 8 + 8 + 8 * 4 + 4 + 2 * 8 + 8 + 8 * 3 + 3);
  CHECK(json.at("tensors").at("head.weight") == nlohmann::json({4, 8}));
}

TEST_CASE("export gives the file back, and an archive that zip tools read", "[tool]") {
  const TempDir folder;
  const fs::path copy = folder.path() / "copy.safetensors";
  tool_json({"export", tool_models().tabular, "--format", "safetensors", "--out", copy.string()});
  CHECK(read_file(copy) == read_file(tool_models().tabular));
  const fs::path archive = folder.path() / "m.npz";
  CHECK(tool_json({"export", tool_models().tabular, "--format", "npz", "--out", archive.string()})
            .at("tensors") == 10);
  check_tool_refuses({"export", tool_models().tabular, "--format", "onnx", "--out", copy.string()}, kUsage,
                     "--format: 'onnx' is not safetensors or npz");
  const std::string script =
      write_file(folder.path() / "read.py",
                 "import sys, json, zipfile\n"
                 "z = zipfile.ZipFile(sys.argv[1])\n"
                 "assert z.testzip() is None\n"
                 "assert json.loads(z.read('config.json'))['model']['latent_dim'] == 2\n"
                 "head = z.read('head.weight.npy')\n"
                 "assert head[:6] == b'\\x93NUMPY' and b\"'shape': (4, 8), }\" in head[:128] and "
                 "len(head) == 128 + 4 * 4 * 8\n"
                 "try:\n"
                 "    import numpy\n"
                 "except ImportError:\n"
                 "    print('no numpy')\n"
                 "    sys.exit(0)\n"
                 "m = numpy.load(sys.argv[1])\n"
                 "assert m['head.weight'].shape == (4, 8) and m['data.mean'].dtype == numpy.float32\n"
                 "print('numpy')\n");
  if (!fs::exists("/usr/bin/python3")) {
    WARN("no python3: the archive is not read by another program");
    return;
  }
  const ProgramResult python = run_program("/usr/bin/python3", {script, archive.string()});
  INFO(python.err);
  CHECK(python.exit_code == 0);
  if (contains(python.out, "no numpy")) WARN("no numpy: the archive was read by zipfile alone");
}

TEST_CASE("broken data leave nothing behind, and an old output as it was", "[tool]") {
  const TempDir folder;
  const std::string out = (folder.path() / "z.npy").string();
  for (const std::string command : {"encode", "reconstruct", "score"})
    check_tool_refuses({command, tool_models().tabular, "--out", out}, kUsage, "--data is missing");
  std::string late = "1,2,3\n";
  for (int i = 0; i < 1000; ++i) late += "1,2,3\n";
  const std::string broken = write_file(folder.path() / "late.csv", late + "1,2,x\n");
  check_tool_refuses({"encode", tool_models().tabular, "--data", broken, "--out", out}, kBadFile,
                     "line 1002");
  CHECK_FALSE(fs::exists(out));
  // An old file stays whole where the new one fails, and is replaced where it does not.
  std::ofstream(out) << "old";
  check_tool_refuses({"encode", tool_models().tabular, "--data", broken, "--batch-size", "256", "--out", out},
                     kBadFile, "line 1002");
  CHECK(read_file(out) == "old");
  for (const auto& entry : fs::directory_iterator(folder.path()))
    CHECK_FALSE(contains(entry.path().string(), ".tmp"));
  tool_json({"encode", tool_models().tabular, "--data", tool_models().table, "--out", out});
  CHECK(read_file(out).size() == 128 + 90 * 2 * 4);
  check_tool_refuses(
      {"encode", tool_models().tabular, "--data", tool_models().table, "--part", "test", "--out", out},
      kUsage, "has no test part");
  check_tool_refuses(
      {"encode", tool_models().tabular, "--data", tool_models().table, "--part", "dev", "--out", out}, kUsage,
      "--part: 'dev' is not train or test");
}

}  // namespace vaecuda::test
