// Training a VAE: from a configuration to a run folder with a model in it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "vaecuda/config.hpp"
#include "vaecuda/dataset.hpp"
#include "vaecuda/device.hpp"
#include "vaecuda/error.hpp"
#include "vaecuda/export.h"
#include "vaecuda/pass_progress.hpp"

namespace vaecuda {

/// How a quantized latent (VQ-VAE) fares. A codebook's perplexity, e^H of how often each of its codes is
/// taken, is the number of codes that would be in use if all were used alike: of all rows in an evaluation;
/// in training the mean over batches, of B rows each, which cannot exceed B.
struct QuantizationTerms {
  double error = 0.0;             ///< ‖z − code‖², summed over the latent, mean over rows
  double perplexity = 0.0;        ///< mean over codebooks
  double least_perplexity = 0.0;  ///< of the codebook that is used least
};

/// What a Gaussian latent's units hold, over the rows of an evaluation: of more than 256 MiB of posteriors
/// (8·Z bytes a row) over the first rows.
struct LatentTerms {
  std::vector<double> kl;         ///< (Z): KL of each latent's posterior to the prior, nats, mean over rows
  std::int64_t active_units = 0;  ///< latents whose posterior mean varies over the rows by more than 0.01
                                  ///< (Burda et al., arXiv 1509.00519)
};

/// The loss and its terms, each a mean over rows, in nats. Gaussian latent: loss = reconstruction + β·kl, the
/// negative ELBO for β = 1. Deterministic latent: kl is 0, and loss = reconstruction + latent_l2 · the codes'
/// mean square. Quantized latent: kl is 0, and loss = reconstruction + (commitment, or 1 more where the
/// optimizer moves the codes) · quantization.error.
struct LossTerms {
  double loss = 0.0;  ///< what is minimized
  double reconstruction = 0.0;
  double kl = 0.0;
  std::optional<QuantizationTerms> quantization;  ///< quantized latent only
  std::optional<LatentTerms> latents = {};        ///< evaluations of a Gaussian latent only
};

/// Where training stands; passed to the progress callback.
struct Progress {
  std::int64_t step = 0;  ///< steps done
  std::int64_t total_steps = 0;
  std::int64_t epoch = 0;         ///< epochs completed
  std::int64_t total_epochs = 0;  ///< 0 where the run is bounded by steps alone
  double seconds = 0.0;           ///< spent in training steps
  double samples_per_second = 0.0;
  double lr = 0.0;
  LossTerms train;  ///< mean over the steps since the last call (over the epoch at an epoch's end)
  std::optional<LossTerms> valid;  ///< at an epoch's end, where there is a validation set
  bool epoch_end = false;
  bool improved = false;  ///< the validation loss is the best so far
};

/// How a run ended, and the figures of `--json`.
struct TrainSummary {
  std::string device;  ///< "cpu" or "cuda:N", then the device's name
  std::int64_t steps = 0;
  std::int64_t epochs = 0;  ///< completed epochs
  double seconds = 0.0;     ///< training steps alone
  double samples_per_second = 0.0;
  std::int64_t parameters = 0;
  std::int64_t device_bytes = 0;   ///< allocated on the device by this run
  LossTerms train;                 ///< mean over the last epoch's steps
  std::optional<LossTerms> valid;  ///< of the saved best model
  std::optional<LossTerms> test;   ///< of the saved best model, one sampled z per row
  std::int64_t best_epoch = 0;
  bool stopped_early = false;  ///< by patience
  bool stopped = false;  ///< by stop_requested, after saving; what came later (test, pictures) is missing
  std::int64_t skipped_steps = 0;  ///< whose loss or gradient was not finite (train.on_nonfinite = skip)
  std::int64_t restores = 0;       ///< returns to a checkpoint (train.on_nonfinite = restore)
  std::string model;               ///< path of the best model
  /// What shows that the run taught the model little, one line each with its remedy (docs/evaluation.md,
  /// "Warnings"); none where it was stopped. Each was a message to the observer as well.
  std::vector<std::string> warnings;
};

/// Callbacks of a run. Each may be empty. They are called from the thread that called run().
struct TrainObserver {
  std::function<void(const std::string&)> message;  ///< one line for a person
  std::function<void(const Progress&)> progress;    ///< a few times a second and at every epoch's end
  /// Asked a few times a second; true ends the run after saving a checkpoint.
  std::function<bool()> stop_requested;
  /// How far an evaluation of held-out rows is: a few times a second while one runs.
  std::function<void(const PassProgress&)> pass;
};

/// The rows of a run that are in memory already.
struct RunData {
  Dataset train;
  std::optional<Dataset> valid;
  std::optional<Dataset> test;
};

/// Whether a run begins, or goes on where the last checkpoint in its folder stands.
enum class Start { fresh, resume };

/// One training run. Construction reads and checks the data and the configuration and allocates everything;
/// nothing is written before run(). Not thread-safe.
class VAECUDA_API Trainer {
 public:
  /// To resume, take the configuration from load_run_config(). Of its options those may be changed that the
  /// table marks (Option::may_change_on_resume), and the length of the run where no schedule depends on it;
  /// the data must be the same rows. A folder without a checkpoint is trained from the first step; one with
  /// models whose state is gone is refused (FileError). The files of a resumed run are those that one
  /// uninterrupted run would have written, byte for byte, times excepted.
  /// \throws ConfigError, FileError, DeviceError, OutOfMemoryError
  explicit Trainer(RunConfig config, TrainObserver observer = {}, Start start = Start::fresh);
  /// Trains on these rows instead of those that data.path, data.valid and data.test name, which must be
  /// unset; config() and config.toml then say "(memory)" there. Fractions hold out rows of `data.train` as
  /// they do of a file's. Of the options of files data.labels gives `data.train` its labels and data.image
  /// all rows their picture shape; the others are refused. \throws as above, FileError for a float that is
  /// not finite
  Trainer(RunConfig config, RunData data, TrainObserver observer = {}, Start start = Start::fresh);
  ~Trainer();
  Trainer(const Trainer&) = delete;
  Trainer& operator=(const Trainer&) = delete;

  /// The plan of one training step: every op with its shapes, FLOPs, bytes, and the memory it needs.
  [[nodiscard]] std::string explain() const;
  /// The configuration with every open question answered (sizes, paths made absolute).
  [[nodiscard]] const RunConfig& config() const;
  /// Trains and writes the run folder. \throws RuntimeError if it cannot be written, DivergedError.
  TrainSummary run();
  /// Writes report.html of the run that has ended into its folder and gives its path, as
  /// vaecuda::write_report does, without reading the rows again. \throws ConfigError before run(), and as
  /// write_report
  [[nodiscard]] std::string write_report() const;

 private:
  struct VAECUDA_HIDDEN Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vaecuda
