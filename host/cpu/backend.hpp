// The CPU backend with given loops; make_cpu_backend (host/plan/backend.hpp) takes the fastest.
#pragma once

#include <memory>

#include "host/cpu/loops.hpp"
#include "host/plan/backend.hpp"

namespace vaecuda::cpu {

/// threads: 0 is one per usable core. `loops` is one of supported_loops().
[[nodiscard]] std::unique_ptr<Backend> make_backend_of(const Loops& loops, int threads);

}  // namespace vaecuda::cpu
