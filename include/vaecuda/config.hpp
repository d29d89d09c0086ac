// The configuration of a training run: data, model, objective, optimizer, training, output. Plain structs
// with defaults; every field has one row in the option table (options.hpp), which gives its TOML key and
// command-line flag. A Setting is a field that has no effect in some kinds of runs.
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
/// What the encoder reads of a row of counts, which the likelihood always sees as it is.
enum class InputTransform {
  none,
  log1p,    ///< log(1 + x)
  l2,       ///< x divided by the row's Euclidean norm
  binarize  ///< 1 where x > 0
};
/// How raw values are scaled. `automatic` and `unit` are resolved from the training rows; the configuration
/// in the run folder has the resolved mode: none, by_255 or by_largest.
enum class ScaleMode {
  automatic,  ///< bytes that are grey values: by_255; anything else: none
  none,       ///< as they are
  unit,       ///< bytes that are grey values: by_255; anything else: by_largest
  by_255,     ///< divided by 255
  by_largest  ///< divided by the largest magnitude in the training rows
};
enum class BinarizeMode { none, threshold, stochastic };
enum class Precision { fp32, tf32, bf16 };
enum class OptimizerKind { adam, adamw };
/// How the codes of a vq latent are updated: as moving averages of the rows assigned to them, or by the
/// optimizer.
enum class CodebookUpdate { ema, gradient };
/// What happens in a step whose loss or gradient is not finite. stop: the run ends; skip: parameters and
/// moments are left unchanged and the next step follows; restore: back to the last checkpoint, with half the
/// learning rate.
enum class NonfiniteAction { stop, skip, restore };

/// Default σ of the likelihoods that have one; docs/math.md explains the choice.
inline constexpr double kDefaultSigma = 0.3;

/// The network: an MLP encoder, the latent, and an MLP decoder that mirrors the encoder.
struct ModelConfig {
  std::int64_t input_dim = 0;  ///< D: columns of the data; set when the data are read, not an option
  std::vector<std::int64_t> hidden = {
      400};                      ///< widths of the encoder's hidden layers; the decoder mirrors them
  std::int64_t latent_dim = 20;  ///< Z
  LatentKind latent = LatentKind::gaussian;
  /// What the encoder's scale head outputs: log σ² or log σ.
  Setting<LogvarHead> logvar_head{LogvarHead::logvar};
  Setting<std::int64_t> codebook_size{512};  ///< vq latent: M, codes per codebook
  Setting<std::int64_t> codebooks{1};        ///< vq latent: G; each quantizes Z/G latent columns
  bool conditional = false;                  ///< encoder and decoder are conditioned on the row's label
  /// Of counts: the mean of the training rows' sums, which what is decoded without a row has; set when the
  /// data are read, not an option.
  double row_sum = 0.0;
  std::int64_t condition_dim = 0;  ///< C: width of a label; set when the data are read, not an option
  Activation activation = Activation::relu;
  Initialization init = Initialization::torch;
  Likelihood likelihood = Likelihood::bernoulli;
  /// Of a likelihood that has a σ: it is fixed, one learned parameter, or an output of the decoder for every
  /// column.
  Setting<SigmaSource> sigma_source{SigmaSource::fixed};
  Setting<double> sigma{
      kDefaultSigma};  ///< standard deviation, in prepared units; learned: its initial value
  Setting<Dispersion> dispersion{Dispersion::column};             ///< of a negative binomial
  Setting<LibrarySize> library{LibrarySize::row_sum};             ///< of counts
  Setting<Rate> rate{Rate::softmax};                              ///< of counts
  Setting<InputTransform> input_transform{InputTransform::none};  ///< of counts: what the encoder reads
  OutputBias output_bias = OutputBias::init;                      ///< initial bias of the output layer
};

/// Where the rows come from and how they are prepared.
struct DataConfig {
  DataSource train;
  std::string test_path;  ///< empty: the source's own test part, else test_fraction
  std::string valid_path;
  double test_fraction = 0.0;   ///< fraction of the rows held out for the final test, in [0, 1)
  double valid_fraction = 0.0;  ///< fraction held out for validation, in [0, 1)
  std::string normal_label;     ///< train only on rows of this label; empty: on all rows
  ScaleMode scale = ScaleMode::automatic;
  bool standardize = false;  ///< (x − mean) / deviation per column, from the training rows
  BinarizeMode binarize = BinarizeMode::none;
};

enum class ObjectiveKind {
  elbo,  ///< the ELBO, averaged over the samples (Kingma and Welling, arXiv 1312.6114)
  iwae,  ///< the importance-weighted bound of all samples of a row (Burda et al., arXiv 1509.00519)
};
enum class Reduction { mean, sum };
enum class BetaScheduleKind { constant, linear, cyclical };

/// β as a pure function of the step.
struct BetaSchedule {
  BetaScheduleKind kind = BetaScheduleKind::constant;
  std::int64_t steps = 1;  ///< linear: steps of the rise from 0; cyclical: steps per period
  double ramp = 0.5;       ///< cyclical: fraction of a period in which β rises from 0, in (0, 1]
  friend bool operator==(const BetaSchedule&, const BetaSchedule&) = default;
};

/// The training objective, which is minimized.
struct ObjectiveConfig {
  Setting<ObjectiveKind> kind{ObjectiveKind::elbo};
  Setting<std::int64_t> samples{1};  ///< K: latent samples per row
  Setting<double> beta{1.0};         ///< Gaussian latent: weight of the KL term
  Setting<BetaSchedule> beta_schedule{BetaSchedule{}};
  Setting<double> capacity{0.0};            ///< C: the loss has |KL − C| instead of the KL; 0 = no capacity
  Setting<std::int64_t> capacity_steps{0};  ///< steps over which C rises from 0
  Setting<double> free_bits{0.0};           ///< λ: nats of each latent's KL that are not penalized; 0 = none
  Reduction reduce = Reduction::mean;       ///< over the rows of a batch, in the gradient
  Setting<double> latent_l2{0.0};           ///< deterministic latent: weight of the mean squared code
  /// vq latent: weight of the commitment loss ‖z − sg(code)‖²
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
  std::int64_t warmup_steps = 0;  ///< cosine: steps of the linear rise from 0
  double min_fraction = 0.0;      ///< cosine: final rate as a fraction of lr, in [0, 1]
  double gamma = 1.0;             ///< exponential: factor per epoch, in (0, 1]
  std::vector<LrStage> stages;    ///< stages: epochs ascending; lr applies before the first one
  friend bool operator==(const LrSchedule&, const LrSchedule&) = default;
};

struct OptimizerConfig {
  OptimizerKind kind = OptimizerKind::adam;
  double lr = 1e-3;
  LrSchedule schedule;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  std::int64_t v_init = 0;    ///< initial second moment: 0; or 1, and then without bias correction
  double weight_decay = 0.0;  ///< adam: L2 term in the gradient; adamw: decoupled
  double clip_norm = 0.0;     ///< global gradient norm is scaled down to this; 0 = no clipping
  Setting<CodebookUpdate> codebook_update{CodebookUpdate::ema};
  Setting<double> ema_decay{0.99};  ///< of the codebook's moving averages
  /// ema: a code whose usage is below this fraction of B/M is restarted; 0 = never
  Setting<double> restart_codes{0.0};
};

struct TrainConfig {
  std::optional<std::int64_t> epochs;  ///< passes over the rows; if neither epochs nor steps is set: 10
  std::optional<std::int64_t> steps;
  std::int64_t batch_size = 128;  ///< rows per step; all training rows if there are fewer
  std::uint64_t seed = 1;
  std::int64_t patience = 0;    ///< stop after this many epochs without a better validation loss; 0 = never
  std::string device = "auto";  ///< auto, cpu, cuda, cuda:N
  std::int64_t threads = 0;     ///< CPU threads; 0 = one per available core
  Precision precision = Precision::fp32;
  bool autotune = false;  ///< GPU: measure cuBLAS's algorithms instead of taking its own first choice
  NonfiniteAction on_nonfinite = NonfiniteAction::stop;
  Setting<std::int64_t> max_restores{3};  ///< on_nonfinite = restore: returns per run before it ends
  std::string init_from;                  ///< model file to start from; empty: fresh parameters
};

struct OutputConfig {
  std::string dir;                    ///< run folder
  bool overwrite = false;             ///< replace a run that the folder already holds
  std::int64_t log_every = 100;       ///< steps between lines of metrics.jsonl
  std::int64_t checkpoint_every = 0;  ///< steps between checkpoints; 0: by time only
  double checkpoint_seconds = 300.0;  ///< between checkpoints; 0: by steps only
};

/// All options of a run: the contents of config.toml.
struct RunConfig {
  DataConfig data;
  ModelConfig model;
  ObjectiveConfig objective;
  OptimizerConfig optimizer;
  TrainConfig train;
  OutputConfig output;
};

/// Reads a TOML configuration over `base`. Its values count as defaults, not as given (Setting): they are
/// dropped, not refused, where a later choice leaves them without effect. \throws ConfigError for unknown
/// keys (naming the nearest one), wrong types, values out of range, and values other than the default that
/// have no effect within the file itself; FileError if the file cannot be read.
[[nodiscard]] VAECUDA_API RunConfig load_config(const std::string& path, const RunConfig& base = {});
/// The same for TOML text. `name` is used in messages instead of the path.
[[nodiscard]] VAECUDA_API RunConfig parse_config(const std::string& toml, const RunConfig& base = {},
                                                 const std::string& name = "TOML text");
/// The configuration of the run in folder `dir`, with output.dir set to it, for Trainer to resume.
/// \throws as load_config, and FileError if the folder holds no run
[[nodiscard]] VAECUDA_API RunConfig load_run_config(const std::string& dir);
/// The whole configuration as TOML, from which load_config gives the same configuration.
[[nodiscard]] VAECUDA_API std::string to_toml(const RunConfig& config);
/// Checks the fields against each other: contradictions, and a Setting that was given and has no effect.
/// \throws ConfigError saying which options contradict and why.
VAECUDA_API void validate(const RunConfig& config);

}  // namespace vaecuda
