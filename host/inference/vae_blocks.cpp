// The members of Vae that run over rows block by block.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include "host/config/limits.hpp"
#include "host/data/forwarded_rows.hpp"
#include "host/inference/units.hpp"
#include "host/inference/vae_impl.hpp"
#include "host/plan/exchanged.hpp"
#include "vaecuda/error.hpp"

namespace vaecuda {
namespace {

/// A row whose values no float carries through the network is infinitely unlikely; on the way ∞ − ∞ may have
/// made it NaN, which no threshold finds.
void take_overflow_for_infinite(std::vector<float>& nats) {
  for (float& value : nats) {
    if (std::isnan(value)) value = std::numeric_limits<float>::infinity();
  }
}

void check_samples(std::int64_t samples, std::string_view kind) {
  constexpr config::IntegerRange kRange = config::kDrawnSamples;
  if (samples >= kRange.min && samples <= kRange.max) return;
  throw ConfigError(
      fmt::format("{} {} samples of each row; expected {} to {}", samples, kind, kRange.min, kRange.max));
}

/// Each row of another source several times in a row: what a pass with one draw for each row takes the mean
/// over.
class RepeatedRows final : public data::ForwardedRows {
 public:
  /// Row i of `rows`, which must outlive this, becomes rows i·times … i·times + times − 1.
  RepeatedRows(RowSource& rows, std::int64_t times) : ForwardedRows(rows), source_(rows), times_(times) {}

  [[nodiscard]] std::optional<std::int64_t> rows() const override {
    const std::optional<std::int64_t> rows = source_.rows();
    return rows ? std::optional(*rows * times_) : std::nullopt;
  }
  [[nodiscard]] std::span<const std::int32_t> labels() const override { return labels_; }
  [[nodiscard]] std::span<const float> label_vectors() const override { return vectors_; }
  [[nodiscard]] std::span<const float> next(std::int64_t most) override {
    block_.clear();
    labels_.clear();
    vectors_.clear();
    for (std::int64_t missing = most; missing > 0;) {
      if (copies_left_ == 0 && !advance(most)) break;
      const std::int64_t count = std::min(copies_left_, missing);
      const auto row = held_.subspan(place_ * width(), width());
      const std::span<const float> told = source_.label_vectors();
      const std::size_t size = told.size() * width() / held_.size();
      const auto vector = told.subspan(place_ * size, size);
      for (std::int64_t i = 0; i < count; ++i) {
        block_.insert(block_.end(), row.begin(), row.end());
        vectors_.insert(vectors_.end(), vector.begin(), vector.end());
      }
      if (source_.has_labels()) {
        labels_.insert(labels_.end(), static_cast<std::size_t>(count), source_.labels()[place_]);
      }
      copies_left_ -= count;
      missing -= count;
    }
    return block_;
  }

 private:
  [[nodiscard]] std::size_t width() const { return static_cast<std::size_t>(source_.columns()); }
  /// Goes to the next row, reading on where no block holds it; false at the end.
  bool advance(std::int64_t most) {
    if (++place_ * width() >= held_.size()) {
      held_ = source_.next(most / times_ + 1);
      if (held_.empty()) return false;
      place_ = 0;
    }
    copies_left_ = times_;
    return true;
  }

  RowSource& source_;
  std::int64_t times_;
  std::span<const float> held_;  ///< the block of `source_` that is being repeated
  std::size_t place_ = 0;        ///< of the row that is being repeated, in `held_`
  std::int64_t copies_left_ = 0;
  std::vector<float> block_;
  std::vector<std::int32_t> labels_;
  std::vector<float> vectors_;
};

}  // namespace

std::int64_t Vae::encode(RowSource& rows, const std::function<void(const EncodedBlock&)>& sink) const {
  const bool has_logvar = impl_->traits().has_density;
  const std::int64_t books = impl_->traits().has_codes ? impl_->file.model.codebooks.value() : 0;
  const bool holds_sigma = impl_->file.model.logvar_head == LogvarHead::logsigma;
  std::vector<float> mean;
  std::vector<float> logvar;
  std::vector<float> codes;
  EncodedBlock block;
  const auto read = [&](const Impl::Block& ran) {
    const auto size = static_cast<std::size_t>(ran.rows * impl_->latent_dim());
    mean.resize(size);
    ran.pass.read(exchanged::kMu, mean);
    if (books > 0) {
      codes.resize(static_cast<std::size_t>(ran.rows * books));
      ran.pass.read(exchanged::kCodes, codes);
    }
    if (has_logvar) {
      logvar.resize(size);
      ran.pass.read(exchanged::kLogvar, logvar);
    }
    if (holds_sigma) {
      for (float& value : logvar) value *= 2.0f;  // log σ² of log σ
    }
    block = {ran.first, ran.rows, mean, logvar, codes};
  };
  ModelRows met = impl_->met(rows);
  return impl_->run(PassKind::encode, 0, met, read, [&] { sink(block); });
}

std::int64_t Vae::Impl::means(PassKind kind, RowSource& rows,
                              const std::function<void(const ReconstructedBlock&)>& sink) {
  std::vector<float> mean;
  ReconstructedBlock block;
  const auto read = [&](const Block& ran) {
    mean.resize(static_cast<std::size_t>(ran.rows * input_dim()));
    ran.pass.read(exchanged::kMean, mean);
    block = {ran.first, ran.rows, ran.input, mean};
  };
  return run(kind, 0, rows, read, [&] {
    to_data_units(mean, file.preparation, file.model.likelihood);
    sink(block);
  });
}

std::int64_t Vae::reconstruct(RowSource& rows,
                              const std::function<void(const ReconstructedBlock&)>& sink) const {
  ModelRows met = impl_->met(rows);
  return impl_->means(PassKind::reconstruct, met, sink);
}

std::int64_t Vae::Impl::elbo(RowSource& rows, std::uint64_t seed,
                             const std::function<void(const ElboBlock&)>& sink) {
  const bool has_kl = traits().has_density;
  const double constant = latent().code_cost(layout.latent());
  std::vector<float> reconstruction;
  std::vector<float> kl;
  ElboBlock block;
  const auto read = [&](const Block& ran) {
    reconstruction.resize(static_cast<std::size_t>(ran.rows));
    kl.assign(static_cast<std::size_t>(ran.rows), static_cast<float>(constant));
    ran.pass.read(exchanged::kNll, reconstruction);
    if (has_kl) ran.pass.read(exchanged::kKl, kl);
    take_overflow_for_infinite(reconstruction);
    take_overflow_for_infinite(kl);
    block = {ran.first, ran.rows, reconstruction, kl};
  };
  return run(PassKind::evaluate, seed, rows, read, [&] { sink(block); });
}

std::int64_t Vae::elbo(RowSource& rows, std::uint64_t seed,
                       const std::function<void(const ElboBlock&)>& sink) const {
  ModelRows met = impl_->met(rows);
  return impl_->elbo(met, seed, sink);
}

std::int64_t Vae::elbo(RowSource& rows, std::int64_t samples, std::uint64_t seed,
                       const std::function<void(const ElboBlock&)>& sink) const {
  check_samples(samples, "latent");
  if (samples == 1) return elbo(rows, seed, sink);
  ModelRows met = impl_->met(rows);
  RepeatedRows repeated(met, samples);
  std::vector<float> reconstruction;
  std::vector<float> kl;
  std::int64_t done = 0;
  std::int64_t taken = 0;
  double reconstruction_sum = 0.0;
  double kl_sum = 0.0;
  const auto mean = [samples](double sum) { return static_cast<float>(sum / static_cast<double>(samples)); };
  impl_->elbo(repeated, seed, [&](const ElboBlock& block) {
    reconstruction.clear();
    kl.clear();
    for (std::size_t i = 0; i < block.kl.size(); ++i) {
      reconstruction_sum += static_cast<double>(block.reconstruction[i]);
      kl_sum += static_cast<double>(block.kl[i]);
      if (++taken < samples) continue;
      reconstruction.push_back(mean(std::exchange(reconstruction_sum, 0.0)));
      kl.push_back(mean(std::exchange(kl_sum, 0.0)));
      taken = 0;
    }
    if (kl.empty()) return;
    const auto rows_done = static_cast<std::int64_t>(kl.size());
    sink({done, rows_done, reconstruction, kl});
    done += rows_done;
  });
  return done;
}

std::int64_t Vae::log_likelihood(RowSource& rows, std::int64_t samples, std::uint64_t seed,
                                 const std::function<void(const LogLikelihoodBlock&)>& sink) const {
  check_samples(samples, "importance");
  std::vector<float> values;
  LogLikelihoodBlock block;
  const auto read = [&](const Impl::Block& ran) {
    values.resize(static_cast<std::size_t>(ran.rows));
    ran.pass.read(exchanged::kNll, values);
    take_overflow_for_infinite(values);
    for (float& value : values) value = -value;
    block = {ran.first, ran.rows, values};
  };
  ModelRows met = impl_->met(rows);
  return impl_->run(
      PassKind::likelihood, seed, met, read, [&] { sink(block); }, samples);
}

std::int64_t Vae::decode(RowSource& z, const std::function<void(const DecodedBlock&)>& sink) const {
  ModelRows met = impl_->met(z, ModelRows::Kind::latents);
  return impl_->means(PassKind::decode, met, [&sink](const ReconstructedBlock& block) {
    sink({block.first, block.rows, block.mean});
  });
}

}  // namespace vaecuda
