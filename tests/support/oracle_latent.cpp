// Latents and importance weights.
#include "support/oracle.hpp"

#include <cmath>

namespace vaecuda::oracle {
namespace {

double logvar_at(const Matrix& head, std::int64_t r, std::int64_t c, Scale scale) {
  const double raw = scale == Scale::logsigma ? 2.0 * head.at(r, c) : head.at(r, c);
  return std::fmin(std::fmax(raw, -30.0), 20.0);
}

}  // namespace

LatentResult latent_forward(const Matrix& head, const Matrix& epsilon, Scale scale) {
  const std::int64_t latent = head.cols / 2;
  const std::int64_t samples = epsilon.rows / head.rows;
  LatentResult result{Graded(epsilon.rows, latent), Graded(head.rows, 1), Graded(epsilon.rows, 1)};
  for (std::int64_t r = 0; r < head.rows; ++r) {
    for (std::int64_t j = 0; j < latent; ++j) {
      const double mu = head.at(r, j);
      const double logvar = logvar_at(head, r, latent + j, scale);
      for (std::int64_t s = r * samples; s < (r + 1) * samples; ++s) {
        const double noise = std::exp(0.5 * logvar) * epsilon.at(s, j);
        result.z.value.at(s, j) = mu + noise;
        // The logvar's own rounding is exact input; exp's argument ½·logvar is exact too.
        result.z.magnitude.at(s, j) = std::fabs(mu) + std::fabs(noise) + std::exp(0.5 * logvar) * 1.0;
        // log N(z; mu, σ²) − log N(z; 0, 1)
        const double z = mu + noise;
        const double e = epsilon.at(s, j);
        result.log_ratio.value.at(s, 0) += -0.5 * logvar - 0.5 * e * e + 0.5 * z * z;
        result.log_ratio.magnitude.at(s, 0) +=
            0.5 * std::fabs(logvar) + std::fabs(e) + e * e + std::fabs(z) * result.z.magnitude.at(s, j);
      }
      result.kl.value.at(r, 0) += 0.5 * (mu * mu + std::exp(logvar) - 1.0 - logvar);
      result.kl.magnitude.at(r, 0) += 0.5 * (mu * mu + std::exp(logvar) + 1.0 + std::fabs(logvar));
    }
  }
  return result;
}

Graded latent_backward(const Matrix& head, const Matrix& dz, const Matrix& epsilon, double kl_weight,
                       Scale scale, const std::vector<double>& kl_slope) {
  const std::int64_t latent = head.cols / 2;
  const std::int64_t samples = epsilon.rows / head.rows;
  const double chain = scale == Scale::logsigma ? 2.0 : 1.0;  // ∂ log σ² / ∂ what the head holds
  Graded dhead(head.rows, head.cols);
  for (std::int64_t r = 0; r < head.rows; ++r) {
    for (std::int64_t j = 0; j < latent; ++j) {
      const double raw = chain * head.at(r, latent + j);
      const bool inside = raw >= -30.0 && raw <= 20.0;
      const double logvar = logvar_at(head, r, latent + j, scale);
      const double sigma = std::exp(0.5 * logvar);
      const double weight = kl_weight * kl_slope.at(static_cast<std::size_t>(j));
      const double pull = weight * head.at(r, j);
      double mu_value = pull;
      double mu_size = std::fabs(pull);
      double scale_value = weight * 0.5 * (std::exp(logvar) - 1.0);
      double scale_size = std::fabs(weight) * 0.5 * (std::exp(logvar) + 1.0);
      for (std::int64_t s = r * samples; s < (r + 1) * samples; ++s) {
        mu_value += dz.at(s, j);
        mu_size += std::fabs(dz.at(s, j));
        if (!inside) continue;
        const double path = dz.at(s, j) * 0.5 * sigma * epsilon.at(s, j);
        scale_value += path;
        scale_size += std::fabs(dz.at(s, j)) * 0.5 * sigma + std::fabs(path);
      }
      dhead.value.at(r, j) = mu_value;
      dhead.magnitude.at(r, j) = mu_size;
      dhead.value.at(r, latent + j) = chain * scale_value;
      dhead.magnitude.at(r, latent + j) = chain * scale_size;
    }
  }
  return dhead;
}

Graded latent_backward(const Matrix& head, const Matrix& dz, const Matrix& epsilon, double kl_weight,
                       Scale scale) {
  const std::vector<double> ones(static_cast<std::size_t>(head.cols / 2), 1.0);
  return latent_backward(head, dz, epsilon, kl_weight, scale, ones);
}

Graded latent_kl(const Matrix& head, Scale scale) {
  const std::int64_t latent = head.cols / 2;
  const auto rows = static_cast<double>(head.rows);
  Graded kl(1, latent);
  for (std::int64_t r = 0; r < head.rows; ++r) {
    for (std::int64_t j = 0; j < latent; ++j) {
      const double mu = head.at(r, j);
      const double logvar = logvar_at(head, r, latent + j, scale);
      kl.value.at(0, j) += 0.5 * (mu * mu + std::exp(logvar) - 1.0 - logvar) / rows;
      kl.magnitude.at(0, j) += 0.5 * (mu * mu + std::exp(logvar) + 1.0 + std::fabs(logvar)) / rows;
    }
  }
  return kl;
}

Graded weighted_latent_backward(const Matrix& head, const Matrix& dz, const Matrix& epsilon,
                                const Matrix& weights, Scale scale) {
  // Through z: the decoder's gradient and weight · ∂(½z²)/∂z; beside it −weight · ∂(log σ), at fixed ε.
  const std::int64_t latent = head.cols / 2;
  const std::int64_t samples = epsilon.rows / head.rows;
  Graded dhead = latent_backward(head, dz, epsilon, 0.0, scale);
  const double chain = scale == Scale::logsigma ? 2.0 : 1.0;
  for (std::int64_t r = 0; r < head.rows; ++r) {
    for (std::int64_t j = 0; j < latent; ++j) {
      const double sigma = std::exp(0.5 * logvar_at(head, r, latent + j, scale));
      for (std::int64_t s = r * samples; s < (r + 1) * samples; ++s) {
        const double w = weights.at(s, 0);
        const double e = epsilon.at(s, j);
        const double z = head.at(r, j) + sigma * e;
        const double z_size = std::fabs(head.at(r, j)) + sigma * (std::fabs(e) + 1.0);
        dhead.value.at(r, j) += w * z;
        dhead.magnitude.at(r, j) += w * z_size;
        dhead.value.at(r, latent + j) += chain * w * (z * 0.5 * sigma * e - 0.5);
        dhead.magnitude.at(r, latent + j) += chain * w * (z_size * sigma * (std::fabs(e) + 1.0) + 0.5);
      }
    }
  }
  return dhead;
}

ImportanceResult importance(const Matrix& nll, const Matrix& log_ratio, std::int64_t samples) {
  const std::int64_t rows = nll.rows / samples;
  ImportanceResult result{Graded(rows, 1), Graded(nll.rows, 1), Graded(rows, 1), Graded(rows, 1)};
  for (std::int64_t r = 0; r < rows; ++r) {
    double largest = -1e300;
    double size = 0.0;  // of the log weights, which are rounded before they are exponentiated
    for (std::int64_t s = r * samples; s < (r + 1) * samples; ++s) {
      largest = std::fmax(largest, -(nll.at(s, 0) + log_ratio.at(s, 0)));
      size = std::fmax(size, std::fabs(nll.at(s, 0)) + std::fabs(log_ratio.at(s, 0)));
    }
    double sum = 0.0;
    for (std::int64_t s = r * samples; s < (r + 1) * samples; ++s)
      sum += std::exp(-(nll.at(s, 0) + log_ratio.at(s, 0)) - largest);
    result.loss.value.at(r, 0) = -(largest + std::log(sum / static_cast<double>(samples)));
    result.loss.magnitude.at(r, 0) = size + std::log(static_cast<double>(samples)) + 1.0;
    for (std::int64_t s = r * samples; s < (r + 1) * samples; ++s) {
      const double w = std::exp(-(nll.at(s, 0) + log_ratio.at(s, 0)) - largest) / sum;
      result.weights.value.at(s, 0) = w;
      result.weights.magnitude.at(s, 0) = w * (1.0 + size);
      result.reconstruction.value.at(r, 0) += w * nll.at(s, 0);
      result.reconstruction.magnitude.at(r, 0) += w * std::fabs(nll.at(s, 0)) * (1.0 + size);
      result.kl.value.at(r, 0) += w * log_ratio.at(s, 0);
      result.kl.magnitude.at(r, 0) += w * std::fabs(log_ratio.at(s, 0)) * (1.0 + size);
    }
  }
  return result;
}

PenaltyResult latent_penalty(const Matrix& z) {
  PenaltyResult result{Graded(z.rows, 1), Graded(z.rows, z.cols)};
  const auto latents = static_cast<double>(z.cols);
  for (std::int64_t r = 0; r < z.rows; ++r) {
    for (std::int64_t j = 0; j < z.cols; ++j) {
      const double square = z.at(r, j) * z.at(r, j) / latents;
      result.penalty.value.at(r, 0) += square;
      result.penalty.magnitude.at(r, 0) += square;
      result.gradient.value.at(r, j) = 2.0 * z.at(r, j) / latents;
      result.gradient.magnitude.at(r, j) = std::fabs(result.gradient.value.at(r, j));
    }
  }
  return result;
}

}  // namespace vaecuda::oracle
