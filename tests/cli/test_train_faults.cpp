// What vae_cuda_train does when the machine or the input fails it: the exit code, a message that names the
// place, and no model left behind.
#include <filesystem>
#include <iostream>
#include <string_view>

#include "tests/support/files.hpp"
#include "tests/support/run_program.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/words.hpp"

namespace vaecuda::test {
namespace {

namespace fs = std::filesystem;

/// Expects exit code and needles, and that `out` holds no model.
void check_fails(Words words, const fs::path& out, int exit_code, const std::vector<std::string>& needles) {
  words.insert(words.end(), {"--out", out.string(), "--device", "cpu"});
  const ProgramResult result = run_program(VAECUDA_TRAIN_PATH, words);
  INFO(result.err);
  CHECK(result.exit_code == exit_code);
  CHECK(result.out.empty());
  CHECK(result.err.find("error: ") != std::string::npos);
  for (const std::string& needle : needles) CHECK(result.err.find(needle) != std::string::npos);
  CHECK_FALSE(fs::exists(out / "model.safetensors"));
  CHECK_FALSE(fs::exists(out / "last.safetensors"));
}

}  // namespace

TEST_CASE("broken data files exit 3 with their place", "[cli]") {
  const TempDir dir;
  const fs::path out = dir.path() / "run";
  struct Broken {
    const char* name;
    std::string bytes;
    std::vector<std::string> needles;
  };
  const std::string idx = idx_header(0x08, {4, 2, 2}) + std::string(16, '\x01');
  const std::vector<Broken> cases = {
      {"truncated.idx", idx.substr(0, idx.size() - 1), {}},
      {"trailing.idx", idx + "x", {}},
      {"magic.idx", std::string("\0\0\x07\x03", 4) + idx.substr(4), {}},
      {"huge.idx", idx_header(0x08, {0xffffffffU, 0xffffffffU, 0xffffffffU}), {}},
      {"crc.idx.gz",
       [&] {
         std::string packed = gzip_bytes(idx);
         packed[packed.size() - 6] = static_cast<char>(packed[packed.size() - 6] ^ 1);
         return packed;
       }(),
       {}},
      {"ragged.csv", "a,b\n1,2\n3\n", {"line 3"}},
      {"text.csv", "a,b\n1,2\n3,four\n", {"line 3", "b"}},
      {"nan.csv", "a,b\n1,nan\n", {"line 2", "b"}},
      {"header.csv", "a,b\n", {}},
      {"outside.csv", "a,b\n0.5,2\n", {"row 0", "[0,1]"}},
  };
  for (const Broken& broken : cases) {
    const std::string path = write_file(dir.path() / broken.name, broken.bytes);
    std::vector<std::string> needles = broken.needles;
    needles.emplace_back(broken.name);
    check_fails({"--data", path}, out, 3, needles);
    CHECK_FALSE(fs::exists(out));
  }
}

TEST_CASE("an output that cannot be written exits 1", "[cli]") {
  const TempDir dir;
  const std::string file = write_file(dir.path() / "file", "");
  check_fails({"--data", "shapes:16x16,n=50"}, fs::path(file) / "run", 1, {"run"});
}

TEST_CASE("a disk that fills exits 1 and leaves no model", "[cli]") {
  if (std::string_view(VAECUDA_SANITIZED) == "thread") {
    std::cout << "skipped: ThreadSanitizer cannot start where files are limited to 16 KiB\n";
    return;
  }
  // A limit on file sizes stands in for the full disk: writes past 16 KiB fail. The model needs 60 KiB.
  const TempDir dir;
  const fs::path out = dir.path() / "run";
  const ProgramResult result =
      run_program("/bin/bash",
                  {"-c",
                   "ulimit -f 16; trap '' XFSZ; exec \"$0\" --data shapes:16x16,n=200 --hidden 16 --epochs 2 "
                   "--device cpu --out \"$1\"",
                   VAECUDA_TRAIN_PATH, out.string()});
  INFO(result.err);
  CHECK(result.exit_code == 1);
  CHECK(result.err.find("error: ") != std::string::npos);
  CHECK(result.err.find(out.string()) != std::string::npos);
  CHECK_FALSE(fs::exists(out / "model.safetensors"));
  CHECK_FALSE(fs::exists(out / "last.safetensors"));
  for (const auto& entry : fs::directory_iterator(out)) {
    CHECK(entry.path().string().find(".tmp") == std::string::npos);
  }
}

TEST_CASE("a model that does not fit in memory exits 4", "[cli]") {
  const TempDir dir;
  check_fails({"--data", "shapes:16x16,n=50", "--hidden", "16777216,4096"}, dir.path() / "run", 4,
              {"not enough memory", "MiB asked", "available"});
}

TEST_CASE("a run that diverges exits 6", "[cli]") {
  const TempDir dir;
  check_fails({"--data", "shapes:16x16,n=200", "--likelihood", "gaussian", "--lr", "1e6", "--epochs", "20"},
              dir.path() / "run", 6, {"diverged in step", "--clip-norm"});
}

}  // namespace vaecuda::test
