#include "simt/block.hpp"

#include <cstring>
#include <string>

#include "simt/fiber.hpp"

namespace vaecuda::simt {

namespace context_switch = boost::context::detail;

constinit thread_local Block* g_block = nullptr;

namespace {

std::string name_of(const Place& place) {
  const char* slash = std::strrchr(place.file, '/');
  return std::string(slash == nullptr ? place.file : slash + 1) + ", line " + std::to_string(place.line);
}

}  // namespace

bool operator==(const Place& a, const Place& b) {
  return a.line == b.line && (a.file == b.file || std::strcmp(a.file, b.file) == 0);
}

std::string Fiber::state() const {
  switch (wait) {
    case Wait::shuffle:
      return "waits at a shuffle";
    case Wait::block_barrier:
      return "waits at the block barrier in " + name_of(barrier);
    case Wait::grid_barrier:
      return "waits at the grid barrier in " + name_of(barrier);
    case Wait::none:
    case Wait::exited:
      break;
  }
  return "has left the kernel";
}

bool meet(const Fiber& a, const Fiber& b) {
  if (a.wait != b.wait) return false;
  switch (a.wait) {
    case Wait::shuffle:
      return a.shuffle_mask == b.shuffle_mask && a.shuffle_bytes == b.shuffle_bytes;
    case Wait::block_barrier:
    case Wait::grid_barrier:
      return a.barrier == b.barrier;
    case Wait::none:
    case Wait::exited:
      break;
  }
  return true;
}

Block::Block(Pass& pass, SharedPool& shared, std::size_t first_stack)
    : pass_(&pass),
      shared_(&shared),
      arena_pages_(pass.memory->pages()),
      fibers_(std::size_t{pass.head->threads_x} * pass.head->threads_y) {
  for (std::size_t i = 0; i < fibers_.size(); ++i) {
    fibers_[i].stack = StackPool::instance().stack(first_stack + i);
    fibers_[i].x = static_cast<unsigned>(i) % pass.head->threads_x;
    fibers_[i].y = static_cast<unsigned>(i) / pass.head->threads_x;
  }
  if (pass.head->dynamic_shared_bytes > 0) {
    dynamic_ = &shared_->take(pass.head->dynamic_shared_bytes);
    dynamic_->name = "dynamic";
  }
}

void Block::begin(std::uint32_t index) {
  begin_time_ = pass_->memory->tick();
  order_.begin(index, begin_time_);
  for (std::size_t i = 0; i < fibers_.size(); ++i) {
    fibers_[i].context = make_fiber(fibers_[i].stack, i, &Block::enter);
    fibers_[i].wait = Wait::none;
    fibers_[i].shuffle_turn = 0;
  }
  for (const Array& array : arrays_) {
    array.region->valid_from = order_.now;
    array.region->owner = index;
  }
  if (dynamic_ != nullptr) {
    dynamic_->valid_from = order_.now;
    dynamic_->owner = index;
  }
}

void Block::enter(context_switch::transfer_t from) {
  Block& block = *static_cast<Block*>(from.data);
  block.scheduler_ = from.fctx;
  block.pass_->call->run();
  block.wait_here(Wait::exited);
}

void Block::wait_here(Wait reason) {
  Fiber& fiber = fibers_[running_];
  fiber.wait = reason;
  // The scheduler may have been left at another place when this fiber goes on.
  scheduler_ = context_switch::jump_fcontext(scheduler_, this).fctx;
}

void Block::wait_at_barrier(Wait reason, const Place& place) {
  fibers_[running_].barrier = place;
  wait_here(reason);
}

void Block::abandon() {
  wait_here(Wait::exited);
  __builtin_unreachable();
}

void Block::resume(std::uint32_t thread) {
  Fiber& fiber = fibers_[thread];
  running_ = thread;
  fiber.wait = Wait::none;
  const std::uint32_t who = make_who(order_.block, thread);
  g_context.stack = fiber.stack;
  g_context.stack_bytes = kStackBytes;
  g_context.arena_pages = arena_pages_;
  g_context.active = true;
  g_context.me = make_record(order_.now, who);
  fiber.context = context_switch::jump_fcontext(fiber.context, this).fctx;
  g_context.stack_bytes = 0;
  g_context.arena_pages = 0;
  g_context.active = false;
  if (!is_stack_whole(fiber.stack)) [[unlikely]] {
    set_fault(g_context, FaultKind::out_of_bounds, nullptr, kDeepStack);
  }
}

bool Block::run_warp(std::uint32_t warp, bool reversed) {
  const std::uint32_t first = warp * kWarp;
  bool moved = false;
  while (true) {
    std::uint32_t at_shuffle = 0;
    bool any = false;
    for (std::uint32_t i = 0; i < kWarp; ++i) {
      const std::uint32_t thread = first + (reversed ? kWarp - 1 - i : i);
      Fiber& fiber = fibers_[thread];
      if (fiber.wait == Wait::none) {
        resume(thread);
        if (pass_->fault) return true;
        any = true;
      }
      if (fiber.wait == Wait::shuffle) ++at_shuffle;
    }
    moved = moved || any;
    if (at_shuffle == 0) return moved;
    bool alike = at_shuffle == kWarp;
    for (std::uint32_t i = 1; i < kWarp && alike; ++i) alike = meet(fibers_[first + i], fibers_[first]);
    if (!alike) {
      report_divergence(first, kWarp);
      return true;
    }
    for (std::uint32_t i = 0; i < kWarp; ++i) fibers_[first + i].wait = Wait::none;
  }
}

Block::Stop Block::run(bool reversed) {
  g_block = this;
  g_context.order = &order_;
  const auto warps = static_cast<std::uint32_t>(fibers_.size() / kWarp);
  while (true) {
    for (std::uint32_t i = 0; i < warps; ++i) {
      run_warp(reversed ? warps - 1 - i : i, reversed);
      if (pass_->fault) return Stop::fault;
    }
    const Wait wait = fibers_[0].wait;
    for (const Fiber& fiber : fibers_) {
      if (meet(fiber, fibers_[0])) continue;
      report_divergence(0, static_cast<std::uint32_t>(fibers_.size()));
      return Stop::fault;
    }
    if (wait == Wait::exited) return Stop::exited;
    if (wait == Wait::grid_barrier) return Stop::grid_barrier;
    order_.pass_barrier(pass_->memory->tick());
    release_all();
  }
}

void Block::release_all() {
  for (Fiber& fiber : fibers_) fiber.wait = Wait::none;
}

void Block::pass_grid_barrier(std::uint32_t time) {
  order_.pass_barrier(time);
  release_all();
}

void Block::report_divergence(std::uint32_t first, std::uint32_t count) {
  // The one that waits is named, and the first of the others.
  std::uint32_t waiting = first;
  while (fibers_[waiting].wait == Wait::exited) ++waiting;
  const Fiber& here = fibers_[waiting];
  std::uint32_t other = first;
  while (other + 1 < first + count && meet(fibers_[other], here)) ++other;
  const std::string name = thread_name(*pass_->head, make_who(order_.block, other), false);
  std::string what;
  if (fibers_[other].wait == Wait::shuffle && here.wait == Wait::shuffle) {
    what = "shuffles with another mask or size than " + name + " of its warp";
  } else {
    what = here.state() + ", while " + name + " " + fibers_[other].state();
  }
  g_context.me = make_record(order_.now, make_who(order_.block, waiting));
  set_fault(g_context, FaultKind::divergence, nullptr, what);
}

std::uint64_t Block::shuffle(std::uint64_t bits, unsigned bytes, int mask) {
  const std::uint32_t thread = running_;
  Fiber& fiber = fibers_[thread];
  fiber.shuffle_turn ^= 1U;
  const unsigned turn = fiber.shuffle_turn;
  fiber.shuffle_value[turn] = bits;
  fiber.shuffle_bytes = static_cast<std::uint8_t>(bytes);
  fiber.shuffle_mask = static_cast<std::uint8_t>(mask);
  wait_here(Wait::shuffle);
  return fibers_[thread ^ static_cast<std::uint32_t>(mask)].shuffle_value[turn];
}

Region& Block::shared_array(const void* key, std::size_t bytes) {
  for (const Array& array : arrays_) {
    if (array.key == key) return *array.region;
  }
  return add_array(key, bytes);
}

Region& Block::add_array(const void* key, std::size_t bytes) {
  static_bytes_ += bytes;
  if (static_bytes_ + pass_->head->dynamic_shared_bytes > kMaxSharedBytes) {
    {
      Unobserved guard;
      set_fault(guard.context(), FaultKind::launch_shape, nullptr,
                "needs more than " + std::to_string(kMaxSharedBytes) + " bytes of shared memory");
    }
    abandon_thread();
  }
  Unobserved guard;
  Region& region = shared_->take(bytes);
  region.name = std::to_string(arrays_.size());
  region.valid_from = begin_time_;
  region.owner = order_.block;
  arrays_.push_back({key, &region});
  return region;
}

}  // namespace vaecuda::simt
