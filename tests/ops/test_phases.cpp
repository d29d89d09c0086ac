// How threads share the phases of a program: every unit once, no phase before the one before it is done,
// whatever the number of threads and of units.
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "host/cpu/program.hpp"
#include "support/catch.hpp"

using namespace vaecuda;
using cpu::CompiledPlan;
using cpu::CpuProgram;
using cpu::Phase;
using cpu::ProgramMemory;
using cpu::Tile;
using cpu::Unit;

namespace {

Unit unit_of_rows(std::int64_t begin, std::int64_t end, std::size_t piece = 0) {
  return {piece, piece + 1,
          Tile{.row_begin = begin, .row_end = end, .col_begin = 0, .col_end = 1, .slot = 0}};
}

std::vector<std::int64_t> first_rows(const Phase& phase, std::size_t share) {
  std::vector<std::int64_t> rows;
  for (std::size_t i = share == 0 ? 0 : phase.shares[share - 1]; i < phase.shares[share]; ++i) {
    rows.push_back(phase.units[i].tile.row_begin);
  }
  return rows;
}

}  // namespace

TEST_CASE("each unit of each phase is done once, after all of the phase before", "[phases]") {
  const std::vector<std::int64_t> counts{1, 5, 2, 1, 3, 7, 1};
  constexpr std::int64_t kSteps = 3000;
  for (const int threads : {1, 2, 3, 4, 7}) {
    INFO(threads << " threads");
    std::vector<std::vector<std::int64_t>> done;  // times, per phase and unit
    done.reserve(counts.size());
    for (const std::int64_t count : counts) done.emplace_back(count, 0);
    std::atomic<std::int64_t> early{0};
    std::int64_t ends = 0;
    CompiledPlan compiled;
    compiled.memory = std::make_unique<ProgramMemory>();
    compiled.threads = threads;
    for (std::size_t p = 0; p < counts.size(); ++p) {
      Phase phase;
      phase.pieces.push_back({0, [&, p](const Tile& tile, float*) {
                                std::int64_t& mine = done[p][static_cast<std::size_t>(tile.row_begin)];
                                // Plain memory on purpose: a race would be a race of the real units too.
                                const std::int64_t before = p == 0 ? mine : mine + 1;
                                for (const std::int64_t times : done[p == 0 ? counts.size() - 1 : p - 1]) {
                                  if (times != before) early.fetch_add(1);
                                }
                                ++mine;
                              }});
      for (std::int64_t u = 0; u < counts[p]; ++u) phase.units.push_back(unit_of_rows(u, u + 1));
      phase.after.push_back({0, [&] { ++ends; }});
      compiled.phases.push_back(std::move(phase));
    }
    CpuProgram program(std::move(compiled));
    program.run(kSteps);
    program.run(1);
    CHECK(early.load() == 0);
    CHECK(ends == (kSteps + 1) * static_cast<std::int64_t>(counts.size()));
    for (const std::vector<std::int64_t>& phase : done) {
      CHECK(phase == std::vector<std::int64_t>(phase.size(), kSteps + 1));
    }
  }
}

TEST_CASE("a thread's share is the same part of every op, the large units first", "[phases]") {
  Phase phase;
  phase.pieces.resize(3);
  for (std::int64_t r = 0; r < 8; ++r) phase.units.push_back(unit_of_rows(10 * r, 10 * r + 10, 0));
  phase.units.push_back(unit_of_rows(0, 4, 1));
  for (std::int64_t r = 0; r < 3; ++r)
    phase.units.push_back(unit_of_rows(1000 + 30 * r, 1000 + 30 * r + 30, 2));

  cpu::deal_units(phase, 2);
  CHECK(phase.shares == std::vector<std::size_t>{5, 12});
  CHECK(first_rows(phase, 0) == std::vector<std::int64_t>{1000, 0, 10, 20, 30});
  CHECK(first_rows(phase, 1) == std::vector<std::int64_t>{1030, 1060, 40, 50, 60, 70, 0});

  // Again for another number of threads, more than most ops have units.
  cpu::deal_units(phase, 5);
  CHECK(phase.shares.size() == 5);
  CHECK(phase.shares.back() == 12);
  std::vector<std::int64_t> all;
  for (std::size_t share = 0; share < 5; ++share) {
    for (const std::int64_t row : first_rows(phase, share)) all.push_back(row);
  }
  std::sort(all.begin(), all.end());
  CHECK(all == std::vector<std::int64_t>{0, 0, 10, 20, 30, 40, 50, 60, 70, 1000, 1030, 1060});
}

TEST_CASE("an exception from a phase's end reaches the caller", "[phases]") {
  for (const int threads : {1, 3}) {
    CompiledPlan compiled;
    compiled.memory = std::make_unique<ProgramMemory>();
    compiled.threads = threads;
    Phase phase;
    phase.pieces.push_back({0, [](const Tile&, float*) {}});
    phase.units = {unit_of_rows(0, 1), unit_of_rows(1, 2)};
    std::int64_t ends = 0;
    phase.after.push_back({0, [&ends] {
                             if (++ends == 5) throw std::bad_alloc();
                           }});
    compiled.phases.assign(2, phase);
    CpuProgram program(std::move(compiled));
    CHECK_THROWS_AS(program.run(100), std::bad_alloc);
    CHECK(ends == 5);
  }
}
