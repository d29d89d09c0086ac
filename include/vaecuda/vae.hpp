// A trained model in use: latents of rows, rows of latents, scores.
//
// Rows are row-major floats in the units of the training data (bytes as 0 … 255): the preparation that the
// model was trained with (scale, standardization, binarization) is applied inside, and what comes out
// (reconstructions, samples) is in the same units again. D = info().model.input_dim values a row,
// Z = info().model.latent_dim values a latent.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "vaecuda/config.hpp"
#include "vaecuda/dataset.hpp"
#include "vaecuda/device.hpp"
#include "vaecuda/error.hpp"
#include "vaecuda/export.h"
#include "vaecuda/row_source.hpp"

namespace vaecuda {

/// A tensor of a model file.
struct TensorInfo {
  std::string name;
  std::vector<std::int64_t> shape;
};

/// What a model file says about itself.
struct ModelInfo {
  ModelConfig model;
  std::optional<ImageShape> image;              ///< the picture that a row is
  std::vector<std::string> column_names;        ///< of a table; empty where there are none
  std::vector<std::string> condition_names;     ///< classes of a conditional model; empty for label vectors
  std::vector<std::string> label_vector_names;  ///< of a label vector's numbers; empty where there are none
  float scale = 1.0f;  ///< factor on raw values: 1/255 for bytes that are grey values
  /// Sizes of the raw training values; absent in older files, and where all of them were 0.
  std::optional<ValueSizes> trained_on;
  std::vector<float> mean;               ///< of the scaled columns; empty: not standardized
  std::vector<float> inverse_deviation;  ///< as many
  BinarizeMode binarize = BinarizeMode::none;
  ObjectiveConfig objective;
  std::uint64_t seed = 0;       ///< of the training run
  std::int64_t steps = 0;       ///< training steps taken
  std::int64_t parameters = 0;  ///< numbers that were learned
  std::vector<TensorInfo> tensors;
};

/// Reads what a model file says about itself; no parameters, no device. \throws FileError naming file and key
[[nodiscard]] VAECUDA_API ModelInfo read_model_info(const std::string& path);

/// Whether a conditional model can be told `label` (of sample() and with_label()): a class that it knows, or
/// for one that is told vectors as many numbers, with commas between them. \throws ConfigError if not
VAECUDA_API void require_label(const ModelInfo& model, const std::string& label);

/// Where and how a model runs.
struct RunOn {
  std::string device = "auto";  ///< auto, cpu, cuda, cuda:N
  std::int64_t threads = 0;  ///< CPU threads; 0: one per core that affinity, cgroup and OMP_NUM_THREADS allow
  Precision precision = Precision::fp32;
  /// Rows handed to the device at a time; 0: chosen by their size (32 MiB). It changes speed and memory,
  /// never a result.
  std::int64_t batch_size = 0;
  /// Told, in one line for a person, what was noticed when rows met the model: columns put in its order by
  /// their names, columns left out, names on one side alone, values of another scale. Each line is said once.
  /// Called from the thread that uses the model, from several at once where several do.
  std::function<void(const std::string& line)> message = {};
};

/// The posterior q(z|x) = N(mean, e^logvar) of rows; of a deterministic or quantized latent the code alone.
struct Encoded {
  std::vector<float> mean;    ///< (rows, Z); deterministic latent: the code; quantized: the codes' vectors
  std::vector<float> logvar;  ///< (rows, Z); empty but for a Gaussian latent
  std::vector<float> codes;   ///< (rows, G): of a quantized latent the code of each codebook, from 0
};

/// The two terms of the negative ELBO per row, in nats of the prepared data; the negative ELBO is their sum
/// (β does not enter). Of a row whose values no float carries through the network they are infinite.
struct ElboTerms {
  std::vector<float> reconstruction;  ///< −log p(x|z), summed over columns, for one z drawn from q(z|x)
  /// KL(q(z|x) ‖ N(0, 1)), summed over latents; deterministic latent: 0; quantized: G·log M, that of the
  /// codes to codes drawn alike.
  std::vector<float> kl;
};

// One block of a streamed pass: rows first … first + rows − 1. The spans are valid during the call alone.
struct EncodedBlock {
  std::int64_t first = 0;
  std::int64_t rows = 0;
  std::span<const float> mean;    ///< (rows, Z)
  std::span<const float> logvar;  ///< (rows, Z); empty but for a Gaussian latent
  std::span<const float> codes;   ///< (rows, G); empty but for a quantized latent
};
struct DecodedBlock {
  std::int64_t first = 0;
  std::int64_t rows = 0;
  std::span<const float> mean;  ///< (rows, D)
};
struct ReconstructedBlock {
  std::int64_t first = 0;
  std::int64_t rows = 0;
  std::span<const float> x;     ///< (rows, D) as read
  std::span<const float> mean;  ///< (rows, D)
};
struct ElboBlock {
  std::int64_t first = 0;
  std::int64_t rows = 0;
  std::span<const float> reconstruction;  ///< (rows)
  std::span<const float> kl;              ///< (rows)
};
struct LogLikelihoodBlock {
  std::int64_t first = 0;
  std::int64_t rows = 0;
  std::span<const float> log_likelihood;  ///< (rows)
};

/// A model with its parameters on a device. Move-only.
///
/// A row's result depends on the row, its index (where noise is drawn for it) and the model alone: not on the
/// rows beside it, on how many are passed at a time, or on the number of threads.
///
/// Thread safety: const members may be called from several threads at once. On the CPU the calls run side by
/// side, each with memory of its own, and share the threads of RunOn; on a GPU they take turns. A forked
/// process may use the model too, on one thread; one on a GPU throws DeviceError there.
///
/// Columns. Where a source and the model both have names of columns, the source's are taken by name: in the
/// model's order, without those that the model does not know (RunOn::message says so); what blocks hold of
/// rows is in that order. Without names on one side, and for arrays, columns are taken by position. For
/// latents that are decoded the names are z0, z1, ... The numbers of label vectors meet those that a
/// conditional model was told in training in the same way.
///
/// Every member that takes rows throws FileError naming what is missing for a column of the model that a
/// source with names does not have, and for a name that stands twice on either side; ConfigError if their
/// number of values is no multiple of D (or Z), FileError naming row and column for a value that the
/// likelihood cannot take (NaN; outside [0, 1] after scaling for Bernoulli), FileError where a conditional
/// model is not told the label of a row, or one that it does not know, OutOfMemoryError, and DeviceError if
/// the GPU fails.
class VAECUDA_API Vae {
 public:
  /// \throws FileError naming file, key and what was expected; DeviceError where the device asked for cannot
  /// be used; ConfigError for a malformed request; OutOfMemoryError
  [[nodiscard]] static Vae load(const std::string& path, const RunOn& on = {});
  Vae(Vae&&) noexcept;
  Vae& operator=(Vae&&) noexcept;
  ~Vae();

  /// Writes the model as a safetensors file (docs/formats.md), atomically: the bytes that training wrote.
  /// \throws RuntimeError, ConfigError for a file of a run (require_separate_files)
  void save(const std::string& path) const;
  /// Writes the tensors as an .npz archive (numpy.load), with the configuration as its member config.json,
  /// atomically. \throws as save
  void save_npz(const std::string& path) const;

  [[nodiscard]] const ModelInfo& info() const;
  [[nodiscard]] const DeviceInfo& device() const;
  /// Why `auto` came to the CPU, in one line; empty where nothing is to be said.
  [[nodiscard]] const std::string& device_note() const;

  /// For each column of the model the index of the column of that name among `names`: what puts rows in order
  /// before they are passed as an array. RunOn::message is told what is left out. `owner` is what messages
  /// call the rows. Without names on one side, 0 to D − 1. \throws FileError as the members that take rows
  [[nodiscard]] std::vector<std::int64_t> match_columns(std::span<const std::string> names,
                                                        const std::string& owner = "memory") const;

  /// The posterior of `x` (rows, D).
  [[nodiscard]] Encoded encode(std::span<const float> x) const;
  /// Means of p(x|z) for `z` (rows, Z): (rows, D).
  [[nodiscard]] std::vector<float> decode(std::span<const float> z) const;
  /// Each row of `x` (rows, D) encoded to its posterior mean and decoded: (rows, D).
  [[nodiscard]] std::vector<float> reconstruct(std::span<const float> x) const;
  /// Means of p(x|z) for z drawn from the prior N(0, temperature²), or of codes drawn alike and independently
  /// where the latent is quantized: (count, D). Row i depends on seed and i alone. \throws ConfigError for a
  /// negative count or temperature, for a model without a prior (a deterministic latent), and for a
  /// temperature other than 1 of a quantized latent; OutOfMemoryError for more rows than memory holds
  [[nodiscard]] std::vector<float> sample(std::int64_t count, std::uint64_t seed,
                                          double temperature = 1.0) const;
  /// The z that sample() decodes: (count, Z).
  [[nodiscard]] std::vector<float> sample_latents(std::int64_t count, std::uint64_t seed,
                                                  double temperature = 1.0) const;
  /// Means of p(x|z) along a path of `steps` latents from z1 to z2 (Z each), ends included: (steps, D).
  [[nodiscard]] std::vector<float> interpolate(std::span<const float> z1, std::span<const float> z2,
                                               std::int64_t steps, bool spherical = false) const;
  /// ELBO terms of `x` (rows, D). The noise of row i depends on seed and i alone; the model's own seed gives
  /// the figures of its training run's evaluation.
  [[nodiscard]] ElboTerms elbo(std::span<const float> x, std::uint64_t seed) const;
  [[nodiscard]] ElboTerms elbo(std::span<const float> x) const { return elbo(x, info().seed); }

  // The same for rows in the memory of the model's GPU, without a copy. All pointers are device pointers: `x`
  // (rows, D) in the units of the data, results of the shapes above; a null result is not wanted. `stream` is
  // a cudaStream_t of that GPU (null: its default stream): reading begins when what is on it is done, and
  // what is put on it after the call finds the results. The call returns when the work is queued; until it is
  // done the memory must live. Values are not checked: what is not finite gives results that are not. \throws
  // DeviceError if the model is on the CPU; ConfigError for a result that the model does not have (for a head
  // that holds log σ, logvar)
  void encode_on_device(const float* x, std::int64_t rows, float* mean, float* logvar, void* stream) const;
  void elbo_on_device(const float* x, std::int64_t rows, std::uint64_t seed, float* reconstruction, float* kl,
                      void* stream) const;
  /// `mean` (rows, D) is that of the prepared data, as the network gives it: what scaling and standardization
  /// (info().scale, mean, inverse_deviation) did to the data is not undone.
  void decode_on_device(const float* z, std::int64_t rows, float* mean, void* stream) const;
  /// `mean` as that of decode_on_device.
  void reconstruct_on_device(const float* x, std::int64_t rows, float* mean, void* stream) const;

  /// log (1/K Σ_k p(x|z_k) p(z_k) / q(z_k|x)) of `x` (rows, D) with K = `samples` latents drawn from q(z|x)
  /// for each row, nats of the prepared data: in expectation a lower bound on log p(x), tighter with every
  /// sample and exact in the limit (Burda et al., arXiv 1509.00519, theorem 1). Row i depends on seed, K and
  /// i alone; −∞ where no float carries its values through the network. \throws ConfigError for fewer than 1
  /// sample, and for a latent without a density
  [[nodiscard]] std::vector<float> log_likelihood(std::span<const float> x, std::int64_t samples,
                                                  std::uint64_t seed) const;

  // The same for rows that are read on the way, block by block, in bounded memory. Each gives the number of
  // rows. An exception from `sink` ends the pass and is passed on.
  std::int64_t encode(RowSource& rows, const std::function<void(const EncodedBlock&)>& sink) const;
  std::int64_t reconstruct(RowSource& rows, const std::function<void(const ReconstructedBlock&)>& sink) const;
  std::int64_t elbo(RowSource& rows, std::uint64_t seed,
                    const std::function<void(const ElboBlock&)>& sink) const;
  /// The mean over `samples` latents drawn from q(z|x) for each row, in as many times the time: the same
  /// bound in expectation, with less noise. Draw k of row i depends on seed and i·samples + k alone (and
  /// stochastic binarization as well). \throws ConfigError for fewer than 1 sample
  std::int64_t elbo(RowSource& rows, std::int64_t samples, std::uint64_t seed,
                    const std::function<void(const ElboBlock&)>& sink) const;
  std::int64_t log_likelihood(RowSource& rows, std::int64_t samples, std::uint64_t seed,
                              const std::function<void(const LogLikelihoodBlock&)>& sink) const;
  /// `z`: rows of Z values.
  std::int64_t decode(RowSource& z, const std::function<void(const DecodedBlock&)>& sink) const;
  /// `label`: the class that a conditional model is asked for. Rows that other members pass to a conditional
  /// model must have labels of their own (with_label gives them one). \throws ConfigError for a class that
  /// the model does not know, and for no numbers of a label vector
  std::int64_t sample(std::int64_t count, std::uint64_t seed, double temperature,
                      const std::function<void(const DecodedBlock&)>& sink,
                      const std::string& label = "") const;

 private:
  struct VAECUDA_HIDDEN Impl;
  explicit Vae(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// `steps` latents on the way from z1 to z2, ends included, row-major (steps, Z): on the straight line, or on
/// the great-circle arc with linearly changing length (slerp; Shoemake, SIGGRAPH 1985), which keeps the norms
/// that latents of a Gaussian have in many dimensions. Where the two directions are equal or opposite, the
/// straight line. \throws ConfigError for unlike or too long latents, fewer than 2 steps; OutOfMemoryError
[[nodiscard]] VAECUDA_API std::vector<float> interpolate_latents(std::span<const float> z1,
                                                                 std::span<const float> z2,
                                                                 std::int64_t steps, bool spherical = false);

/// z, then `count` latents at the distance `radius` from it, in directions drawn evenly from all by (seed,
/// index): (1 + count, Z). \throws ConfigError for a negative count or radius; OutOfMemoryError
[[nodiscard]] VAECUDA_API std::vector<float> latents_around(std::span<const float> z, std::int64_t count,
                                                            double radius, std::uint64_t seed);

/// Latents (side², latent_dim) over the plane of two dimensions, zero in the others: row by row from the top,
/// `across` growing to the right and `up` upwards, at the quantiles (i + ½) / side of the prior, so that
/// every cell stands for equal probability (Kingma and Welling, arXiv 1312.6114, figure 4).
/// \throws ConfigError for a dimension that does not exist, the same twice, or no cell; OutOfMemoryError
[[nodiscard]] VAECUDA_API std::vector<float> latent_grid(std::int64_t side, std::int64_t latent_dim,
                                                         std::int64_t across, std::int64_t up);

}  // namespace vaecuda
