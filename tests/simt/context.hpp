// What the watched kernel is doing right now: the state that every load and store is checked against.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "simt/error.hpp"
#include "simt/kernel_call.hpp"
#include "simt/memory.hpp"
#include "simt/order.hpp"
#include "simt/page_log.hpp"
#include "simt/record.hpp"

namespace vaecuda::simt {

/// One pass over a grid.
struct Pass {
  const LaunchHead* head = nullptr;
  const KernelCall* call = nullptr;
  Memory* memory = nullptr;
  PageLog* pages = nullptr;
  /// Accesses before this time are ordered before everything now: the pass's begin or the last grid barrier.
  std::uint32_t floor = 0;
  std::vector<ReadSet> read_sets;
  /// By address of the cell's bytes, every atomic on it since the last plain write, and that write.
  std::unordered_map<std::uintptr_t, std::vector<Record>> atomics;
  TicketOrder tickets;
  std::optional<Fault> fault;
};

/// Inactive, with no stack and no pages, while no kernel code runs, so that instrumented host code passes by.
struct Context {
  std::uintptr_t stack = 0;  ///< of the running fiber
  std::size_t stack_bytes = 0;
  std::uintptr_t arena = 0;
  std::size_t arena_pages = 0;
  Region** page_map = nullptr;
  Record me = 0;             ///< what an access by the running thread is recorded as
  std::uint32_t floor = 0;   ///< copy of Pass::floor
  std::uint32_t launch = 0;  ///< number of the launch, both its passes
  bool active = false;
  /// Outside the arena: the kernel's arguments, which may be read, and a segment of the program that may be
  /// written (gcov's counters), both decided without a call.
  std::uintptr_t arguments = 0;
  std::size_t arguments_bytes = 0;
  std::uintptr_t data = 0;
  std::size_t data_bytes = 0;
  const BlockOrder* order = nullptr;
  Pass* pass = nullptr;
};

extern constinit thread_local Context g_context;

/// Executor code that runs on a fiber and uses the standard library: the linker may have taken an
/// instrumented copy of its templates.
class Unobserved {
 public:
  Unobserved() : saved_(g_context) { g_context = Context{}; }
  ~Unobserved() { g_context = saved_; }
  Unobserved(const Unobserved&) = delete;
  Unobserved& operator=(const Unobserved&) = delete;
  /// The state outside this guard; changes to it stay.
  [[nodiscard]] Context& context() { return saved_; }

 private:
  Context saved_;
};

/// Notes a fault of the running thread, for Launcher to throw.
void set_fault(const Context& context, FaultKind kind, const void* address, std::string what);
/// Never comes back: the launch ends, and its fibers stay where they stand. Nothing that owns memory may be
/// on the stack.
[[noreturn]] void abandon_thread();

/// Where the running thread stands, as a fault names it.
[[nodiscard]] std::string thread_name(const LaunchHead& head, std::uint32_t who, bool with_block);

}  // namespace vaecuda::simt
