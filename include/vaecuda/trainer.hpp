// Training: from a configuration to a run folder with a model.
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

/// Figures of a quantized latent (VQ-VAE). The perplexity of a codebook is e^H, with H the entropy of its
/// code frequencies: the number of equally frequent codes with the same entropy. In an evaluation it is over
/// all rows; in training it is the mean over batches of B rows and cannot exceed B.
struct QuantizationTerms {
  double error = 0.0;             ///< ‖z − code‖², summed over latent columns, mean over rows
  double perplexity = 0.0;        ///< mean over codebooks
  double least_perplexity = 0.0;  ///< the smallest over codebooks
};

/// Figures of each unit of a Gaussian latent over the rows of an evaluation; over the first rows only if all
/// posteriors (8·Z bytes per row) would take more than 256 MiB.
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

/// Progress of training; passed to the progress callback.
struct Progress {
  std::int64_t step = 0;  ///< steps done
  std::int64_t total_steps = 0;
  std::int64_t epoch = 0;         ///< epochs completed
  std::int64_t total_epochs = 0;  ///< 0 if only steps limit the run
  double seconds = 0.0;           ///< spent in training steps
  double samples_per_second = 0.0;
  double lr = 0.0;
  LossTerms train;  ///< mean over the steps since the last call; at an epoch's end over the epoch
  std::optional<LossTerms> valid;  ///< at an epoch's end, if there is a validation set
  bool epoch_end = false;
  bool improved = false;  ///< the validation loss is the best so far
};

/// The result of a run; the figures of `--json`.
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
  bool stopped_early = false;      ///< by patience
  bool stopped = false;            ///< by stop_requested, after saving; without test figures and pictures
  std::int64_t skipped_steps = 0;  ///< loss or gradient not finite (train.on_nonfinite = skip)
  std::int64_t restores = 0;       ///< returns to a checkpoint (train.on_nonfinite = restore)
  std::string model;               ///< path of the best model
  /// Signs that the model learned little, one line each with the remedy (docs/evaluation.md, "Warnings");
  /// none if the run was stopped. Each was also passed to TrainObserver::message.
  std::vector<std::string> warnings;
};

/// Callbacks of a run. Each may be empty. They are called on the thread that called run().
struct TrainObserver {
  std::function<void(const std::string&)> message;  ///< one line of text for the user
  std::function<void(const Progress&)> progress;    ///< a few times a second and at every epoch's end
  /// Called a few times a second; returning true ends the run after saving a checkpoint.
  std::function<bool()> stop_requested;
  /// Progress of an evaluation of held-out rows, a few times a second.
  std::function<void(const PassProgress&)> pass;
};

/// The rows of a run, in memory.
struct RunData {
  Dataset train;
  std::optional<Dataset> valid;
  std::optional<Dataset> test;
};

/// Whether a run starts anew or resumes from the last checkpoint in its folder.
enum class Start { fresh, resume };

/// One training run. Construction reads and checks the data and the configuration and allocates everything;
/// nothing is written before run(). Not thread-safe.
class VAECUDA_API Trainer {
 public:
  /// To resume, take the configuration from load_run_config(). Only options with Option::may_change_on_resume
  /// may be changed, and the length of the run if no schedule depends on it; the data must be the same rows.
  /// A folder without a checkpoint is trained from the first step; one with models but without their training
  /// state is refused (FileError). Apart from times, the files of a resumed run are byte for byte those of an
  /// uninterrupted run.
  /// \throws ConfigError, FileError, DeviceError, OutOfMemoryError
  explicit Trainer(RunConfig config, TrainObserver observer = {}, Start start = Start::fresh);
  /// Trains on these rows; data.path, data.valid and data.test must be unset and become "(memory)" in
  /// config() and config.toml. Fractions hold out rows of `data.train` as for a file. Of the options for
  /// files, data.labels sets the labels of `data.train` and data.image the picture shape of all rows; the
  /// others are refused. \throws as above, and FileError for a float that is not finite
  Trainer(RunConfig config, RunData data, TrainObserver observer = {}, Start start = Start::fresh);
  ~Trainer();
  Trainer(const Trainer&) = delete;
  Trainer& operator=(const Trainer&) = delete;

  /// The plan of one training step as text: every op with its shapes, FLOPs, bytes and memory.
  [[nodiscard]] std::string explain() const;
  /// The configuration with everything resolved: sizes from the data, automatic choices, absolute paths.
  [[nodiscard]] const RunConfig& config() const;
  /// Trains and writes the run folder. \throws RuntimeError if it cannot be written, DivergedError
  TrainSummary run();
  /// Writes report.html of the finished run into its folder and returns its path, as vaecuda::write_report,
  /// but without reading the rows again. \throws ConfigError before run(), and as write_report
  [[nodiscard]] std::string write_report() const;

 private:
  struct VAECUDA_HIDDEN Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vaecuda
