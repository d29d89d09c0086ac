// One libFuzzer program for all targets: VAECUDA_FUZZ_TARGET names the one to run. tests/fuzz/fuzz.sh builds
// it.
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "fuzz/large_blocks.hpp"
#include "fuzz/served_files.hpp"
#include "fuzz/targets.hpp"

namespace {

const vaecuda::fuzz::Target& chosen() {
  const char* name = std::getenv("VAECUDA_FUZZ_TARGET");
  for (const vaecuda::fuzz::Target& target : vaecuda::fuzz::targets()) {
    if (name != nullptr && target.name == name) return target;
  }
  std::fprintf(stderr, "VAECUDA_FUZZ_TARGET must name a target:");
  for (const vaecuda::fuzz::Target& target : vaecuda::fuzz::targets()) {
    std::fprintf(stderr, " %.*s", static_cast<int>(target.name.size()), target.name.data());
  }
  std::fprintf(stderr, "\n");
  std::exit(2);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const vaecuda::fuzz::Target& kTarget = chosen();
  const vaecuda::fuzz::LargeBlocks blocks;
  kTarget.run({data, size});
  if (vaecuda::fuzz::served_descriptors() != 0) std::abort();  // a leak
  return 0;
}
