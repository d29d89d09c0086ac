// Turns a plan into phases of units for the CPU.
#pragma once

#include <memory>

#include "host/cpu/loops.hpp"
#include "host/cpu/memory.hpp"
#include "host/cpu/program.hpp"
#include "host/plan/backend.hpp"

namespace vaecuda::cpu {

/// The parameter arena in host memory.
class CpuParameters final : public ParameterStore {
 public:
  CpuParameters(std::int64_t size, bool training, const std::shared_ptr<ByteCounter>& counter);
  void write(Part part, std::span<const float> values) override;
  void read(Part part, std::span<float> values) const override;
  [[nodiscard]] std::int64_t size() const override { return parameters.size(); }

  FloatBuffer parameters;
  FloatBuffer moment1;  ///< empty without training
  FloatBuffer moment2;

 private:
  [[nodiscard]] const FloatBuffer& part_buffer(Part part, std::size_t values) const;
};

/// The host's rows themselves: nothing is copied.
class CpuData final : public ResidentData {
 public:
  explicit CpuData(const Dataset& data) : dataset(data) {}
  const Dataset& dataset;
};

struct CompileInputs {
  const Plan& plan;
  CpuParameters& parameters;
  const CpuData* data = nullptr;
  const Loops& loops;
  std::shared_ptr<ByteCounter> counter;
  int threads = 1;
  std::vector<std::string> algorithms;     ///< reported by the program
  std::shared_ptr<RegionCounter> regions;  ///< of the backend; null if no other program runs concurrently
};

[[nodiscard]] std::unique_ptr<Program> compile_plan(const CompileInputs& inputs);

}  // namespace vaecuda::cpu
