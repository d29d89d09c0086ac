#include "support/count_oracle.hpp"

#include <algorithm>
#include <cmath>

namespace vaecuda::oracle {
namespace {

double digamma(double z) {
  double sum = 0.0;
  for (; z < 12.0; z += 1.0) sum -= 1.0 / z;
  const double r = 1.0 / (z * z);
  return sum + std::log(z) - 0.5 / z - r * (1.0 / 12 - r * (1.0 / 120 - r * (1.0 / 252 - r / 240)));
}

double sigmoid(double l) {
  return 1.0 / (1.0 + std::exp(-l));
}

double softplus(double l) {
  return std::max(l, 0.0) + std::log1p(std::exp(-std::fabs(l)));
}

/// −log p(x) and its derivatives by log μ, log θ and the zero logit, with the sizes of their terms.
struct Entry {
  double nll, by_mean, by_theta, by_zero;
  double nll_size, mean_size, theta_size, zero_size;
};

Entry poisson(double x, double mean) {
  const double log_mean = std::log(mean);
  return {mean - x * log_mean + std::lgamma(x + 1.0), mean - x, 0.0, 0.0,
          mean + x * std::fabs(log_mean) + x,         mean + x, 0.0, 0.0};
}

Entry nb(double x, double mean, double theta) {
  using Wide = long double;  // lgamma of a large θ loses what the result is made of
  const auto t = static_cast<Wide>(theta);
  const auto m = static_cast<Wide>(mean);
  const auto a = static_cast<Wide>(x);
  const Wide nll = std::lgamma(t) + std::lgamma(a + 1.0L) - std::lgamma(a + t) + t * std::log1p(m / t) +
                   (x > 0.0 ? a * std::log((t + m) / m) : 0.0L);
  const double share = theta / (theta + mean);
  const double log = std::log1p(mean / theta);
  const double gammas = x > 0.0 ? digamma(theta) - digamma(x + theta) : 0.0;
  const double apart = (x - mean) / (theta + mean);
  const double value = static_cast<double>(nll);
  return {value,
          share * (mean - x),
          theta * (gammas + log + apart),
          0.0,
          std::fabs(value) + x * std::fabs(std::log(mean)) + share * (mean + x),
          share * (mean + x),
          theta * (std::fabs(log) + std::fabs(gammas)) + share * (mean + x),
          0.0};
}

Entry zinb(double x, double mean, double theta, double l) {
  Entry e = nb(x, mean, theta);
  if (x > 0.0) {
    e.nll += softplus(l);
    e.nll_size += softplus(l);
    e.by_zero = e.zero_size = sigmoid(l);
    return e;
  }
  const double counted = std::exp(-e.nll);
  const double zero = sigmoid(l) + sigmoid(-l) * counted;
  const double of_count = sigmoid(-l) * counted / zero;
  const double none = sigmoid(-l) * -std::expm1(-e.nll);
  e.by_zero = -none * sigmoid(l) / zero;
  e.nll = none < 0.5 ? -std::log1p(-none) : -std::log(zero);
  e.nll_size += std::fabs(e.nll);
  e.by_mean *= of_count;
  e.by_theta *= of_count;
  // Its factor depends on l + a, which is rounded.
  const double blur = 1.0 + (1.0 - of_count) * (std::fabs(l) + counted);
  e.mean_size *= of_count * blur;
  e.theta_size *= of_count * blur;
  e.zero_size = std::fabs(e.by_zero) * (1.0 + std::fabs(l));
  return e;
}

Entry multinomial(double x, double mean) {
  return {x > 0.0 ? std::lgamma(x + 1.0) - x * std::log(mean) : 0.0,
          -x,
          0.0,
          0.0,
          x * (1.0 + std::fabs(std::log(mean))),
          x,
          0.0,
          0.0};
}

double clamped(double log_theta) {
  return std::exp(std::clamp(log_theta, std::log(1e-4), std::log(1e8)));
}

struct Rates {
  std::vector<double> mean;
  std::vector<double> slope;  ///< d log μ / d output, of softplus
  std::vector<double> share;  ///< softmax
  double width = 0.0;         ///< of the exponents: what a rounded logit does to a rate
};

Rates rates_of(const CountSpec& spec, const Matrix& output, std::int64_t row, std::int64_t columns,
               double scale) {
  Rates rates;
  double most = output.at(row, 0);
  for (std::int64_t c = 1; c < columns; ++c) most = std::max(most, output.at(row, c));
  double sum = 0.0;
  for (std::int64_t c = 0; c < columns; ++c) sum += std::exp(output.at(row, c) - most);
  for (std::int64_t c = 0; c < columns; ++c) {
    const double o = output.at(row, c);
    rates.share.push_back(std::exp(o - most) / sum);
    rates.mean.push_back(scale * (spec.is_share ? rates.share.back() : softplus(o)));
    rates.slope.push_back(sigmoid(o) / softplus(o));
    rates.width =
        std::max(rates.width, std::fabs(o) + std::fabs(most) + std::log(sum) + std::fabs(std::log(scale)));
  }
  return rates;
}

double sum_of(const Matrix& x, std::int64_t row) {
  double sum = 0.0;
  for (std::int64_t c = 0; c < x.cols; ++c) sum += x.at(row, c);
  return sum;
}

}  // namespace

std::int64_t CountSpec::planes() const {
  return 1 + (dispersion == DispersionFrom::output ? 1 : 0) + (mass == CountMass::zinb ? 1 : 0);
}

Matrix view_of(InputView view, const Matrix& x) {
  Matrix seen = x;
  for (std::int64_t r = 0; r < x.rows; ++r) {
    double squares = 0.0;
    for (std::int64_t c = 0; c < x.cols; ++c) squares += x.at(r, c) * x.at(r, c);
    for (std::int64_t c = 0; c < x.cols; ++c) {
      double& v = seen.at(r, c);
      switch (view) {
        case InputView::none:
          break;
        case InputView::log1p:
          v = std::log1p(v);
          break;
        case InputView::l2:
          v = squares > 0.0 ? v / std::sqrt(squares) : 0.0;
          break;
        case InputView::binarize:
          v = v > 0.0 ? 1.0 : 0.0;
          break;
      }
    }
  }
  return seen;
}

CountResult count_likelihood(const CountSpec& spec, const Matrix& output, const Matrix& x,
                             const std::vector<double>& log_dispersion) {
  const std::int64_t n = x.cols;
  const std::int64_t samples = output.rows / x.rows;
  const bool is_output = spec.dispersion == DispersionFrom::output;
  const std::int64_t parameters = spec.dispersion == DispersionFrom::scalar   ? 1
                                  : spec.dispersion == DispersionFrom::column ? n
                                                                              : 0;
  CountResult result{Graded(output.rows, 1), Graded(output.rows, output.cols),
                     Graded(output.rows, parameters)};
  for (std::int64_t r = 0; r < output.rows; ++r) {
    const std::int64_t b = r / samples;
    const double sum = sum_of(x, b);
    if (spec.of_row_sum && sum == 0.0) continue;
    const Rates rates = rates_of(spec, output, r, n, spec.of_row_sum ? sum : 1.0);
    double& nll = result.nll.value.at(r, 0);
    double& size = result.nll.magnitude.at(r, 0);
    if (spec.mass == CountMass::multinomial) {
      nll = -std::lgamma(sum + 1.0) + sum * std::log(sum);  // the entries have μ = N·p
      size = sum;
    }
    const double blur = 1.0 + rates.width;
    double all = 0.0;
    double all_size = 0.0;
    std::vector<Entry> entries;
    for (std::int64_t c = 0; c < n; ++c) {
      const double log_theta = is_output ? output.at(r, n + c)
                               : spec.dispersion == DispersionFrom::column
                                   ? log_dispersion[static_cast<std::size_t>(c)]
                               : spec.dispersion == DispersionFrom::scalar ? log_dispersion[0]
                                                                           : 0.0;
      const double theta = clamped(log_theta);
      const double theta_blur = 1.0 + std::fabs(log_theta);
      const double mean = rates.mean[static_cast<std::size_t>(c)];
      Entry e{};
      switch (spec.mass) {
        case CountMass::poisson:
          e = poisson(x.at(b, c), mean);
          break;
        case CountMass::nb:
          e = nb(x.at(b, c), mean, theta);
          break;
        case CountMass::zinb:
          e = zinb(x.at(b, c), mean, theta, output.at(r, (spec.planes() - 1) * n + c));
          break;
        case CountMass::multinomial:
          e = multinomial(x.at(b, c), mean);
          break;
      }
      nll += e.nll;
      // A rounded logit moves the NLL by its derivative, which the magnitudes bound; a rounded θ likewise.
      size += e.nll_size + e.mean_size * blur + e.theta_size * theta_blur;
      all += e.by_mean;
      all_size += e.mean_size * blur;
      if (is_output) {
        result.gradient.value.at(r, n + c) = e.by_theta;
        result.gradient.magnitude.at(r, n + c) = e.theta_size * (blur + theta_blur);
      } else if (parameters > 0) {
        const std::int64_t at = parameters == 1 ? 0 : c;
        result.dispersion_gradient.value.at(r, at) += e.by_theta;
        result.dispersion_gradient.magnitude.at(r, at) += e.theta_size * (blur + theta_blur);
      }
      if (spec.mass == CountMass::zinb) {
        const std::int64_t at = (spec.planes() - 1) * n + c;
        result.gradient.value.at(r, at) = e.by_zero;
        result.gradient.magnitude.at(r, at) = e.zero_size * (blur + theta_blur);
      }
      e.mean_size *= blur + (e.theta_size > 0.0 ? theta_blur : 0.0);
      entries.push_back(e);
    }
    for (std::int64_t c = 0; c < n; ++c) {
      const auto i = static_cast<std::size_t>(c);
      const double share = spec.is_share ? rates.share[i] : 0.0;
      const double slope = spec.is_share ? 1.0 : rates.slope[i];
      result.gradient.value.at(r, c) = entries[i].by_mean * slope - share * all;
      result.gradient.magnitude.at(r, c) = entries[i].mean_size * slope + share * all_size * blur;
    }
  }
  return result;
}

Graded count_mean(const CountSpec& spec, const Matrix& output, const Matrix& x, double sum) {
  const std::int64_t n = output.cols / spec.planes();
  Graded mean(output.rows, n);
  for (std::int64_t r = 0; r < output.rows; ++r) {
    const double scale = !spec.of_row_sum ? 1.0 : x.rows > 0 ? sum_of(x, r) : sum;
    if (scale == 0.0) continue;
    const Rates rates = rates_of(spec, output, r, n, scale);
    for (std::int64_t c = 0; c < n; ++c) {
      const double kept =
          spec.mass == CountMass::zinb ? sigmoid(-output.at(r, (spec.planes() - 1) * n + c)) : 1.0;
      mean.value.at(r, c) = kept * rates.mean[static_cast<std::size_t>(c)];
      mean.magnitude.at(r, c) = mean.value.at(r, c) * (1.0 + rates.width);
    }
  }
  return mean;
}

}  // namespace vaecuda::oracle
