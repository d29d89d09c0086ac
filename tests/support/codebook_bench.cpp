#include "support/codebook_bench.hpp"

#include "support/catch.hpp"
#include "support/op_bench.hpp"

namespace vaecuda::test {

std::vector<Executor> codebook_executors() {
  std::vector<Executor> all = executors();
  std::erase_if(all, [](const Executor& e) { return e.name == "simt without epilogues"; });
  return all;
}

void describe(const Executor& executor, const CodebookCase& c) {
  UNSCOPED_INFO(executor.name << ", B " << c.batch << ", G " << c.groups << ", M " << c.size << ", L "
                              << c.width << ", offset " << c.offset);
}

std::vector<float> make_arena(const CodebookCase& c, double scale) {
  return noise(c.arena(), 51, scale);
}

std::vector<float> codes_of(const CodebookCase& c, const std::vector<float>& arena) {
  return {arena.begin() + c.offset, arena.begin() + c.offset + c.groups * c.size * c.width};
}

oracle::Codebooks books_of(const CodebookCase& c, const std::vector<float>& arena) {
  return {c.groups, c.size, c.width, oracle::from_floats(codes_of(c, arena), c.groups * c.size, c.width)};
}

}  // namespace vaecuda::test
