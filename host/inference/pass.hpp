// One compiled pass over rows with a trained model: encode, decode, reconstruct, evaluate, generate.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "host/data/preparation.hpp"
#include "host/model/layout.hpp"
#include "host/plan/backend.hpp"
#include "vaecuda/config.hpp"
#include "vaecuda/dataset.hpp"
#include "vaecuda/pass_progress.hpp"

namespace vaecuda {

class Vae;

/// A model on a device: what its passes compute with. A pass takes the parameters that the store holds when
/// it runs. Everything referred to must outlive the passes.
struct ModelOnDevice {
  Backend& backend;
  ParameterStore& store;
  const ParameterLayout& layout;
  const ModelConfig& model;
  const Preparation& preparation;
};

/// Of a model in use. The passes must not run while a call on it does.
[[nodiscard]] ModelOnDevice on_device(const Vae& vae);

enum class PassKind { encode, decode, reconstruct, evaluate, likelihood, generate };

/// How many rows a pass takes.
struct PassSize {
  std::int64_t capacity = kInferenceBatch;  ///< by exchange buffers, at the most
  std::int64_t block = kInferenceBatch;     ///< of these computed at a time
  bool operator==(const PassSize&) const = default;
};

/// What identifies a pass of a model.
struct PassKey {
  PassKind kind;
  PassSize size = {};
  std::uint64_t seed = 0;      ///< of the noise in evaluation, or of what is generated
  std::int64_t samples = 1;    ///< of each row, for the likelihood
  std::int64_t head_rows = 0;  ///< first rows whose posterior an evaluation keeps
  bool operator==(const PassKey&) const = default;
};

/// Rows that come by exchange buffers, as many as the key's capacity.
[[nodiscard]] Plan build_pass_plan(const ModelOnDevice& model, const PassKey& key);

/// Memory on the device that takes the place of an exchange buffer; null: it keeps its own.
struct NamedMemory {
  const char* buffer;
  float* memory;
};

/// What a pass over many rows asks and tells a few times a second; both functions may be empty.
struct PassWatch {
  std::string_view name;                          ///< of the pass in what `told` gets
  std::function<bool()> stop;                     ///< true ends the pass
  std::function<void(const PassProgress&)> told;  ///< how far it is
};

/// Buffers are named as in host/plan/exchanged.hpp.
class Pass {
 public:
  /// Over at most key.size.capacity rows at a time, which come and go by exchange buffers.
  Pass(const ModelOnDevice& model, const PassKey& key);
  /// Over the rows of a data set, which must outlive the pass: the device gathers them itself. The capacity
  /// is their number.
  Pass(const ModelOnDevice& model, PassKey key, const Dataset& rows);

  [[nodiscard]] std::int64_t capacity() const { return capacity_; }
  /// Runs over rows first … first + rows − 1 of the whole, `rows` at most the capacity. `input` are their
  /// values. `condition`: C values for each of them, of a conditional model.
  void run(std::int64_t first, std::int64_t rows, std::span<const float> input,
           std::span<const float> condition = {});
  /// Runs over rows in the device's memory, `input` among them, results going to `out`; as
  /// Program::run_bound.
  void run_bound(std::int64_t first, std::int64_t rows, const float* input,
                 const std::vector<NamedMemory>& out, void* stream);
  /// Runs over as many rows as the capacity, which are on the device or were written; false if the watch
  /// ended it.
  [[nodiscard]] bool run_all(const PassWatch& watch = {});
  void write(const char* buffer, std::span<const float> values);
  /// What the last run left in an exchange buffer: `values` are those of its first rows.
  void read(const char* buffer, std::span<float> values);
  /// All of it.
  [[nodiscard]] std::vector<float> read(const char* buffer);

 private:
  std::int64_t capacity_;
  std::unique_ptr<ResidentData> resident_;  ///< null where rows come by exchange buffers
  Plan plan_;
  int input_ = -1;  ///< the exchange buffer that rows come in; −1: none
  std::unique_ptr<Program> program_;
};

}  // namespace vaecuda
