// Replays the seeds, and what fuzzing has found, through every target; then damages each of them in simple
// ways. The fuzzer itself is tests/fuzz/fuzz.sh.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "fuzz/targets.hpp"
#include "support/catch.hpp"

namespace vaecuda::fuzz {
namespace {

namespace fs = std::filesystem;

std::vector<std::uint8_t> bytes_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("every seed is read or refused, whole and damaged", "[fuzz]") {
  const fs::path corpus = fs::path(VAECUDA_SOURCE_DIR) / "tests" / "fuzz" / "corpus";
  for (const Target& target : targets()) {
    std::size_t seeds = 0;
    for (const auto& entry : fs::directory_iterator(corpus / target.name)) {
      INFO(entry.path().string());
      ++seeds;
      const std::vector<std::uint8_t> whole = bytes_of(entry.path());
      target.run(whole);
      const std::size_t stride = 1 + whole.size() / 200;
      for (std::size_t length = 0; length < whole.size(); length += stride) {
        target.run(Bytes(whole).first(length));
      }
      for (std::size_t at = 0; at < whole.size(); at += stride) {
        for (const int flip : {0x01, 0x80, 0xff}) {
          std::vector<std::uint8_t> damaged = whole;
          damaged[at] = static_cast<std::uint8_t>(damaged[at] ^ flip);
          target.run(damaged);
        }
      }
    }
    INFO(target.name);
    CHECK(seeds >= 3);
  }
}

TEST_CASE("every target takes nothing at all", "[fuzz]") {
  for (const Target& target : targets()) {
    target.run({});
    target.run(std::vector<std::uint8_t>(1));
    target.run(std::vector<std::uint8_t>(100, 0xff));
  }
  SUCCEED("no target ended the process");
}

}  // namespace vaecuda::fuzz
