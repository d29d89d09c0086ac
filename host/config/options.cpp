// The option table. A new field needs only a row here to appear on the command line, in TOML, in the help and
// in the generated tests.
#include "vaecuda/options.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "host/config/count_options.hpp"
#include "host/config/enumerators.hpp"
#include "host/config/fields.hpp"
#include "host/config/limits.hpp"
#include "host/config/schedules.hpp"
#include "host/config/scopes.hpp"
#include "host/config/text_forms.hpp"

namespace vaecuda {
namespace {

using namespace config;  // NOLINT(google-build-using-namespace): the table is written in its terms

template <std::size_t N>
using Names = std::array<std::string_view, N>;
// For texts that are not the enumerator's name; in the order of the enumeration.
constexpr Names<3> kHeaderModes{"auto", "yes", "no"};
constexpr Names<5> kScaleModes{"auto", "none", "unit", "255", "largest"};
constexpr auto kBinarizeModes = enumerator_texts<BinarizeMode>();
constexpr auto kActivations = enumerator_texts<Activation>();
constexpr auto kInitializations = enumerator_texts<Initialization>();
constexpr auto kLogvarHeads = enumerator_texts<LogvarHead>();
constexpr auto kLikelihoods = enumerator_texts<Likelihood>();
constexpr auto kOutputBiases = enumerator_texts<OutputBias>();
constexpr auto kObjectives = enumerator_texts<ObjectiveKind>();
constexpr auto kReductions = enumerator_texts<Reduction>();
constexpr auto kOptimizers = enumerator_texts<OptimizerKind>();
constexpr auto kCodebookUpdates = enumerator_texts<CodebookUpdate>();
constexpr auto kPrecisions = enumerator_texts<Precision>();
constexpr auto kNonfiniteActions = enumerator_texts<NonfiniteAction>();

constexpr auto kData = &RunConfig::data;
constexpr auto kModel = &RunConfig::model;
constexpr auto kObjective = &RunConfig::objective;
constexpr auto kOptimizer = &RunConfig::optimizer;
constexpr auto kTrain = &RunConfig::train;
constexpr auto kOutput = &RunConfig::output;
constexpr auto kSource = &DataConfig::train;

/// One option for two fields.
Option sigma_setting(Option option) {
  option.is_given = [](const RunConfig& config) {
    return config.model.sigma.is_given() || config.model.sigma_source.is_given();
  };
  option.forget = [](RunConfig& config) {
    config.model.sigma.forget();
    config.model.sigma_source.forget();
  };
  option.take_as_usual = [](RunConfig& config) {
    config.model.sigma.take_as_usual();
    config.model.sigma_source.take_as_usual();
  };
  return option;
}

void append_data(std::vector<Option>& table) {
  constexpr std::string_view kGroup = "Data";
  table.push_back(free_on_resume(text_option<kData, kSource, &DataSource::path>(
      {"data.path", "--data", "PATH", kGroup,
       "rows to train on: IDX, .npy, .csv, sparse .mtx or "
       "svmlight text (each also .gz), SciPy's sparse .npz, "
       "CIFAR-10 .bin, a folder with MNIST, CIFAR-10 or 10x counts, "
       "or shapes[:32x32x3][:n=100000]"})));
  table.push_back(free_on_resume(text_option<kData, &DataConfig::test_path>(
      {"data.test", "--test", "PATH", kGroup, "rows for the final test; they never choose a model"})));
  table.push_back(real_option<kShare, kData, &DataConfig::test_fraction>(
      {"data.test_fraction", "--test-fraction", "F", kGroup,
       "share of the rows to set aside for the final test"}));
  table.push_back(free_on_resume(text_option<kData, &DataConfig::valid_path>(
      {"data.valid", "--valid", "PATH", kGroup, "rows that choose the best model after every epoch"})));
  table.push_back(real_option<kShare, kData, &DataConfig::valid_fraction>(
      {"data.valid_fraction", "--valid-fraction", "F", kGroup,
       "share of the rows to set aside for validation"}));
  table.push_back(free_on_resume(text_option<kData, kSource, &DataSource::labels_path>(
      {"data.labels", "--labels", "PATH", kGroup,
       "one label per row of --data: IDX, .npy or a one-column CSV; for --conditional also a vector per "
       "row"})));
  table.push_back(text_option<kData, kSource, &DataSource::label_column>(
      {"data.label_column", "--label-column", "NAME|INDEX|none", kGroup,
       "CSV column that holds labels; without it, one named label, class or target"}));
  table.push_back(choice_option<kHeaderModes, kData, kSource, &DataSource::header>(
      {"data.header", "--header", "", kGroup,
       "whether the first line of a CSV file names its columns; auto: as the lines tell"}));
  table.push_back(text_option<kData, &DataConfig::normal_label>(
      {"data.normal_label", "--normal-label", "LABEL", kGroup,
       "train and validate on the rows of this label alone; test rows keep all labels"}));
  table.push_back(formatted_option<parse_image, format_image, kData, kSource, &DataSource::image>(
      {"data.image", "--image", "HxWxC", kGroup, "the picture that a row is, channels varying fastest"},
      kImageRange));
  table.push_back(choice_option<kScaleModes, kData, &DataConfig::scale>(
      {"data.scale", "--scale", "", kGroup,
       "255, largest: divide by 255, or by the training rows' largest; none: as they are; auto: bytes that "
       "reach 128 by 255, all else as they are; unit: as auto, but all else by its largest"}));
  table.push_back(flag_option<kData, &DataConfig::standardize>(
      {"data.standardize", "--standardize", "", kGroup,
       "give every column mean 0 and deviation 1, as measured on the training rows"}));
  table.push_back(in_model(choice_option<kBinarizeModes, kData, &DataConfig::binarize>(
      {"data.binarize", "--binarize", "", kGroup,
       "turn values in [0,1] into 0 or 1: at one half, or drawn anew for every batch"})));
}

void append_model(std::vector<Option>& table) {
  constexpr std::string_view kGroup = "Model";
  table.push_back(of_start_model(in_model(list_option<kDimension, kLayers, kModel, &ModelConfig::hidden>(
      {"model.hidden", "--hidden", "N[,N...]|none", kGroup,
       "widths of the encoder's hidden layers; the decoder mirrors them"}))));
  table.push_back(of_start_model(in_model(integer_option<kDimension, kModel, &ModelConfig::latent_dim>(
      {"model.latent_dim", "--latent-dim", "N", kGroup, "width of the latent code"}))));
  table.push_back(of_start_model(in_model(choice_option<kLatentNames, kModel, &ModelConfig::latent>(
      {"model.latent", "--latent", "", kGroup, kLatentHelp}))));
  table.push_back(of_start_model(flag_option<kModel, &ModelConfig::conditional>(
      {"model.conditional", "--conditional", "", kGroup,
       "condition encoder and decoder on each row's label: classes, or the vectors of a --labels file"})));
  table.push_back(of_start_model(in_model(choice_option<kActivations, kModel, &ModelConfig::activation>(
      {"model.activation", "--activation", "", kGroup,
       "of the hidden layers; gelu is the exact form, by erf"}))));
  table.push_back(in_model(choice_option<kInitializations, kModel, &ModelConfig::init>(
      {"model.init", "--init", "", kGroup, "how fresh weights are drawn; torch is nn.Linear's way"})));
  table.push_back(of_start_model(in_model(choice_option<kLikelihoods, kModel, &ModelConfig::likelihood>(
      {"model.likelihood", "--likelihood", "", kGroup,
       "p(x|z): bernoulli for values in [0,1]; gaussian and laplace for any; poisson, nb, zinb and "
       "multinomial for "
       "counts"}))));
  table.push_back(
      only(needs_sigma, sigma_setting(of_start_model(row(
                            {"model.sigma", "--sigma", "F|learned|head", kGroup,
                             "standard deviation of a likelihood that has one, in prepared units; learned: "
                             "one parameter of the model; head: the decoder gives it for every column"},
                            OptionType::real_or_word, sigma_range(),
                            [](RunConfig& config, std::string_view text, std::string_view where) {
                              parse_sigma(config.model, text, where);
                            },
                            [](const RunConfig& config) { return format_sigma(config.model); })))));
  append_count_options(table, kGroup);
  table.push_back(in_model(choice_option<kOutputBiases, kModel, &ModelConfig::output_bias>(
      {"model.output_bias", "--output-bias", "", kGroup,
       "what the output layer's bias starts from: as --init draws it, 0, or what gives the training rows' "
       "mean"})));
  table.push_back(only(needs_density,
                       of_start_model(in_model(choice_option<kLogvarHeads, kModel, &ModelConfig::logvar_head>(
                           {"model.logvar_head", "--logvar-head", "", kGroup,
                            "what the encoder gives for the latent's scale: log sigma^2 or log sigma"})))));
}

void append_objective(std::vector<Option>& table) {
  constexpr std::string_view kGroup = "Objective";
  table.push_back(
      only(needs_density,
           in_model(choice_option<kObjectives, kObjective, &ObjectiveConfig::kind>(
               {"objective.kind", "--objective", "", kGroup,
                "elbo, or the tighter importance-weighted bound of all samples of a row together"}))));
  table.push_back(only(needs_density,
                       in_model(integer_option<kSamples, kObjective, &ObjectiveConfig::samples>(
                           {"objective.samples", "--samples", "N", kGroup, "latent samples of each row"}))));
  table.push_back(
      only(needs_kl_term, in_model(real_option<kWeight, kObjective, &ObjectiveConfig::beta>(
                              {"objective.beta", "--beta", "F", kGroup, "weight of the KL term"}))));
  table.push_back(
      only(needs_kl_term, in_model(formatted_option<parse_beta_schedule, format_beta_schedule, kObjective,
                                                    &ObjectiveConfig::beta_schedule>(
                              {"objective.beta_schedule", "--beta-schedule", "SCHEDULE", kGroup,
                               "how the KL term's weight comes to --beta: constant, linear:steps=N (from 0) "
                               "or cyclical:period=N,ramp=F (from 0 in every period)"},
                              "constant, linear:steps=N or cyclical:period=N,ramp=F"))));
  table.push_back(
      only(needs_kl_term, in_model(real_option<kWeight, kObjective, &ObjectiveConfig::capacity>(
                              {"objective.capacity", "--capacity", "NATS", kGroup,
                               "hold the KL at this many nats, by |KL - C| in the loss; 0: off"}))));
  table.push_back(only(needs_capacity,
                       in_model(integer_option<kCapacitySteps, kObjective, &ObjectiveConfig::capacity_steps>(
                           {"objective.capacity_steps", "--capacity-steps", "N", kGroup,
                            "steps in which the capacity rises from 0"}))));
  table.push_back(
      only(needs_kl_term, in_model(real_option<kWeight, kObjective, &ObjectiveConfig::free_bits>(
                              {"objective.free_bits", "--free-bits", "NATS", kGroup,
                               "KL per latent, mean over the batch, that is not penalized; 0: off"}))));
  table.push_back(in_model(choice_option<kReductions, kObjective, &ObjectiveConfig::reduce>(
      {"objective.reduce", "--reduce", "", kGroup,
       "whether the gradient is the mean or the sum over a batch's rows; reported losses are means"})));
  table.push_back(only(needs_code_penalty,
                       in_model(real_option<kWeight, &RunConfig::objective, &ObjectiveConfig::latent_l2>(
                           {"objective.latent_l2", "--latent-l2", "F", kGroup,
                            "deterministic latent: weight of the code's mean square"}))));
}

void append_codebook(std::vector<Option>& table) {
  constexpr std::string_view kGroup = "Codebook";
  table.push_back(only(
      needs_codebook, of_start_model(in_model(integer_option<kCodes, kModel, &ModelConfig::codebook_size>(
                          {"model.codebook_size", "--codebook-size", "N", kGroup, "codes of a codebook"})))));
  table.push_back(
      only(needs_codebook,
           of_start_model(in_model(integer_option<kDimension, kModel, &ModelConfig::codebooks>(
               {"model.codebooks", "--codebooks", "N", kGroup,
                "number of parts of the latent, each with its own codebook; divides --latent-dim"})))));
  table.push_back(only(
      needs_codebook,
      in_model(real_option<kWeight, &RunConfig::objective, &ObjectiveConfig::commitment>(
          {"objective.commitment", "--commitment", "F", kGroup,
           "weight of the commitment loss, the squared distance of the encoder's output to its codes"}))));
  table.push_back(
      only(needs_codebook,
           choice_option<kCodebookUpdates, kOptimizer, &OptimizerConfig::codebook_update>(
               {"optimizer.codebook_update", "--codebook-update", "", kGroup,
                "ema: codes follow the moving averages of their rows; gradient: the optimizer moves them"})));
  table.push_back(only(needs_code_averages,
                       real_option<kDecay, kOptimizer, &OptimizerConfig::ema_decay>(
                           {"optimizer.ema_decay", "--ema-decay", "F", kGroup, "of those moving averages"})));
  table.push_back(only(needs_code_averages, real_option<kShare, kOptimizer, &OptimizerConfig::restart_codes>(
                                                {"optimizer.restart_codes", "--restart-codes", "F", kGroup,
                                                 "ema: restart a code at a row of the batch if its usage is "
                                                 "below this fraction of B/M; 0: never"})));
}

void append_training(std::vector<Option>& table) {
  constexpr std::string_view kGroup = "Training";
  table.push_back(free_on_resume(integer_option<kEpochs, kTrain, &TrainConfig::epochs>(
      {"train.epochs", "--epochs", "N", kGroup,
       "passes over the rows; 10 where neither these nor steps are given"})));
  table.push_back(free_on_resume(integer_option<kSteps, kTrain, &TrainConfig::steps>(
      {"train.steps", "--steps", "N", kGroup, "batches to train on, instead of --epochs"})));
  table.push_back(integer_option<kBatchSize, kTrain, &TrainConfig::batch_size>(
      {"train.batch_size", "--batch-size", "N", kGroup,
       "rows per step; where there are fewer training rows, all of them"}));
  table.push_back(row(
      {"train.seed", "--seed", "N", kGroup, "of every random number; the same seed gives the same model"},
      OptionType::integer, kSeedRange,
      [](RunConfig& config, std::string_view text, std::string_view where) {
        config.train.seed = parse_seed(text, where);
      },
      [](const RunConfig& config) { return std::to_string(config.train.seed); }));
  table.push_back(integer_option<kPatience, kTrain, &TrainConfig::patience>(
      {"train.patience", "--patience", "N", kGroup,
       "stop after N epochs without a better validation loss; 0 never does"}));
  table.push_back(choice_option<kNonfiniteActions, kTrain, &TrainConfig::on_nonfinite>(
      {"train.on_nonfinite", "--on-nonfinite", "", kGroup,
       "at a loss or gradient that is not finite: end the run, leave the step out, or go back to the last "
       "checkpoint with half the learning rate"}));
  table.push_back(
      only(needs_restores, integer_option<kRestores, kTrain, &TrainConfig::max_restores>(
                               {"train.max_restores", "--max-restores", "N", kGroup,
                                "how often --on-nonfinite restore goes back before it ends the run"})));
  table.push_back(free_on_resume(text_option<kTrain, &TrainConfig::init_from>(
      {"train.init_from", "--init-from", "MODEL", kGroup, "start from this model's weights"})));
}

void append_optimizer(std::vector<Option>& table) {
  constexpr std::string_view kGroup = "Optimizer";
  table.push_back(real_option<kLearningRate, kOptimizer, &OptimizerConfig::lr>(
      {"optimizer.lr", "--lr", "F", kGroup, "learning rate"}));
  table.push_back(formatted_option<parse_lr_schedule, format_lr_schedule, kOptimizer,
                                   &OptimizerConfig::schedule>(
      {"optimizer.lr_schedule", "--lr-schedule", "SCHEDULE", kGroup,
       "constant, cosine:warmup=STEPS,min=FRACTION, exponential:gamma=F (per epoch) or stages:EPOCH=LR,..."},
      "constant, cosine:warmup=N,min=F, exponential:gamma=F or stages:E1=LR1,E2=LR2,..."));
  table.push_back(choice_option<kOptimizers, kOptimizer, &OptimizerConfig::kind>(
      {"optimizer.kind", "--optimizer", "", kGroup, "adamw decouples the weight decay from the gradient"}));
  table.push_back(real_option<kShare, kOptimizer, &OptimizerConfig::beta1>(
      {"optimizer.beta1", "--adam-beta1", "F", kGroup, "decay of the gradient's running mean"}));
  table.push_back(real_option<kShare, kOptimizer, &OptimizerConfig::beta2>(
      {"optimizer.beta2", "--adam-beta2", "F", kGroup, "decay of its square's running mean"}));
  table.push_back(real_option<kEpsilon, kOptimizer, &OptimizerConfig::epsilon>(
      {"optimizer.epsilon", "--adam-eps", "F", kGroup, "added to the denominator"}));
  table.push_back(integer_option<kMomentInit, kOptimizer, &OptimizerConfig::v_init>(
      {"optimizer.v_init", "--adam-v-init", "0|1", kGroup,
       "where the square's running mean starts; from 1 it gets no bias correction"}));
  table.push_back(real_option<kWeight, kOptimizer, &OptimizerConfig::weight_decay>(
      {"optimizer.weight_decay", "--weight-decay", "F", kGroup, "pull of the parameters towards 0"}));
  table.push_back(real_option<kClipNorm, kOptimizer, &OptimizerConfig::clip_norm>(
      {"optimizer.clip_norm", "--clip-norm", "F", kGroup,
       "scale the gradient down to this norm where it is larger; 0 never does"}));
}

void append_device(std::vector<Option>& table) {
  constexpr std::string_view kGroup = "Device";
  table.push_back(free_on_resume(row(
      {"train.device", "--device", "auto|cpu|cuda|cuda:N", kGroup,
       "where to train; auto takes a GPU if there is one"},
      OptionType::text, kDeviceRange,
      [](RunConfig& config, std::string_view text, std::string_view where) {
        config.train.device = parse_device(text, where);
      },
      [](const RunConfig& config) { return config.train.device; })));
  table.push_back(free_on_resume(integer_option<kThreads, kTrain, &TrainConfig::threads>(
      {"train.threads", "--threads", "N", kGroup,
       "CPU threads; 0 is one per core that may be used. Never changes a result"})));
  table.push_back(choice_option<kPrecisions, kTrain, &TrainConfig::precision>(
      {"train.precision", "--precision", "", kGroup, "of the matrix products; tf32 and bf16 need a GPU"}));
  table.push_back(flag_option<kTrain, &TrainConfig::autotune>(
      {"train.autotune", "--autotune", "", kGroup,
       "GPU only: measure cuBLAS's algorithms and take the fastest, which may differ from run to run; "
       "without it, cuBLAS's own first choice, always the same"}));
}

void append_output(std::vector<Option>& table) {
  constexpr std::string_view kGroup = "Output";
  table.push_back(free_on_resume(text_option<kOutput, &OutputConfig::dir>(
      {"output.dir", "--out", "DIR", kGroup, "folder of the run; created where it is missing"})));
  table.push_back(free_on_resume(flag_option<kOutput, &OutputConfig::overwrite>(
      {"output.overwrite", "--overwrite", "", kGroup, "replace the run that the folder holds"})));
  table.push_back(integer_option<kSteps, kOutput, &OutputConfig::log_every>(
      {"output.log_every", "--log-every", "N", kGroup, "steps between lines of metrics.jsonl"}));
  table.push_back(free_on_resume(integer_option<kStepsOrNone, kOutput, &OutputConfig::checkpoint_every>(
      {"output.checkpoint_every", "--checkpoint-every", "N", kGroup,
       "steps between checkpoints, from which --resume goes on; 0: by time alone"})));
  table.push_back(free_on_resume(real_option<kSeconds, kOutput, &OutputConfig::checkpoint_seconds>(
      {"output.checkpoint_seconds", "--checkpoint-seconds", "S", kGroup,
       "seconds between checkpoints; 0: by steps alone"})));
}

std::vector<Option> make_table() {
  std::vector<Option> table;
  append_data(table);
  append_model(table);
  append_objective(table);
  append_codebook(table);
  append_training(table);
  append_optimizer(table);
  append_device(table);
  append_output(table);
  return table;
}

}  // namespace

std::span<const Option> options() {
  static const std::vector<Option> kTable = make_table();
  return kTable;
}

const Option* find_option_by_key(std::string_view key) {
  const auto table = options();
  const auto found =
      std::find_if(table.begin(), table.end(), [key](const Option& option) { return option.key == key; });
  return found == table.end() ? nullptr : &*found;
}

}  // namespace vaecuda
