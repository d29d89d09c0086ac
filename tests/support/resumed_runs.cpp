#include "support/resumed_runs.hpp"

#include "support/op_bench.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/files.hpp"
#include "vaecuda/trainer.hpp"

namespace vaecuda::test {

namespace fs = std::filesystem;

namespace {

std::string write_rows(const fs::path& dir) {
  std::string bytes;
  for (const float value : noise(37 * 12, 5, 127.0))
    bytes += static_cast<char>(static_cast<int>(value) + 127);
  return write_file(dir / "rows.npy", npy_bytes("|u1", "37, 12", bytes));
}

}  // namespace

RunConfig small_run(const fs::path& dir) {
  RunConfig config;
  config.data.train.path = write_rows(dir);
  config.data.valid_fraction = 0.2;
  config.model.hidden = {9};
  config.model.latent_dim = 3;
  config.train.device = "cpu";
  config.train.batch_size = 5;
  config.train.steps = kSteps;
  config.output.log_every = 7;
  return config;
}

std::string write_labels(const fs::path& dir) {
  std::string bytes;
  for (int row = 0; row < 37; ++row) bytes += static_cast<char>(row % 3);
  return write_file(dir / "labels.npy", npy_bytes("|u1", "37,", bytes));
}

RunFiles train_at_once(RunConfig config, const fs::path& out) {
  config.output.dir = out.string();
  static_cast<void>(Trainer(config).run());
  return RunFiles(out);
}

void train_until(RunConfig config, const fs::path& out, std::int64_t k) {
  config.output.dir = out.string();
  config.output.checkpoint_every = k;
  TrainObserver observer;
  observer.stop_requested = [&out] { return fs::exists(out / "state.safetensors"); };
  const TrainSummary summary = Trainer(config, observer).run();
  REQUIRE(summary.steps == k);
  // After the last step the pictures are left to the resumed run, where the model has some.
  REQUIRE((summary.stopped || k == *config.train.steps));
}

void resume(const fs::path& out) {
  const TrainSummary summary = Trainer(load_run_config(out.string()), {}, Start::resume).run();
  REQUIRE(summary.steps == kSteps);
  REQUIRE_FALSE(summary.stopped);
}

}  // namespace vaecuda::test
