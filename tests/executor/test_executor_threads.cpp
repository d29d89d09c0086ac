// Executors of several threads at a time: each has its own stacks and its own view of the program.
#include <string>
#include <thread>
#include <vector>

#include "cuda/test_backend.hpp"

using namespace vaecuda;

TEST_CASE("executors of several threads do not meet", "[executor][threads]") {
  const Dataset data = test::small_data();
  const test::TrainingBench bench = test::small_bench();
  const test::SimtSetup setup = test::setup_of(simt::EpilogueSupport::none);
  const test::TrainingResult expected = bench.run(setup.executor(), data, 6);
  std::vector<test::TrainingResult> results(4);
  std::vector<std::string> errors(results.size());
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < results.size(); ++t) {
    threads.emplace_back([&, t] {
      try {
        results[t] = bench.run(setup.executor(), data, 6);
      } catch (const std::exception& error) {
        errors[t] = error.what();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(errors == std::vector<std::string>(results.size()));
  for (const test::TrainingResult& result : results) test::check_same(result, expected);
}
