// Inference with a trained model: latents of rows, rows of latents, scores.
//
// Rows are row-major floats in the units of the training data (bytes as 0 … 255): the preparation of the
// training (scale, standardization, binarization) is applied inside, and the results (reconstructions,
// samples) are in the same units again. A row has D = info().model.input_dim values, a latent Z =
// info().model.latent_dim.
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

struct ModelOnDevice;

/// A tensor of a model file.
struct TensorInfo {
  std::string name;
  std::vector<std::int64_t> shape;
};

/// What a model file says about itself.
struct ModelInfo {
  ModelConfig model;
  std::optional<ImageShape> image;              ///< shape of a row that is a picture
  std::vector<std::string> column_names;        ///< of a table; empty if there are none
  std::vector<std::string> condition_names;     ///< classes of a conditional model; empty for label vectors
  std::vector<std::string> label_vector_names;  ///< of the elements of a label vector; may be empty
  float scale = 1.0f;  ///< factor on raw values: 1/255 for bytes that are grey values
  /// Magnitudes of the raw training values; absent if all of them were 0, and in files of earlier versions.
  std::optional<ValueSizes> trained_on;
  std::vector<float> mean;               ///< of the scaled columns; empty: not standardized
  std::vector<float> inverse_deviation;  ///< as many
  BinarizeMode binarize = BinarizeMode::none;
  ObjectiveConfig objective;
  std::uint64_t seed = 0;       ///< of the training run
  std::int64_t steps = 0;       ///< training steps taken
  std::int64_t parameters = 0;  ///< number of learned values
  std::vector<TensorInfo> tensors;
};

/// Reads the metadata of a model file; needs no device and reads no parameters. \throws FileError naming file
/// and key
[[nodiscard]] VAECUDA_API ModelInfo read_model_info(const std::string& path);

/// Checks that `label`, as for sample() and with_label(), is valid for a conditional model: one of its
/// classes or, for label vectors, the right number of values, separated by commas. \throws ConfigError if not
VAECUDA_API void require_label(const ModelInfo& model, const std::string& label);

/// Where and how a model runs.
struct RunOn {
  std::string device = "auto";  ///< auto, cpu, cuda, cuda:N
  std::int64_t threads = 0;  ///< CPU threads; 0: one per core that affinity, cgroup and OMP_NUM_THREADS allow
  Precision precision = Precision::fp32;
  /// Rows processed at a time; 0: as many as take 32 MiB. Affects speed and memory only, never a result.
  std::int64_t batch_size = 0;
  /// Called with one line of text for the user for each finding on the rows: columns reordered by name,
  /// columns left out, names on one side only, values of another scale. Each line is passed once, on the
  /// thread that uses the model; concurrently if several threads use it.
  std::function<void(const std::string& line)> message = {};
};

/// The posterior q(z|x) = N(mean, e^logvar) of rows; for a deterministic or quantized latent only the code.
struct Encoded {
  std::vector<float> mean;    ///< (rows, Z); deterministic latent: the code; quantized: the code vectors
  std::vector<float> logvar;  ///< (rows, Z); empty but for a Gaussian latent
  std::vector<float> codes;   ///< (rows, G): quantized latent: index of the code in each codebook
};

/// The two terms of the negative ELBO per row, in nats of the prepared data; the negative ELBO is their sum,
/// without β. They are infinite for a row whose values overflow float in the network.
struct ElboTerms {
  std::vector<float> reconstruction;  ///< −log p(x|z), summed over columns, for one z drawn from q(z|x)
  /// KL(q(z|x) ‖ N(0, 1)), summed over latents; deterministic latent: 0; quantized: G·log M, the KL to a
  /// uniform prior over the codes.
  std::vector<float> kl;
};

// One block of a streamed pass: rows first … first + rows − 1. The spans are valid only during the call.
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
/// The result of a row depends only on the row, its index (where noise is drawn) and the model: not on other
/// rows, on the number of rows per call, or on the number of threads.
///
/// Thread safety: const members may be called from several threads at once. On the CPU the calls run
/// concurrently, each with its own memory, and share the threads of RunOn; on a GPU they run one after the
/// other. A forked process may also use the model, on one thread; a model on a GPU throws DeviceError there.
///
/// Columns. If a source and the model both have column names, columns are matched by name: they are put in
/// the model's order, and those unknown to the model are left out (RunOn::message reports it); the rows in
/// blocks are in that order. If one side has no names, and for arrays, columns are matched by position. For
/// latents to decode the names are z0, z1, ... The elements of label vectors are matched to those of the
/// training in the same way.
///
/// Every member that takes rows throws: FileError naming the column if a source with names lacks a column of
/// the model, or if a name occurs twice on either side; FileError naming row and column for a value that the
/// likelihood cannot take (NaN; for Bernoulli also outside [0, 1] after scaling); FileError if a row for a
/// conditional model has no label or one unknown to the model; ConfigError if the number of values is not a
/// multiple of D (or Z); OutOfMemoryError; DeviceError if the GPU fails.
class VAECUDA_API Vae {
 public:
  /// \throws FileError naming file, key and what was expected; DeviceError if the requested device cannot be
  /// used; ConfigError for a malformed request; OutOfMemoryError
  [[nodiscard]] static Vae load(const std::string& path, const RunOn& on = {});
  Vae(Vae&&) noexcept;
  Vae& operator=(Vae&&) noexcept;
  ~Vae();

  /// Writes the model as a safetensors file (docs/formats.md), atomically, with the same bytes that training
  /// wrote. \throws RuntimeError, ConfigError for a file of a run (require_separate_files)
  void save(const std::string& path) const;
  /// Writes the tensors as an .npz archive (numpy.load), with the configuration in its member config.json,
  /// atomically. \throws as save
  void save_npz(const std::string& path) const;

  [[nodiscard]] const ModelInfo& info() const;
  [[nodiscard]] const DeviceInfo& device() const;
  /// Why `auto` selected the CPU, in one line; empty if there is nothing to report.
  [[nodiscard]] const std::string& device_note() const;

  /// For each column of the model, the index of that name in `names`: the order into which a caller puts
  /// columns before passing rows as an array. RunOn::message reports what is left out. `owner` names the rows
  /// in messages. If one side has no names: 0 to D − 1. \throws FileError as the members that take rows
  [[nodiscard]] std::vector<std::int64_t> match_columns(std::span<const std::string> names,
                                                        const std::string& owner = "memory") const;

  /// The posterior of `x` (rows, D).
  [[nodiscard]] Encoded encode(std::span<const float> x) const;
  /// Means of p(x|z) for `z` (rows, Z): (rows, D).
  [[nodiscard]] std::vector<float> decode(std::span<const float> z) const;
  /// Each row of `x` (rows, D) encoded to its posterior mean and decoded: (rows, D).
  [[nodiscard]] std::vector<float> reconstruct(std::span<const float> x) const;
  /// Means of p(x|z) for z drawn from the prior N(0, temperature²); for a quantized latent, for codes drawn
  /// uniformly and independently: (count, D). Row i depends on seed and i alone. \throws ConfigError for a
  /// negative count or temperature, for a model without a prior (a deterministic latent), and for a
  /// temperature other than 1 with a quantized latent; OutOfMemoryError for more rows than memory holds
  [[nodiscard]] std::vector<float> sample(std::int64_t count, std::uint64_t seed,
                                          double temperature = 1.0) const;
  /// The z that sample() decodes: (count, Z).
  [[nodiscard]] std::vector<float> sample_latents(std::int64_t count, std::uint64_t seed,
                                                  double temperature = 1.0) const;
  /// Means of p(x|z) along a path of `steps` latents from z1 to z2 (Z each), ends included: (steps, D).
  [[nodiscard]] std::vector<float> interpolate(std::span<const float> z1, std::span<const float> z2,
                                               std::int64_t steps, bool spherical = false) const;
  /// ELBO terms of `x` (rows, D). The noise of row i depends on seed and i alone; the model's own seed gives
  /// the figures of the evaluation in its training run.
  [[nodiscard]] ElboTerms elbo(std::span<const float> x, std::uint64_t seed) const;
  [[nodiscard]] ElboTerms elbo(std::span<const float> x) const { return elbo(x, info().seed); }

  // The same for rows in the memory of the model's GPU, without a copy. All pointers are device pointers: `x`
  // (rows, D) in the units of the data, results of the shapes above; a result whose pointer is null is not
  // computed. `stream` is a cudaStream_t of that GPU (null: its default stream); the work is ordered on it:
  // after all earlier work, before all later work. The call returns when the work is queued; the memory must
  // stay valid until it is done. Values are not checked: values that are not finite give results that are not
  // finite. \throws DeviceError if the model is on the CPU; ConfigError for a result that the model does not
  // have (logvar of a model whose scale head outputs log σ)
  void encode_on_device(const float* x, std::int64_t rows, float* mean, float* logvar, void* stream) const;
  void elbo_on_device(const float* x, std::int64_t rows, std::uint64_t seed, float* reconstruction, float* kl,
                      void* stream) const;
  /// `mean` (rows, D) is in the units of the prepared data, as the network outputs it: scaling and
  /// standardization (info().scale, mean, inverse_deviation) are not undone.
  void decode_on_device(const float* z, std::int64_t rows, float* mean, void* stream) const;
  /// `mean` as for decode_on_device.
  void reconstruct_on_device(const float* x, std::int64_t rows, float* mean, void* stream) const;

  /// log (1/K Σ_k p(x|z_k) p(z_k) / q(z_k|x)) of `x` (rows, D) with K = `samples` latents drawn from q(z|x)
  /// for each row, in nats of the prepared data: in expectation a lower bound on log p(x), tighter with every
  /// sample and exact in the limit (Burda et al., arXiv 1509.00519, theorem 1). Row i depends on seed, K and
  /// i alone; −∞ for a row whose values overflow float in the network. \throws ConfigError for fewer than 1
  /// sample, and for a latent without a density
  [[nodiscard]] std::vector<float> log_likelihood(std::span<const float> x, std::int64_t samples,
                                                  std::uint64_t seed) const;

  // The same for streamed rows, block by block, in bounded memory. Each returns the number of rows. An
  // exception from `sink` ends the pass and propagates.
  std::int64_t encode(RowSource& rows, const std::function<void(const EncodedBlock&)>& sink) const;
  std::int64_t reconstruct(RowSource& rows, const std::function<void(const ReconstructedBlock&)>& sink) const;
  std::int64_t elbo(RowSource& rows, std::uint64_t seed,
                    const std::function<void(const ElboBlock&)>& sink) const;
  /// ELBO terms averaged over `samples` latents drawn from q(z|x) for each row: the same bound in
  /// expectation, with less noise, in `samples` times the time. Draw k of row i depends on seed and i·samples
  /// + k alone; stochastic binarization too. \throws ConfigError for fewer than 1 sample
  std::int64_t elbo(RowSource& rows, std::int64_t samples, std::uint64_t seed,
                    const std::function<void(const ElboBlock&)>& sink) const;
  std::int64_t log_likelihood(RowSource& rows, std::int64_t samples, std::uint64_t seed,
                              const std::function<void(const LogLikelihoodBlock&)>& sink) const;
  /// `z`: rows of Z values.
  std::int64_t decode(RowSource& z, const std::function<void(const DecodedBlock&)>& sink) const;
  /// `label`: the label that a conditional model is conditioned on, as for with_label(); rows for the other
  /// members have labels of their own. \throws ConfigError if the label is not valid (require_label) or is
  /// given for a model that is not conditional
  std::int64_t sample(std::int64_t count, std::uint64_t seed, double temperature,
                      const std::function<void(const DecodedBlock&)>& sink,
                      const std::string& label = "") const;

 private:
  friend ModelOnDevice on_device(const Vae& vae);  // for the library's own passes
  friend class DeviceTurn;                         // and for what its device does beside them
  struct VAECUDA_HIDDEN Impl;
  explicit Vae(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// `steps` latents from z1 to z2, ends included, row-major (steps, Z): on the straight line, or on the
/// great-circle arc with linearly changing length (slerp; Shoemake, SIGGRAPH 1985), which keeps the norm that
/// latents of a Gaussian have in many dimensions. If the directions are equal or opposite, slerp is the
/// straight line. \throws ConfigError for latents that differ in size or are too long, fewer than 2 steps;
/// OutOfMemoryError
[[nodiscard]] VAECUDA_API std::vector<float> interpolate_latents(std::span<const float> z1,
                                                                 std::span<const float> z2,
                                                                 std::int64_t steps, bool spherical = false);

/// z, then `count` latents at distance `radius` from it, in uniformly distributed directions that depend on
/// (seed, index): (1 + count, Z). \throws ConfigError for a negative count or radius; OutOfMemoryError
[[nodiscard]] VAECUDA_API std::vector<float> latents_around(std::span<const float> z, std::int64_t count,
                                                            double radius, std::uint64_t seed);

/// Latents (side², latent_dim) on a grid over two dimensions, zero in the others: row by row from the top,
/// with `across` growing to the right and `up` upwards, at the quantiles (i + ½) / side of the prior, so that
/// every cell has equal probability (Kingma and Welling, arXiv 1312.6114, figure 4).
/// \throws ConfigError for a dimension that does not exist, equal dimensions, or no cell; OutOfMemoryError
[[nodiscard]] VAECUDA_API std::vector<float> latent_grid(std::int64_t side, std::int64_t latent_dim,
                                                         std::int64_t across, std::int64_t up);

}  // namespace vaecuda
