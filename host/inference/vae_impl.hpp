// The inside of Vae: a model file on a device, and the passes of its calls.
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "host/inference/model_rows.hpp"
#include "host/inference/passes.hpp"
#include "host/latents/latent.hpp"
#include "host/model/model_file.hpp"
#include "vaecuda/vae.hpp"

namespace vaecuda {

struct Vae::Impl {
  Impl(ModelFile from, const RunOn& on);

  /// A block of rows that has just run, and where its results can be read.
  struct Block {
    Pass& pass;
    std::int64_t first;
    std::int64_t rows;
    std::span<const float> input;
  };
  using Reader = std::function<void(const Block&)>;
  using Sink = std::function<void()>;

  /// Rows as the model takes them, in its columns' order, checked and measured: what run() is given.
  [[nodiscard]] ModelRows met(RowSource& rows, ModelRows::Kind kind = ModelRows::Kind::data) {
    return {rows, file, info.column_names, kind, said};
  }

  /// Runs a pass over all rows of `source`: for every block `read` takes its results while the pass is
  /// ours, then `sink` passes them on. Gives the number of rows.
  std::int64_t run(PassKind kind, std::uint64_t seed, RowSource& source, const Reader& read, const Sink& sink,
                   std::int64_t samples = 1);

  /// The terms of rows that were met.
  std::int64_t elbo(RowSource& rows, std::uint64_t seed, const std::function<void(const ElboBlock&)>& sink);

  /// Means of p(x|z) in the data's units, of rows that were met.
  std::int64_t means(PassKind kind, RowSource& rows,
                     const std::function<void(const ReconstructedBlock&)>& sink);

  /// A turn on the device, in the process that has it.
  [[nodiscard]] Passes::Lease turn() const {
    check_process();
    return passes->turn();
  }

  /// Runs a pass over rows in the device's memory; results go where `out` says, null: nowhere.
  void run_on_device(PassKind kind, std::uint64_t seed, const float* x, std::int64_t rows,
                     const std::vector<NamedMemory>& out, void* stream);

  [[nodiscard]] ModelOnDevice on_device() const {
    return {*backend, *store, layout, file.model, file.preparation};
  }
  [[nodiscard]] std::int64_t input_dim() const { return file.model.input_dim; }
  [[nodiscard]] std::int64_t latent_dim() const { return file.model.latent_dim; }
  [[nodiscard]] const Latent& latent() const { return latent_of(file.model.latent); }
  [[nodiscard]] const LatentTraits& traits() const { return latent().traits(); }
  /// Latents of rows first … first + count − 1 of a sample.
  [[nodiscard]] std::vector<float> draw(std::int64_t first, std::int64_t count, std::uint64_t seed,
                                        double temperature) const {
    return latent().draw_rows(first, count, layout.latent(), file.parameters, seed, temperature);
  }

  ModelFile file;
  ModelInfo info;
  std::string note;
  Said said;
  std::unique_ptr<Backend> backend;
  ParameterLayout layout;
  std::unique_ptr<ParameterStore> store;
  mutable std::optional<Passes> passes;  ///< which have a lock of their own
  pid_t process = ::getpid();            ///< that loaded the model

  /// A GPU's context belongs to the process that opened it. \throws DeviceError in a forked one
  void check_process() const;
};

}  // namespace vaecuda
