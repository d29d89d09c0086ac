// What a training run is made of: data, model, objective, optimizer, training, output. Plain structs with
// defaults; every field has one line in the option table (options.hpp), which names it for TOML and command
// line. A Setting is a field that not every kind of run has.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "vaecuda/dataset.hpp"
#include "vaecuda/export.h"
#include "vaecuda/latent.hpp"
#include "vaecuda/likelihood.hpp"
#include "vaecuda/setting.hpp"

namespace vaecuda {

enum class Activation { relu, tanh, leaky_relu, gelu, gelu_tanh, silu };
enum class Initialization { torch, glorot };
enum class OutputBias { init, zero, data_mean };
enum class LogvarHead { logvar, logsigma };
/// What raw values are multiplied by. `automatic` and `unit` are answered from the training rows, and what a
/// run keeps in its configuration is the answer: none, by_255 or by_largest.
enum class ScaleMode {
  automatic,  ///< bytes that are grey values: by_255; all else: none
  none,       ///< as they are
  unit,       ///< bytes that are grey values: by_255; all else: by_largest
  by_255,     ///< divided by 255
  by_largest  ///< divided by the greatest magnitude of the training rows
};
enum class BinarizeMode { none, threshold, stochastic };
enum class Precision { fp32, tf32, bf16 };
enum class OptimizerKind { adam, adamw };
/// How the codes of a vq latent move: to the moving averages of their rows, or by the optimizer.
enum class CodebookUpdate { ema, gradient };
/// What a step does whose loss or gradient is not finite: end the run; leave parameters and moments as they
/// are and go on with the next step; go back to the last checkpoint with half the learning rate.
enum class NonfiniteAction { stop, skip, restore };

/// σ of a likelihood that has one, where none is given: docs/math.md tells how it was chosen.
inline constexpr double kDefaultSigma = 0.3;

/// The network: an MLP encoder, a latent code, the mirrored MLP decoder.
struct ModelConfig {
  std::int64_t input_dim = 0;  ///< D: columns of the data; set when they are read, no option
  std::vector<std::int64_t> hidden = {
      400};                      ///< widths of the encoder's hidden layers; the decoder mirrors them
  std::int64_t latent_dim = 20;  ///< Z
  LatentKind latent = LatentKind::gaussian;
  /// What the encoder gives for the scale: log σ² or log σ.
  Setting<LogvarHead> logvar_head{LogvarHead::logvar};
  Setting<std::int64_t> codebook_size{512};  ///< vq latent: M, codes of a codebook
  Setting<std::int64_t> codebooks{1};        ///< vq latent: G; each has the codes of Z/G latent columns
  bool conditional = false;                  ///< encoder and decoder see the label of a row
  std::int64_t condition_dim = 0;  ///< C: numbers that a label is; set when the data are read, no option
  Activation activation = Activation::relu;
  Initialization init = Initialization::torch;
  Likelihood likelihood = Likelihood::bernoulli;
  /// Gaussian, Laplace: σ is fixed, one learned parameter, or given by the decoder for every column.
  Setting<SigmaSource> sigma_source{SigmaSource::fixed};
  Setting<double> sigma{
      kDefaultSigma};  ///< standard deviation, in prepared units; learned: what it starts from
  OutputBias output_bias = OutputBias::init;  ///< what the output layer's bias starts from
};

/// Where the rows come from and how they are prepared.
struct DataConfig {
  DataSource train;
  std::string test_path;  ///< empty: the source's own test part, or test_fraction
  std::string valid_path;
  double test_fraction = 0.0;   ///< share of the rows held out for the final test, in [0, 1)
  double valid_fraction = 0.0;  ///< share held out for validation, in [0, 1)
  std::string normal_label;     ///< train on rows of this label alone; empty: on all rows
  ScaleMode scale = ScaleMode::automatic;
  bool standardize = false;  ///< (x − mean) / deviation per column, from the training rows
  BinarizeMode binarize = BinarizeMode::none;
};

enum class ObjectiveKind {
  elbo,  ///< the mean over the samples (Kingma and Welling, arXiv 1312.6114)
  iwae,  ///< the importance-weighted bound that they give together (Burda et al., arXiv 1509.00519)
};
enum class Reduction { mean, sum };
enum class BetaScheduleKind { constant, linear, cyclical };

/// β as a pure function of the step.
struct BetaSchedule {
  BetaScheduleKind kind = BetaScheduleKind::constant;
  std::int64_t steps = 1;  ///< linear: steps of the rise from 0; cyclical: steps of a period
  double ramp = 0.5;       ///< cyclical: share of a period that rises from 0, in (0, 1]
  friend bool operator==(const BetaSchedule&, const BetaSchedule&) = default;
};

/// What is minimized.
struct ObjectiveConfig {
  Setting<ObjectiveKind> kind{ObjectiveKind::elbo};
  Setting<std::int64_t> samples{1};  ///< K: latent samples of each row
  Setting<double> beta{1.0};         ///< Gaussian latent: weight of the KL term
  Setting<BetaSchedule> beta_schedule{BetaSchedule{}};
  Setting<double> capacity{0.0};  ///< C: the loss has |KL − C| in the place of the KL; 0 = no capacity
  Setting<std::int64_t> capacity_steps{0};  ///< steps in which C rises from 0
  Setting<double> free_bits{0.0};           ///< λ: nats of each latent's KL that cost nothing; 0 = none
  Reduction reduce = Reduction::mean;       ///< of the rows, in the gradient
  Setting<double> latent_l2{0.0};           ///< deterministic latent: weight of the code's mean square
  /// vq latent: weight of ‖z − sg(code)‖², the pull of the encoder to its codes
  Setting<double> commitment{0.25};
};

/// One stage of a stepwise learning-rate schedule: from the start of `epoch` (counted from 0) on.
struct LrStage {
  std::int64_t epoch = 0;
  double lr = 0.0;
  friend bool operator==(const LrStage&, const LrStage&) = default;
};

enum class LrScheduleKind { constant, cosine, exponential, stages };

/// Learning rate as a pure function of the step.
struct LrSchedule {
  LrScheduleKind kind = LrScheduleKind::constant;
  std::int64_t warmup_steps = 0;  ///< cosine: linear rise from 0 over so many steps
  double min_fraction = 0.0;      ///< cosine: final rate as a fraction of lr, in [0, 1]
  double gamma = 1.0;             ///< exponential: factor per epoch, in (0, 1]
  std::vector<LrStage> stages;    ///< stages: ascending epochs; before the first one lr holds
  friend bool operator==(const LrSchedule&, const LrSchedule&) = default;
};

struct OptimizerConfig {
  OptimizerKind kind = OptimizerKind::adam;
  double lr = 1e-3;
  LrSchedule schedule;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  std::int64_t v_init = 0;    ///< where the second moment starts: 0, or 1 and then without bias correction
  double weight_decay = 0.0;  ///< adam: L2 term in the gradient; adamw: decoupled
  double clip_norm = 0.0;     ///< global gradient norm is scaled down to this; 0 = no clipping
  Setting<CodebookUpdate> codebook_update{CodebookUpdate::ema};
  Setting<double> ema_decay{0.99};  ///< of the codebook's moving averages
  /// ema: a code that is used less than this share of B/M is restarted; 0 = never
  Setting<double> restart_codes{0.0};
};

struct TrainConfig {
  std::optional<std::int64_t> epochs;  ///< passes over the rows; neither epochs nor steps: 10 epochs
  std::optional<std::int64_t> steps;
  std::int64_t batch_size = 128;  ///< rows per step; a run of fewer training rows takes them all
  std::uint64_t seed = 1;
  std::int64_t patience = 0;    ///< stop after so many epochs without a better validation loss; 0 = never
  std::string device = "auto";  ///< auto, cpu, cuda, cuda:N
  std::int64_t threads = 0;     ///< CPU threads; 0 = one per available core
  Precision precision = Precision::fp32;
  bool autotune = false;  ///< GPU: measure cuBLAS's algorithms instead of taking its own first choice
  NonfiniteAction on_nonfinite = NonfiniteAction::stop;
  Setting<std::int64_t> max_restores{3};  ///< on_nonfinite = restore: so many times in a run, then it ends
  std::string init_from;                  ///< model file to start from; empty: fresh parameters
};

struct OutputConfig {
  std::string dir;                    ///< run folder
  bool overwrite = false;             ///< replace a run that the folder already holds
  std::int64_t log_every = 100;       ///< steps between lines of metrics.jsonl
  std::int64_t checkpoint_every = 0;  ///< steps between checkpoints; 0: by time alone
  double checkpoint_seconds = 300.0;  ///< between checkpoints; 0: by steps alone
};

/// Everything that determines a run: the contents of config.toml.
struct RunConfig {
  DataConfig data;
  ModelConfig model;
  ObjectiveConfig objective;
  OptimizerConfig optimizer;
  TrainConfig train;
  OutputConfig output;
};

/// Reads a TOML configuration over `base`. What it says counts as usual, not as given: it yields where a
/// later choice leaves it without effect. \throws ConfigError for unknown keys (naming the nearest one),
/// wrong types, values out of range and values without effect in the file itself, but usual ones, which older
/// files have; FileError if the file cannot be read.
[[nodiscard]] VAECUDA_API RunConfig load_config(const std::string& path, const RunConfig& base = {});
/// The same of TOML text. `name` stands for the path in messages.
[[nodiscard]] VAECUDA_API RunConfig parse_config(const std::string& toml, const RunConfig& base = {},
                                                 const std::string& name = "TOML text");
/// The configuration of the run in folder `dir`, with output.dir naming it: what Trainer resumes.
/// \throws as load_config, and FileError if the folder holds no run
[[nodiscard]] VAECUDA_API RunConfig load_run_config(const std::string& dir);
/// The whole configuration as TOML; load_config of it gives the same configuration.
[[nodiscard]] VAECUDA_API std::string to_toml(const RunConfig& config);
/// Checks what one field alone cannot show: contradictions between fields, and a Setting that was given and
/// has no effect. \throws ConfigError saying which options contradict and why.
VAECUDA_API void validate(const RunConfig& config);

}  // namespace vaecuda
