#include "simt/launch.hpp"

#include <deque>
#include <string>
#include <utility>

#include "simt/block.hpp"
#include "simt/context.hpp"
#include "simt/error.hpp"
#include "simt/segments.hpp"

namespace vaecuda::simt {

constinit thread_local Context g_context{};

namespace {

/// Leaves no trace of the launch in the callbacks, however it ends.
class Watch {
 public:
  Watch(Pass& pass, std::uint32_t launch) {
    g_context = Context{};
    g_context.arena = pass.memory->base();
    g_context.page_map = pass.memory->page_map();
    g_context.floor = pass.floor;
    g_context.launch = launch;
    g_context.pass = &pass;
    g_context.arguments = reinterpret_cast<std::uintptr_t>(pass.call);
    g_context.arguments_bytes = pass.call->bytes();
  }
  ~Watch() {
    g_context = Context{};
    g_block = nullptr;
  }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
};

std::uint32_t block_at(std::uint32_t i, std::uint32_t blocks, bool reversed) {
  return reversed ? blocks - 1 - i : i;
}

Fault grid_fault(const LaunchHead& head, std::uint32_t block, std::string what) {
  Fault fault;
  fault.kind = FaultKind::divergence;
  fault.kernel = head.name;
  fault.block = block;
  fault.thread_x = 0;
  fault.thread_y = 0;
  fault.what = std::move(what);
  return fault;
}

void run_in_turn(Pass& pass, SharedPool& shared, bool reversed) {
  Block block(pass, shared, 0);
  for (std::uint32_t i = 0; i < pass.head->blocks; ++i) {
    block.begin(block_at(i, pass.head->blocks, reversed));
    const Block::Stop stop = block.run(reversed);
    if (stop == Block::Stop::fault) return;
    if (stop == Block::Stop::exited) continue;
    pass.fault =
        grid_fault(*pass.head, block.index(), "waits at a grid barrier, in a launch that is not cooperative");
    return;
  }
}

void run_together(Pass& pass, SharedPool& shared, bool reversed) {
  const std::uint32_t blocks = pass.head->blocks;
  const std::size_t threads = std::size_t{pass.head->threads_x} * pass.head->threads_y;
  std::deque<Block> grid;
  for (std::uint32_t b = 0; b < blocks; ++b) {
    grid.emplace_back(pass, shared, b * threads);
    grid.back().begin(b);
  }
  while (true) {
    std::uint32_t exited = 0;
    std::uint32_t one_exited = 0;
    std::uint32_t one_waiting = 0;
    for (std::uint32_t i = 0; i < blocks; ++i) {
      const std::uint32_t b = block_at(i, blocks, reversed);
      const Block::Stop stop = grid[b].run(reversed);
      if (stop == Block::Stop::fault) return;
      if (stop == Block::Stop::exited) {
        ++exited;
        one_exited = b;
      } else {
        one_waiting = b;
      }
    }
    if (exited == blocks) return;
    if (exited > 0) {
      pass.fault = grid_fault(*pass.head, one_waiting,
                              grid[one_waiting].first_fiber().state() + ", while block " +
                                  std::to_string(one_exited) + " has left the kernel");
      return;
    }
    for (std::uint32_t b = 1; b < blocks; ++b) {
      if (meet(grid[b].first_fiber(), grid[0].first_fiber())) continue;
      pass.fault = grid_fault(
          *pass.head, b, grid[b].first_fiber().state() + ", while block 0 " + grid[0].first_fiber().state());
      return;
    }
    pass.floor = pass.memory->tick();
    g_context.floor = pass.floor;
    for (Block& block : grid) block.pass_grid_barrier(pass.floor);
  }
}

}  // namespace

void Launcher::run_pass(const LaunchHead& head, const KernelCall& call, bool reversed) {
  Pass pass;
  pass.head = &head;
  pass.call = &call;
  pass.memory = memory_;
  pass.pages = &pages_;
  pass.floor = memory_->tick();
  {
    const Watch watch(pass, launches_);
    if (head.cooperative) {
      run_together(pass, shared_, reversed);
    } else {
      run_in_turn(pass, shared_, reversed);
    }
  }
  shared_.give_back_all();
  if (pass.fault) throw SimtError(*pass.fault);
}

void Launcher::run(const LaunchHead& head, const KernelCall& call, bool second_order) {
  find_segments();
  ++launches_;
  pages_.begin(launches_, second_order);
  run_pass(head, call, false);
  if (!second_order) return;
  pages_.rewind();
  run_pass(head, call, true);
  const auto difference = pages_.compare();
  if (!difference) return;
  const Region& region = *difference->region;
  const auto* address = reinterpret_cast<const void*>(region.base + difference->offset);
  const Record writer = region.cells[difference->offset >> region.cell_shift].write;
  Fault fault;
  fault.kind = FaultKind::order_dependent;
  fault.kernel = head.name;
  fault.block = block_of(writer);
  fault.thread_x = static_cast<int>(thread_of(writer) % head.threads_x);
  fault.thread_y = static_cast<int>(thread_of(writer) / head.threads_x);
  fault.buffer = region.name;
  fault.offset = static_cast<std::int64_t>(difference->offset);
  fault.what = "leaves other bits at " + memory_->describe(address) +
               " when the blocks run from the last to the first";
  throw SimtError(std::move(fault));
}

std::string thread_name(const LaunchHead& head, std::uint32_t who, bool with_block) {
  const std::uint32_t thread = who & (kMaxThreads - 1);
  const std::string name = "thread (" + std::to_string(thread % head.threads_x) + "," +
                           std::to_string(thread / head.threads_x) + ")";
  return with_block ? name + " of block " + std::to_string(who >> kThreadBits) : name;
}

void set_fault(const Context& context, FaultKind kind, const void* address, std::string what) {
  const Pass& pass = *context.pass;
  const std::uint32_t thread = thread_of(context.me);
  Fault fault;
  fault.kind = kind;
  fault.what = std::move(what);
  fault.kernel = pass.head->name;
  fault.block = context.order->block;
  fault.thread_x = static_cast<int>(thread % pass.head->threads_x);
  fault.thread_y = static_cast<int>(thread / pass.head->threads_x);
  const Region* region = address == nullptr ? nullptr : pass.memory->find(address);
  if (region != nullptr) {
    fault.buffer = region->name;
    fault.offset = static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(address) - region->base);
  }
  context.pass->fault = std::move(fault);
}

void abandon_thread() {
  g_block->abandon();
}

}  // namespace vaecuda::simt
