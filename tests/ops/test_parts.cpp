// A pass over many rows, made in parts through exchange buffers, gives the bits of the pass that has them
// all.
#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <future>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "host/cpu/loops.hpp"
#include "host/inference/passes.hpp"
#include "support/catch.hpp"
#include "support/executor.hpp"
#include "support/model_bench.hpp"
#include "support/op_bench.hpp"
#include "support/tolerance.hpp"

using namespace vaecuda;

namespace {

constexpr std::int64_t kRows = 301;
constexpr std::int64_t kColumns = 9;
constexpr std::int64_t kLatents = 3;

struct Model {
  ModelConfig config = test::small_config(kColumns, {6}, kLatents, 8).model;
  ParameterLayout layout = make_layout(config);
  Preparation preparation;
  std::vector<float> parameters = std::vector<float>(static_cast<std::size_t>(layout.size));
  std::vector<float> rows;

  Model() {
    initialize_parameters(layout, config, 3, parameters.data());
    preparation.scale = 0.5f;
    preparation.mean.assign(kColumns, 0.1f);
    preparation.inverse_deviation.assign(kColumns, 0.7f);
    preparation.binarize = Binarize::stochastic;  // noise by row in the data, too
    rows = test::noise(kRows * kColumns, 7, 0.4);
    for (float& v : rows) v += 0.9f;
  }
};

struct RowTerms {
  std::vector<float> nll = std::vector<float>(static_cast<std::size_t>(kRows));
  std::vector<float> kl = std::vector<float>(static_cast<std::size_t>(kRows));
};

}  // namespace

TEST_CASE("a pass made in parts has the random numbers and the bits of the whole", "[parts]") {
  const Model model;
  for (const test::Executor& executor : test::executors()) {
    INFO(executor.name);
    const auto backend = executor.make();
    const auto store = backend->make_parameters(model.layout.size, false);
    store->write(ParameterStore::Part::parameters, model.parameters);

    const Dataset data(model.rows, kRows, kColumns);
    const Plan plan =
        build_evaluation_plan(model.layout, model.config, model.preparation, {kRows, ElementType::f32}, 5);
    const auto resident = backend->make_resident(data);
    const auto program = backend->compile(plan, *store, resident.get());
    program->set_position(0);
    program->run(2);
    RowTerms whole;
    program->read(plan.find_buffer("rows.nll"), whole.nll);
    program->read(plan.find_buffer("rows.kl"), whole.kl);

    Passes passes({*backend, *store, model.layout, model.config, model.preparation}, 1);
    CHECK(passes.size_for(PassKind::evaluate, -1).capacity == kInferenceBatch);
    Pass& pass = passes.take({PassKind::evaluate, {}, 5}).pass();
    RowTerms parts;
    const auto run_part = [&](std::int64_t first, std::int64_t count) {
      const auto begin = static_cast<std::size_t>(first);
      const auto size = static_cast<std::size_t>(count);
      pass.run(first, count, std::span(model.rows).subspan(begin * kColumns, size * kColumns));
      pass.read("rows.nll", std::span(parts.nll).subspan(begin, size));
      pass.read("rows.kl", std::span(parts.kl).subspan(begin, size));
    };
    run_part(256, 45);  // in any order
    run_part(0, 256);
    CHECK(test::compare_bits(parts.nll, whole.nll) == "");
    CHECK(test::compare_bits(parts.kl, whole.kl) == "");

    // A pass that is used again is the same program; another seed is another one.
    CHECK(&passes.take({PassKind::evaluate, {}, 5}).pass() == &pass);
    Pass& other = passes.take({PassKind::evaluate, {}, 6}).pass();
    CHECK(&other != &pass);
    other.run(0, 45, std::span(model.rows).first(45 * kColumns));
    std::vector<float> noise(45);
    other.read("rows.nll", noise);
    CHECK(test::compare_bits(noise, {whole.nll.begin(), whole.nll.begin() + 45}) != "");
  }
}

TEST_CASE("passes beyond those that are kept are compiled anew and give the same", "[parts]") {
  const Model model;
  const auto backend = make_cpu_backend(1);
  const auto store = backend->make_parameters(model.layout.size, false);
  store->write(ParameterStore::Part::parameters, model.parameters);
  Passes passes({*backend, *store, model.layout, model.config, model.preparation}, 0);
  const auto evaluate = [&](std::uint64_t seed) {
    Pass& pass = passes.take({PassKind::evaluate, {}, seed}).pass();
    pass.run(0, 20, std::span(model.rows).first(20 * kColumns));
    std::vector<float> nll(20);
    pass.read("rows.nll", nll);
    return nll;
  };
  const std::vector<float> first = evaluate(0);
  const std::int64_t one = backend->allocated_bytes();
  for (std::uint64_t seed = 1; seed < 40; ++seed) (void)evaluate(seed);
  CHECK(test::compare_bits(evaluate(0), first) == "");
  // Bytes stay bounded: at most eight passes live, and the parameters.
  CHECK(backend->allocated_bytes() <= 8 * one);
}

TEST_CASE("calls at the same time have a pass each, and its memory is used again", "[parts][threads]") {
  const Model model;
  const auto backend = make_cpu_backend(1);
  const auto store = backend->make_parameters(model.layout.size, false);
  store->write(ParameterStore::Part::parameters, model.parameters);
  Passes passes({*backend, *store, model.layout, model.config, model.preparation}, 0);
  const PassKey key{PassKind::evaluate, {1, 1}, 5};
  const auto nll_of = [&](Pass& pass, std::int64_t row) {
    pass.run(row, 1, std::span(model.rows).subspan(static_cast<std::size_t>(row * kColumns), kColumns));
    std::vector<float> nll(1);
    pass.read("rows.nll", nll);
    return nll[0];
  };
  const float first = nll_of(passes.take(key).pass(), 0);
  const float second = nll_of(passes.take(key).pass(), 1);
  // Each thread holds its pass until the other one has run: calls that took turns would never get there.
  std::array<float, 2> found{};
  std::array<Pass*, 2> used{};
  {
    std::mutex guard;
    std::condition_variable met;
    int there = 0;
    std::array<bool, 2> in_time{};
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < 2; ++t) {
      threads.emplace_back([&, t] {
        const Passes::Lease lease = passes.take(key);
        used[t] = &lease.pass();
        found[t] = nll_of(lease.pass(), static_cast<std::int64_t>(t));
        std::unique_lock<std::mutex> lock(guard);
        ++there;
        met.notify_all();
        in_time[t] = met.wait_for(lock, std::chrono::seconds(60), [&] { return there == 2; });
      });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(in_time == std::array<bool, 2>{true, true});
  }
  CHECK(used[0] != used[1]);
  CHECK(found == std::array<float, 2>{first, second});
  const std::int64_t bytes = backend->allocated_bytes();
  const Passes::Lease again = passes.take(key);
  const Passes::Lease beside = passes.take(key);
  CHECK(((&again.pass() == used[0] && &beside.pass() == used[1]) ||
         (&again.pass() == used[1] && &beside.pass() == used[0])));
  CHECK(backend->allocated_bytes() == bytes);
}

TEST_CASE("a call for which there is no pass left waits for one", "[parts][threads]") {
  const Model model;
  const auto backend = make_cpu_backend(1);
  const auto store = backend->make_parameters(model.layout.size, false);
  store->write(ParameterStore::Part::parameters, model.parameters);
  Passes passes({*backend, *store, model.layout, model.config, model.preparation}, 0);
  const PassKey key{PassKind::encode, {1, 1}};
  std::vector<Passes::Lease> all;
  for (int i = 0; i < backend->programs_at_once(); ++i) all.push_back(passes.take(key));
  std::set<const Pass*> different;
  for (const Passes::Lease& lease : all) different.insert(&lease.pass());
  CHECK(different.size() == all.size());
  std::future<const Pass*> waiting =
      std::async(std::launch::async, [&]() -> const Pass* { return &passes.take(key).pass(); });
  CHECK(waiting.wait_for(std::chrono::milliseconds(20)) == std::future_status::timeout);
  const Pass* freed = &all.back().pass();
  all.pop_back();
  CHECK(waiting.get() == freed);
}

TEST_CASE("every pass keeps to its budget, labels included", "[parts]") {
  constexpr double kMebibyte = 1024.0 * 1024.0;
  const auto backend = make_cpu_backend(1);
  for (const std::int64_t classes : {0, 3, 300, 4000}) {
    for (const std::int64_t columns : {2, 784}) {
      ModelConfig config;
      config.input_dim = columns;
      config.hidden = {4};
      config.latent_dim = 2;
      config.condition_dim = classes;
      const ParameterLayout layout = make_layout(config);
      const auto store = backend->make_parameters(layout.size, false);
      const Preparation preparation;
      for (const PassKind kind : {PassKind::encode, PassKind::decode, PassKind::reconstruct,
                                  PassKind::evaluate, PassKind::likelihood}) {
        Passes passes({*backend, *store, layout, config, preparation}, 0);
        const std::int64_t samples = kind == PassKind::likelihood ? 16 : 1;
        const PassSize size = passes.size_for(kind, -1, samples);
        const auto bytes_of = [&](PassSize one) {
          const std::int64_t before = backend->allocated_bytes();
          const Passes::Lease lease = passes.take({kind, one, 1, samples});
          return static_cast<double>(backend->allocated_bytes() - before) / kMebibyte;
        };
        INFO("pass " << static_cast<int>(kind) << ", " << classes << " classes, " << columns << " columns, "
                     << size.capacity << " rows");
        // What a block computes with does not grow with the rows at a time.
        const double block = bytes_of({});
        const double whole = size.capacity == kInferenceBatch ? block : bytes_of(size);
        CHECK(whole < 32.0 + block);
        // And uses it, where neither the most rows nor the most samples at a time are fewer.
        CHECK((whole > 28.0 || size.capacity == 65536 || samples > 1));
      }
    }
  }
}

TEST_CASE("a pass of one row holds little", "[parts]") {
  ModelConfig config;
  config.input_dim = 784;
  config.hidden = {400};
  config.latent_dim = 20;
  const ParameterLayout layout = make_layout(config);
  const auto backend = make_cpu_backend(1);
  const auto store = backend->make_parameters(layout.size, false);
  const Preparation preparation;
  Passes passes({*backend, *store, layout, config, preparation}, 0);
  const auto bytes_of = [&](PassSize size) {
    const std::int64_t before = backend->allocated_bytes();
    const Passes::Lease lease = passes.take({PassKind::evaluate, size, 1});
    return backend->allocated_bytes() - before;
  };
  constexpr std::int64_t kKibibyte = 1024;
  // A strip of weights, which is as wide as the processor's vectors, and little beside it (docs/library.md).
  const std::int64_t strip = 4 * cpu::select_loops().products().scratch_size(0, 0, config.input_dim);
  CHECK(bytes_of({1, 1}) < 16 * kKibibyte + strip);
  const std::int64_t many = bytes_of(passes.size_for(PassKind::evaluate, -1));
  CHECK(many > 30 * 1024 * kKibibyte);
  CHECK(many < 36 * 1024 * kKibibyte);
  const PassSize one = passes.size_for(PassKind::evaluate, 1);
  CHECK(one.block == (backend->has_small_blocks() ? 1 : kInferenceBatch));
  CHECK(passes.size_for(PassKind::evaluate, 33).block ==
        (backend->has_small_blocks() ? 32 : kInferenceBatch));
  CHECK(passes.size_for(PassKind::evaluate, 129).block == kInferenceBatch);
}
