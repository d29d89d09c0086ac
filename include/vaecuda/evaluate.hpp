// What a trained model is worth on data: bounds on the likelihood, what the latents hold, how well known
// factors and anomalies show. Every figure is defined, with its source, in docs/evaluation.md.
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
#include "vaecuda/row_source.hpp"
#include "vaecuda/vae.hpp"

namespace vaecuda {

/// Importance samples of each row where nobody asks for another number: seconds on ten thousand rows. What
/// more of them bring is told in docs/evaluation.md; the literature's usual number is 5,000.
inline constexpr std::int64_t kDefaultImportanceSamples = 100;

struct EvaluateOptions {
  /// Importance samples of each row for the log-likelihood; 0: none is computed. Without effect on a latent
  /// that has no density.
  std::int64_t samples = kDefaultImportanceSamples;
  /// Latents drawn for each row of the evidence lower bound, whose mean is taken.
  std::int64_t elbo_samples = 1;
  std::optional<std::uint64_t> seed;  ///< of the drawn z; by default the model's own
  /// A latent is active if the mean of its posterior varies over the rows by more than this.
  double active_threshold = 0.01;
  /// Bins of equal width that a latent's posterior means are counted in, for the information about factors.
  std::int64_t bins = 20;
  /// The label that marks anomalies. Without it "1", where the labels are just "0" and "1".
  std::optional<std::string> anomaly_label;
  /// Told after every block of rows how far the evaluation is.
  std::function<void(const PassProgress&)> progress;
};

/// A mean over rows, and the standard error of that mean (0 for a single row, which tells of no spread).
struct Estimate {
  double mean = 0.0;
  double standard_error = 0.0;
};

/// One value per row, in the order of the data.
struct RowFigures {
  std::vector<float> reconstruction;  ///< −log p(x|z) in the mean over the z drawn from q(z|x), nats
  std::vector<float> kl;              ///< KL(q(z|x) ‖ p(z)), nats, as in ElboTerms
  std::vector<float> nll;             ///< −log p(x) by importance samples, nats; empty where not computed
  std::vector<float> squared_error;  ///< mean over the columns of (x − E[x|mean of q(z|x)])², prepared units
  std::vector<float> norm;           ///< ‖x‖², prepared units: what is unusual without any model
};

struct LatentFigures {
  double kl = 0.0;        ///< mean of KL(q(z_j|x) ‖ p(z_j)), nats; a latent without posterior: 0
  double mean = 0.0;      ///< of the posterior means over the rows
  double variance = 0.0;  ///< of the posterior means over the rows (Burda et al., arXiv 1509.00519)
  bool active = false;    ///< variance above the threshold
};

/// How much each latent's posterior mean tells about one known factor of the data.
struct FactorFigures {
  std::string name;
  double entropy = 0.0;             ///< of the factor, nats
  std::vector<double> information;  ///< (Z): I(bin of latent j; factor), nats
  double gap = 0.0;  ///< (greatest − second greatest information) / entropy; constant factor: 0
};

/// What the latents say about the rows as a whole (Hoffman and Johnson, "ELBO surgery", 2016):
/// mean KL(q(z|x) ‖ p(z)) = information + marginal_kl.
struct AggregateFigures {
  std::int64_t rows = 0;     ///< evenly spaced ones that the estimate uses; information is at most log rows
  double information = 0.0;  ///< I(x; z) of a row and a z drawn from its posterior, nats
  double marginal_kl = 0.0;  ///< KL(mean over the rows of q(z|x) ‖ p(z)), nats
};

/// How well a score that is high for anomalies tells them from the others.
struct ScoreFigures {
  std::string score;
  double roc_auc = 0.0;
  double average_precision = 0.0;
};

struct AnomalyFigures {
  std::string label;                 ///< that marks them
  std::int64_t anomalies = 0;        ///< rows that have it
  std::vector<ScoreFigures> scores;  ///< of RowFigures; "norm" needs no model
};

struct Evaluation {
  std::int64_t rows = 0;
  std::uint64_t seed = 0;
  std::int64_t elbo_samples = 1;  ///< latents of each row of the bound
  Estimate negative_elbo;         ///< nats of the prepared data
  Estimate reconstruction;        ///< its first term
  Estimate kl;                    ///< its second term
  std::int64_t samples = 0;       ///< importance samples of each row; 0: no likelihood
  std::optional<Estimate>
      nll;  ///< −log p(x) by importance samples (Vae::log_likelihood), nats of the prepared data
  Estimate squared_error;
  double negative_elbo_bits = 0.0;  ///< bits per dimension
  std::optional<double> nll_bits;   ///< bits per dimension
  std::vector<LatentFigures> latents;
  std::int64_t active_units = 0;
  std::optional<AggregateFigures> aggregate;  ///< absent for a latent without posterior
  std::vector<FactorFigures> factors;         ///< of the data set's factors, else of its labels
  /// The mean gap over factors that vary (Chen et al., arXiv 1802.04942); absent without factors.
  std::optional<double> mutual_information_gap;
  std::optional<AnomalyFigures> anomalies;
  RowFigures per_row;
  /// What shows that the model cannot say much of these rows, one line each with its remedy
  /// (docs/evaluation.md, "Warnings").
  std::vector<std::string> warnings;
};

/// Opens the same rows anew, from the first on.
using RowOpener = std::function<std::unique_ptr<RowSource>()>;

/// Runs a model over all rows, which are in the units of the training data; they are opened and read four
/// times, and of each only its figures, its posterior and its label are kept: 4·(7 + 2·Z) bytes. The figures
/// depend on the model, the data and the options alone: not on the batch size or the number of threads.
/// \throws ConfigError for no rows, an opener that is empty or gives none, options out of range, an anomaly
/// label that the data have not or that every row has; FileError for rows that the model cannot take, or that
/// are fewer or more when they are read again; OutOfMemoryError; DeviceError
[[nodiscard]] VAECUDA_API Evaluation evaluate(const Vae& vae, const RowOpener& open,
                                              const EvaluateOptions& options = {});
/// The same over rows in memory.
[[nodiscard]] VAECUDA_API Evaluation evaluate(const Vae& vae, const Dataset& data,
                                              const EvaluateOptions& options = {});

/// Watches scores in nats (negative ELBO, its reconstruction, −log p(x)) as they come and says whether the
/// rows can be such as the model was trained on. Not thread-safe.
class VAECUDA_API ScoreWatch {
 public:
  explicit ScoreWatch(const ModelInfo& model);
  /// The scores of the next rows.
  void add(std::span<const float> scores);
  /// One line each, with its remedy: scores that are not finite, and most rows far from all that the model
  /// describes. `name`: of the data. Empty where all is well.
  [[nodiscard]] std::vector<std::string> warnings(const std::string& name) const;

 private:
  double far_;            ///< nats of a row that lies that far
  bool is_standardized_;  ///< the model's columns are
  std::int64_t rows_ = 0;
  std::int64_t distant_ = 0;
  std::int64_t infinite_ = 0;
  std::int64_t first_infinite_ = 0;  ///< index
  double greatest_ = 0.0;            ///< that is finite
};

/// Nats of a row of prepared data as bits per dimension: of a density (Gaussian likelihood) in the units of
/// the raw data, by the preparation's Jacobian; of Bernoulli data nats / (D log 2). docs/evaluation.md says
/// what may be compared.
[[nodiscard]] VAECUDA_API double bits_per_dimension(double nats, const ModelInfo& model);

/// The probability that a positive scores higher than a negative, ties counting half (Mann and Whitney).
/// `positive` holds 0 or 1 per score. \throws ConfigError unless both kinds are there, the sizes agree, and
/// no score is NaN
[[nodiscard]] VAECUDA_API double roc_auc(std::span<const float> scores,
                                         std::span<const std::uint8_t> positive);
/// Σ over the distinct scores from the highest of (recall − previous recall) · precision, as scikit-learn
/// defines it. \throws as roc_auc
[[nodiscard]] VAECUDA_API double average_precision(std::span<const float> scores,
                                                   std::span<const std::uint8_t> positive);

}  // namespace vaecuda
