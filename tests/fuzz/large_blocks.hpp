// Large blocks of memory that are cheap to take (large_blocks.cpp).
#pragma once

namespace vaecuda::fuzz {

/// While it lives, the program's large blocks come from there; what libFuzzer itself takes does not. Of these
/// blocks its look for leaks knows nothing: one that was not given back ends the process here.
class LargeBlocks {
 public:
  LargeBlocks();
  LargeBlocks(const LargeBlocks&) = delete;
  LargeBlocks& operator=(const LargeBlocks&) = delete;
  ~LargeBlocks();
};

}  // namespace vaecuda::fuzz
