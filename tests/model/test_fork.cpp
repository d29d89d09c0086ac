// A process that was forked after calls of several threads: everything works in it, on one thread, with the
// same bytes, and nothing waits for threads that are not there.
#include <signal.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "host/cpu/team.hpp"
#include "host/inference/passes.hpp"
#include "support/catch.hpp"
#include "support/model_bench.hpp"
#include "support/run_files.hpp"
#include "support/small_vae.hpp"
#include "support/temp_dir.hpp"
#include "vaecuda/evaluate.hpp"
#include "vaecuda/trainer.hpp"
#include "vaecuda/vae.hpp"

namespace vaecuda {
namespace {

constexpr std::int64_t kForkColumns = 200;
constexpr std::int64_t kForkRows = 600;

/// Forks; gives the child's exit code, −N where signal N ended it. `work` gives that code; an exception
/// is 99. A child that hangs is ended by its alarm.
int in_child(const std::function<int()>& work) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGALRM, SIG_DFL);
    ::alarm(120);
    int code = 99;
    try {
      code = work();
    } catch (...) {  // the child has a status and nothing else to tell by
      code = 99;
    }
    ::_exit(code);
  }
  REQUIRE(child > 0);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/// Large enough that its passes have work for several threads.
ModelFile wide_model() {
  ModelFile file;
  file.model.input_dim = kForkColumns;
  file.model.hidden = {96};
  file.model.latent_dim = 4;
  file.model.likelihood = Likelihood::gaussian;
  test::initialize(file);
  return file;
}

std::string train_into(const std::string& folder, std::int64_t threads) {
  RunConfig config;
  config.model = wide_model().model;
  config.train.batch_size = 128;
  config.train.steps = 6;
  config.train.device = "cpu";
  config.train.threads = threads;
  config.output.dir = folder;
  config.output.overwrite = true;
  Trainer trainer(config, {Dataset(test::some_rows(kForkRows, kForkColumns), kForkRows, kForkColumns),
                           std::nullopt, std::nullopt});
  return test::read_bytes(trainer.run().model);
}

}  // namespace

TEST_CASE("a process forked after calls of several threads computes the same bytes on one",
          "[fork][threads]") {
  const test::TempDir folder;
  const std::string path = (folder.path() / "m.safetensors").string();
  save_model(path, wide_model());
  RunOn on;
  on.device = "cpu";
  on.threads = 3;
  const std::vector<float> x = test::some_rows(kForkRows, kForkColumns);
  const Vae vae = Vae::load(path, on);
  const std::vector<float> mean = vae.encode(x).mean;
  const std::vector<float> nll = vae.elbo(x, 3).reconstruction;
  const Dataset data(x, kForkRows, kForkColumns);
  EvaluateOptions options;
  options.samples = 10;
  const double loss = evaluate(vae, data, options).negative_elbo.mean;
  const std::string trained = train_into((folder.path() / "parent").string(), 3);
  REQUIRE_FALSE(cpu::is_forked_from_threads());

  const auto same = [&](const Vae& in) {
    return test::same_bits(in.encode(x).mean, mean) && test::same_bits(in.elbo(x, 3).reconstruction, nll);
  };
  CHECK(in_child([&] { return same(vae) ? 0 : 1; }) == 0);                  // the parent's model
  CHECK(in_child([&] { return same(Vae::load(path, on)) ? 0 : 1; }) == 0);  // one of its own
  CHECK(in_child([&] { return evaluate(vae, data, options).negative_elbo.mean == loss ? 0 : 1; }) == 0);
  CHECK(in_child([&] { return train_into((folder.path() / "child").string(), 3) == trained ? 0 : 1; }) == 0);
  CHECK(in_child([&] {
          if (!cpu::is_forked_from_threads()) return 1;
          return in_child([&] { return same(vae) ? 0 : 2; });  // and a child of the child
        }) == 0);
  // The parent goes on with all of its threads.
  CHECK(same(vae));
  CHECK(cpu::Team(3, nullptr).threads() == 3);
}

TEST_CASE("a fork while every pass is in use leaves the child passes of its own", "[fork][threads]") {
  const auto backend = make_cpu_backend(1);
  const ModelConfig model = wide_model().model;
  const ParameterLayout layout = make_layout(model);
  const auto store = backend->make_parameters(layout.size, false);
  store->write(ParameterStore::Part::parameters, wide_model().parameters);
  const Preparation preparation;
  auto passes = std::make_unique<Passes>(ModelOnDevice{*backend, *store, layout, model, preparation}, 0);
  const PassKey key{PassKind::evaluate, {1, 1}, 7};
  const std::vector<float> row = test::some_rows(1, kForkColumns);
  const auto nll_of = [&] {
    const Passes::Lease lease = passes->take(key);
    lease.pass().run(0, 1, row);
    std::vector<float> nll(1);
    lease.pass().read("rows.nll", nll);
    return nll[0];
  };
  const float expected = nll_of();
  std::vector<Passes::Lease> all;
  for (int i = 0; i < backend->programs_at_once(); ++i) all.push_back(passes->take(key));
  CHECK(in_child([&] {
          const bool right = nll_of() == expected && nll_of() == expected;
          passes.reset();
          return right ? 0 : 1;
        }) == 0);
  all.clear();
  CHECK(nll_of() == expected);
}

}  // namespace vaecuda
