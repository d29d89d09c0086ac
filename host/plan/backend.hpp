// What a device must offer: memory for parameters and data, and the compilation of plans into programs.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "host/plan/plan.hpp"
#include "host/plan/rankings.hpp"
#include "host/plan/value_statistics.hpp"
#include "kernels/math/step_state.h"
#include "vaecuda/config.hpp"
#include "vaecuda/dataset.hpp"
#include "vaecuda/device.hpp"

namespace vaecuda {

/// The parameter arena on the device; for training also gradients and Adam's moments, laid out alike.
class ParameterStore {
 public:
  virtual ~ParameterStore() = default;
  enum class Part { parameters, moment1, moment2 };
  /// Copies the whole arena (size floats). \throws std::logic_error for a part or size that the store lacks.
  virtual void write(Part part, std::span<const float> values) = 0;
  virtual void read(Part part, std::span<float> values) const = 0;
  [[nodiscard]] virtual std::int64_t size() const = 0;
};

/// A data set where the device can gather its rows from. Keeps a reference to the host's rows or a copy.
class ResidentData {
 public:
  virtual ~ResidentData() = default;
  /// Measures the values where they are; null where that is the host's memory, and for sparse rows, which the
  /// host measures (host/data/host_values.hpp).
  [[nodiscard]] virtual const ValueStatistics* values() const { return nullptr; }
};

/// What stopped a program: the step (counted from 1) and the arena element whose gradient was not finite
/// (−1: the loss itself).
struct Fault {
  std::int64_t step = 0;
  std::int64_t element = -1;
};

/// What one op of a plan took, and the least that had to be done in that time.
struct OpTime {
  double seconds = 0.0;
  OpCost cost;
  bool merged = false;  ///< done together with others, whose time and cost include this one's
};

/// Memory of the caller's on the device that takes the place of an exchange buffer: whole rows without gaps.
struct Binding {
  int buffer = -1;
  float* memory = nullptr;
};

/// A compiled plan. Not thread-safe; programs of one store must not run at the same time, but for those of
/// inference as Backend::programs_at_once allows.
class Program {
 public:
  virtual ~Program() = default;
  /// The next run starts at this training step (counted from 0), with the state that belongs to it.
  virtual void set_step(std::int64_t step) = 0;
  /// Inference: the next run starts at this row. `origin` is the row that stands first in the data set and in
  /// the exchange buffers, so that a pass over more rows than they hold can be made in parts, with the random
  /// numbers of the whole.
  virtual void set_position(std::int64_t position, std::int64_t origin) = 0;
  void set_position(std::int64_t position) { set_position(position, 0); }
  /// Runs the plan `count` times. It may return before the work is done; every call below waits for it.
  virtual void run(std::int64_t count) = 0;
  /// Inference on memory of the caller's: runs over rows first … first + rows − 1, which the bound exchange
  /// buffers hold from their beginning on; of the others nothing past their end is stored. `stream` is the
  /// device's kind of stream (null: its default one): the work begins after what is on it, and what is put on
  /// it from now on begins after the work. It may return before the work is done.
  /// \throws DeviceError where the device's memory is the host's
  virtual void run_bound(std::span<const Binding> bound, std::int64_t first, std::int64_t rows,
                         void* stream) = 0;
  /// Runs it `count` times to the end; gives the seconds that the device spent on that.
  [[nodiscard]] virtual double timed_run(std::int64_t count) = 0;
  /// Runs it `passes` times, slower than usual, to the same end; gives the mean time of every op, in the
  /// plan's order. On the CPU the threads' time divided by their number, so without what they wait for each
  /// other; on a GPU the time of the op's kernels, each started on its own, with nothing in the cache.
  [[nodiscard]] virtual std::vector<OpTime> profile(std::int64_t passes) = 0;
  /// Training: the metrics of the steps run since the last call, in order.
  virtual void take_metrics(std::vector<math::StepMetrics>& out) = 0;
  /// Training: set once something became non-finite; parameters are those before that step or element.
  [[nodiscard]] virtual std::optional<Fault> fault() = 0;
  /// What decides the last bits of the results beside plan and device: implementations that were chosen.
  [[nodiscard]] virtual std::vector<std::string> algorithms() const = 0;
  /// The first floats of an exchange buffer, as many as `values` has.
  virtual void write(int buffer, std::span<const float> values) = 0;
  virtual void read(int buffer, std::span<float> values) = 0;
};

/// A device that compiles and runs plans. Everything it makes must be destroyed before it.
class Backend {
 public:
  virtual ~Backend() = default;
  [[nodiscard]] virtual const DeviceInfo& device() const = 0;
  /// \throws OutOfMemoryError
  [[nodiscard]] virtual std::unique_ptr<ParameterStore> make_parameters(std::int64_t size, bool training) = 0;
  /// The data set must outlive the result.
  [[nodiscard]] virtual std::unique_ptr<ResidentData> make_resident(const Dataset& data) = 0;
  /// Not while a program runs, where programs_at_once() is 1.
  [[nodiscard]] virtual Rankings& rankings() = 0;
  /// Leaves parameters and moments untouched. `data` may be null where no op gathers.
  /// \throws OutOfMemoryError, std::logic_error for a malformed plan
  [[nodiscard]] virtual std::unique_ptr<Program> compile(const Plan& plan, ParameterStore& parameters,
                                                         const ResidentData* data) = 0;
  /// Whether a row's bits are the same in a pass of any number of rows at a time, so that a few rows need not
  /// fill a block of kInferenceBatch.
  [[nodiscard]] virtual bool has_small_blocks() const { return false; }
  /// Inference programs of one store that may run at the same time, each called by a thread of its own; the
  /// same goes for compiling them.
  [[nodiscard]] virtual int programs_at_once() const { return 1; }
  /// Bytes allocated on the device by everything that this backend made and that still lives.
  [[nodiscard]] virtual std::int64_t allocated_bytes() const = 0;
  /// Bytes that could still be allocated, as far as the system tells.
  [[nodiscard]] virtual std::int64_t free_bytes() const = 0;
  /// Ceilings for plan tables; zeros where unknown.
  [[nodiscard]] virtual Roofline roofline() const { return {}; }
};

/// The CPU backend. `threads` 0: one per core that this process may use (host/cpu/core_count.hpp).
[[nodiscard]] std::unique_ptr<Backend> make_cpu_backend(int threads);
/// The backend of a chosen device. `autotune`: measure the library's algorithms for the matrix products and
/// take the fastest; the CPU has no choice to make. \throws DeviceError, OutOfMemoryError
[[nodiscard]] std::unique_ptr<Backend> make_backend(const DeviceInfo& device, Precision precision,
                                                    bool autotune = false);

}  // namespace vaecuda
