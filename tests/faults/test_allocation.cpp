// A whole run with one allocation failing: the n-th, for n from 0 until none fails any more. Whatever the
// place, the run ends with an error, not with a crash, and gives back all that it had; what it left on the
// disk can be resumed. VAECUDA_EVERY_ALLOCATION=1 tries every n; without it some fifty, spread over the run.
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <new>
#include <string>

#include "support/run_files.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"
#include "vaecuda/error.hpp"
#include "vaecuda/trainer.hpp"

namespace {

std::atomic<long> countdown{std::numeric_limits<long>::max()};  ///< allocations until one fails
std::atomic<long> live{0};

void* allocate(std::size_t size) {
  if (countdown.fetch_sub(1) == 0) return nullptr;
  void* memory = std::malloc(size > 0 ? size : 1);
  if (memory != nullptr) live.fetch_add(1);
  return memory;
}

void release(void* memory) {
  if (memory == nullptr) return;
  live.fetch_sub(1);
  std::free(memory);
}

}  // namespace

// The other forms of the standard library call these.
void* operator new(std::size_t size) {
  if (void* memory = allocate(size)) return memory;
  throw std::bad_alloc();
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return allocate(size);
}
void operator delete(void* memory) noexcept {
  release(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  release(memory);
}
void operator delete(void* memory, const std::nothrow_t&) noexcept {
  release(memory);
}

namespace vaecuda::test {
namespace {

namespace fs = std::filesystem;

RunConfig tiny_run(const fs::path& out) {
  RunConfig config;
  config.data.train.path = "shapes:16x16,n=40";
  config.data.valid_fraction = 0.25;
  config.model.hidden = {4};
  config.model.latent_dim = 2;
  config.train.device = "cpu";
  config.train.threads = 1;
  config.train.batch_size = 10;
  config.train.epochs = 2;
  config.output.checkpoint_every = 2;
  config.output.log_every = 2;
  config.output.overwrite = true;
  config.output.dir = out.string();
  return config;
}

/// True if the run was not hit.
bool train(const RunConfig& config) {
  try {
    static_cast<void>(Trainer(config).run());
    return true;
  } catch (const Error&) {
  } catch (const std::bad_alloc&) {
  }
  return false;
}

}  // namespace

TEST_CASE("a run survives the failure of any of its allocations", "[allocation]") {
  const TempDir dir;
  const RunConfig config = tiny_run(dir.path() / "run");
  // Tables that are made once and stay.
  REQUIRE(train(config));
  const RunFiles expected(config.output.dir);
  countdown = std::numeric_limits<long>::max() / 2;
  REQUIRE(train(config));
  const long allocations = std::numeric_limits<long>::max() / 2 - countdown.load();
  REQUIRE(allocations > 1000);
  const long stride = std::getenv("VAECUDA_EVERY_ALLOCATION") != nullptr ? 1 : allocations / 50;
  long failures = 0;
  long tried = 0;
  for (long n = 0; n < allocations; n += stride) {
    INFO("allocation " << n << " of " << allocations);
    const long before = live.load();
    countdown = n;
    const bool done = train(config);
    countdown = std::numeric_limits<long>::max();
    failures += done ? 0 : 1;
    ++tried;
    // A path's text in INFO is allocated here as well, so the count is taken first.
    const long after = live.load();
    CHECK(after == before);
  }
  // Some are asked for with a way out if they fail; all others end the run.
  CHECK(3 * failures > 2 * tried);
  REQUIRE(train(config));
  CHECK(RunFiles(config.output.dir).difference(expected) == "");
}

}  // namespace vaecuda::test
