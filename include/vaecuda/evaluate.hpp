// Evaluation of a trained model on data: bounds on the likelihood, information in the latents,
// disentanglement of known factors, detection of anomalies. docs/evaluation.md defines every figure, with its
// source.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "vaecuda/dataset.hpp"
#include "vaecuda/error.hpp"
#include "vaecuda/export.h"
#include "vaecuda/pass_progress.hpp"
#include "vaecuda/ranking.hpp"
#include "vaecuda/row_source.hpp"
#include "vaecuda/vae.hpp"

namespace vaecuda {

/// Default number of importance samples per row: takes seconds on ten thousand rows. docs/evaluation.md shows
/// what more samples gain; the literature usually takes 5,000.
inline constexpr std::int64_t kDefaultImportanceSamples = 100;

struct EvaluateOptions {
  /// Importance samples per row for the log-likelihood; 0: it is not computed. No effect for a latent without
  /// a density.
  std::int64_t samples = kDefaultImportanceSamples;
  /// Latents drawn per row for the ELBO, which is averaged over them.
  std::int64_t elbo_samples = 1;
  std::optional<std::uint64_t> seed;  ///< of the drawn latents; default: the model's own seed
  /// A latent is active if the variance of its posterior mean over the rows is above this.
  double active_threshold = 0.01;
  /// Bins of equal width for the posterior means of a latent, in the mutual information with factors.
  std::int64_t bins = 20;
  /// The label that marks anomalies. Default: "1" if the labels are exactly "0" and "1", else none.
  std::optional<std::string> anomaly_label;
  /// Called after every block of rows with the progress of the evaluation.
  std::function<void(const PassProgress&)> progress;
};

/// A mean over rows and its standard error (0 for a single row, which has no variance).
struct Estimate {
  double mean = 0.0;
  double standard_error = 0.0;
};

/// One value per row, in the order of the data.
struct RowFigures {
  std::vector<float> reconstruction;  ///< −log p(x|z), averaged over the z drawn from q(z|x), nats
  std::vector<float> kl;              ///< KL(q(z|x) ‖ p(z)), nats, as in ElboTerms
  std::vector<float> nll;             ///< −log p(x) by importance samples, nats; empty where not computed
  std::vector<float> squared_error;  ///< mean over the columns of (x − E[x|mean of q(z|x)])², prepared units
  std::vector<float> norm;           ///< ‖x‖², prepared units: an anomaly score that needs no model
};

struct LatentFigures {
  double kl = 0.0;        ///< mean of KL(q(z_j|x) ‖ p(z_j)), nats; a latent without a posterior: 0
  double mean = 0.0;      ///< of the posterior means over the rows
  double variance = 0.0;  ///< of the posterior means over the rows (Burda et al., arXiv 1509.00519)
  bool active = false;    ///< variance above the threshold
};

/// Mutual information of each latent's posterior mean and one known factor of the data.
struct FactorFigures {
  std::string name;
  double entropy = 0.0;             ///< of the factor, nats
  std::vector<double> information;  ///< (Z): I(bin of latent j; factor), nats
  double gap = 0.0;  ///< (largest − second largest information) / entropy; constant factor: 0
};

/// Information in the latents, over all rows (Hoffman and Johnson, "ELBO surgery", 2016): mean KL(q(z|x) ‖
/// p(z)) = information + marginal_kl.
struct AggregateFigures {
  std::int64_t rows = 0;     ///< used by the estimate, evenly spaced; information is at most log rows
  double information = 0.0;  ///< I(x; z) of a row x and a z drawn from its posterior, nats
  double marginal_kl = 0.0;  ///< KL of the aggregate posterior, mean over rows of q(z|x), to p(z), nats
};

/// How well a score separates anomalies, which should have high values, from the other rows.
struct ScoreFigures {
  std::string score;
  double roc_auc = 0.0;
  double average_precision = 0.0;
};

struct AnomalyFigures {
  std::string label;                 ///< that marks anomalies
  std::int64_t anomalies = 0;        ///< rows with that label
  std::vector<ScoreFigures> scores;  ///< one per score of RowFigures; "norm" needs no model
};

struct Evaluation {
  std::int64_t rows = 0;
  std::uint64_t seed = 0;
  std::int64_t elbo_samples = 1;  ///< latents drawn per row for the bound
  Estimate negative_elbo;         ///< nats of the prepared data
  Estimate reconstruction;        ///< its first term
  Estimate kl;                    ///< its second term
  std::int64_t samples = 0;       ///< importance samples per row; 0: no likelihood
  std::optional<Estimate>
      nll;  ///< −log p(x) by importance samples (Vae::log_likelihood), nats of the prepared data
  Estimate squared_error;
  double negative_elbo_bits = 0.0;  ///< bits per dimension
  std::optional<double> nll_bits;   ///< bits per dimension
  std::vector<LatentFigures> latents;
  std::int64_t active_units = 0;
  std::optional<AggregateFigures> aggregate;  ///< absent for a latent without a posterior
  std::vector<FactorFigures> factors;         ///< for the data set's factors; without any, for its labels
  /// The mean gap over factors that vary (Chen et al., arXiv 1802.04942); absent without factors.
  std::optional<double> mutual_information_gap;
  std::optional<AnomalyFigures> anomalies;
  RowFigures per_row;
  /// Reasons to doubt the figures for these rows, one line each with the remedy (docs/evaluation.md,
  /// "Warnings").
  std::vector<std::string> warnings;
};

/// Opens the same rows again, from the first one on.
using RowOpener = std::function<std::unique_ptr<RowSource>()>;

/// Evaluates a model on all rows, which must be in the units of the training data. They are opened and read
/// four times; only figures, posterior and label of each row stay in memory: 4·(7 + 2·Z) bytes. The figures
/// depend only on the model, the data and the options, not on the batch size or the number of threads.
/// \throws ConfigError for no rows, an opener that is null or returns null, options out of range, an anomaly
/// label that no row or every row has; FileError for rows that the model cannot take, or whose number differs
/// when they are read again; OutOfMemoryError; DeviceError
[[nodiscard]] VAECUDA_API Evaluation evaluate(const Vae& vae, const RowOpener& open,
                                              const EvaluateOptions& options = {});
/// The same for rows in memory.
[[nodiscard]] VAECUDA_API Evaluation evaluate(const Vae& vae, const Dataset& data,
                                              const EvaluateOptions& options = {});

/// Collects scores in nats (negative ELBO, its reconstruction term, −log p(x)) block by block and warns if
/// the rows cannot be like those that the model was trained on. Not thread-safe.
class VAECUDA_API ScoreWatch {
 public:
  explicit ScoreWatch(const ModelInfo& model);
  /// Adds the scores of the next rows.
  void add(std::span<const float> scores);
  /// Warnings, one line each with the remedy: for scores that are not finite, and if most rows are far from
  /// the model's distribution. `name`: of the data. Empty if there is nothing to warn of.
  [[nodiscard]] std::vector<std::string> warnings(const std::string& name) const;

 private:
  double far_;            ///< score in nats from which a row counts as far
  bool is_standardized_;  ///< the model's columns are
  std::int64_t rows_ = 0;
  std::int64_t distant_ = 0;
  std::int64_t infinite_ = 0;
  std::int64_t first_infinite_ = 0;  ///< index
  double greatest_ = 0.0;            ///< largest finite score
};

/// Converts nats per row of prepared data to bits per dimension. For a likelihood that is a density
/// in the units of the raw data, through the Jacobian of the preparation; for Bernoulli: nats / (D log 2).
/// docs/evaluation.md says which values may be compared.
[[nodiscard]] VAECUDA_API double bits_per_dimension(double nats, const ModelInfo& model);

}  // namespace vaecuda
