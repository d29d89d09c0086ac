// How much memory a training run takes: its data, parameters and activations, and no more with every step. In
// a process of their own (ctest's cli_memory), for the peak of a program begins with what its parent holds.
#include <sys/resource.h>

#include <string>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/run_program.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/words.hpp"

namespace vaecuda::test {
namespace {

/// KiB that were resident at most.
long peak_of(Words words) {
  const TempDir dir;
  words.insert(words.end(), {"--device", "cpu", "--quiet", "--out", (dir.path() / "run").string()});
  const ProgramResult result = run_program(VAECUDA_TRAIN_PATH, words);
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  rusage own{};
  REQUIRE(getrusage(RUSAGE_SELF, &own) == 0);
  REQUIRE(own.ru_maxrss < result.peak_kib);  // or it would hide the program's
  return result.peak_kib;
}

}  // namespace

TEST_CASE("training takes its data, 16 bytes a parameter and at most 100 MiB more", "[.][memory]") {
  constexpr long kData = 20000L * 784 / 1024;
  constexpr long kParameters = 16L * 652824 / 1024;
  constexpr long kActivations = 4L * 128 * (784 + 400 + 40 + 20 + 400 + 784) / 1024;
  const long peak = peak_of({"--data", "shapes:28x28,n=20000", "--hidden", "400", "--latent-dim", "20",
                             "--steps", "20", "--batch-size", "128"});
  CHECK(peak < kData + kParameters + kActivations + 100L * 1024);
  CHECK(peak > kData);
}

TEST_CASE("more steps take no more memory", "[.][memory]") {
  const auto peak = [](const char* steps) {
    return peak_of({"--data", "shapes:16x16,n=100000", "--hidden", "8", "--latent-dim", "2", "--batch-size",
                    "4", "--log-every", "10", "--no-report", "--steps", steps});
  };
  // Two runs alike differ by some 500 KiB; 40 bytes a step that stay would be 1 MiB.
  CHECK(peak("30000") < peak("3000") + 1024);
}

}  // namespace vaecuda::test
