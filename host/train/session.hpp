// What trains on a device: the parameters with Adam's moments, the rows, and the compiled step.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "host/data/prepare.hpp"
#include "host/inference/pass.hpp"
#include "host/model/layout.hpp"
#include "host/plan/backend.hpp"
#include "host/plan/plan.hpp"
#include "host/train/checkpoint.hpp"
#include "host/train/evaluator.hpp"
#include "host/train/run_clock.hpp"
#include "vaecuda/config.hpp"

namespace vaecuda {

class Session {
 public:
  /// Allocates all memory of the training, and that of the validation where there are rows for it; parameters
  /// and moments are zeros. `config` and `data` must outlive the session. `resident`: the training rows,
  /// where the device has them already. \throws OutOfMemoryError
  Session(std::shared_ptr<Backend> backend, const RunConfig& config, const PreparedData& data,
          const RunClock& clock, std::unique_ptr<ResidentData> resident = nullptr);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  [[nodiscard]] Backend& backend() const { return *backend_; }
  [[nodiscard]] const ParameterLayout& layout() const { return layout_; }
  [[nodiscard]] const Plan& plan() const { return plan_; }
  [[nodiscard]] Program& program() { return *program_; }
  [[nodiscard]] const Program& program() const { return *program_; }
  /// Null where no rows are held out.
  [[nodiscard]] Evaluator* validation() { return validation_.get(); }
  /// With the parameters that the device has at the time.
  [[nodiscard]] ModelOnDevice model() {
    return {*backend_, *store_, layout_, config_.model, data_.preparation};
  }

  [[nodiscard]] std::vector<float> read(ParameterStore::Part part) const;
  void write(ParameterStore::Part part, const std::vector<float>& values) { store_->write(part, values); }
  /// Puts the device where the checkpoint stands, with the learning rate halved for each of its restores.
  void restore(const Checkpoint& checkpoint);
  /// \throws DivergedError if the program met something that is not finite
  void check_fault();

 private:
  void compile(std::int64_t restores);

  std::shared_ptr<Backend> backend_;
  const RunConfig& config_;
  const PreparedData& data_;
  RunClock clock_;
  ParameterLayout layout_;
  std::unique_ptr<ParameterStore> store_;
  std::unique_ptr<ResidentData> resident_;
  Plan plan_;
  std::unique_ptr<Program> program_;
  std::int64_t restores_ = 0;  ///< that the program's learning rate is lowered for
  std::unique_ptr<Evaluator> validation_;
};

/// After a lack of memory, nothing being allocated: which batch size would do, as an advice in words.
[[nodiscard]] std::string advise_batch(const std::shared_ptr<Backend>& backend, const RunConfig& config,
                                       const PreparedData& data, const RunClock& clock);

}  // namespace vaecuda
