// Layers and likelihoods.
#include "support/oracle.hpp"

#include <cmath>
#include <stdexcept>

namespace vaecuda::oracle {
namespace {

constexpr double kPi = 3.14159265358979323846;

double sigmoid(double a) {
  return 1.0 / (1.0 + std::exp(-a));
}

}  // namespace

Matrix from_floats(const std::vector<float>& values, std::int64_t rows, std::int64_t cols) {
  Matrix m(rows, cols);
  for (std::size_t i = 0; i < m.values.size(); ++i) m.values[i] = static_cast<double>(values.at(i));
  return m;
}

double activate(Act act, double a) {
  switch (act) {
    case Act::identity:
      return a;
    case Act::relu:
      return a > 0.0 ? a : 0.0;
    case Act::tanh:
      return std::tanh(a);
    case Act::leaky_relu:
      return a > 0.0 ? a : 0.01 * a;
    case Act::gelu:
      return a * 0.5 * std::erfc(-a / std::sqrt(2.0));
    case Act::gelu_tanh:
      return 0.5 * a * (1.0 + std::tanh(std::sqrt(2.0 / kPi) * (a + 0.044715 * a * a * a)));
    case Act::silu:
      return a * sigmoid(a);
  }
  return 0.0;
}

double activation_slope(Act act, double a) {
  switch (act) {
    case Act::identity:
      return 1.0;
    case Act::relu:
      return a > 0.0 ? 1.0 : 0.0;
    case Act::tanh:
      return 1.0 - std::tanh(a) * std::tanh(a);
    case Act::leaky_relu:
      return a > 0.0 ? 1.0 : 0.01;
    case Act::gelu:
      return 0.5 * std::erfc(-a / std::sqrt(2.0)) + a * std::exp(-0.5 * a * a) / std::sqrt(2.0 * kPi);
    case Act::gelu_tanh: {
      const double c = std::sqrt(2.0 / kPi);
      const double t = std::tanh(c * (a + 0.044715 * a * a * a));
      return 0.5 * (1.0 + t) + 0.5 * a * (1.0 - t * t) * c * (1.0 + 3.0 * 0.044715 * a * a);
    }
    case Act::silu:
      return sigmoid(a) + a * sigmoid(a) * (1.0 - sigmoid(a));
  }
  return 0.0;
}

Graded linear(const Matrix& x, const Matrix& weight, const std::vector<double>& bias) {
  Graded out(x.rows, weight.rows);
  for (std::int64_t r = 0; r < x.rows; ++r) {
    for (std::int64_t o = 0; o < weight.rows; ++o) {
      double sum = bias[static_cast<std::size_t>(o)];
      double size = std::fabs(sum);
      for (std::int64_t i = 0; i < x.cols; ++i) {
        sum += x.at(r, i) * weight.at(o, i);
        size += std::fabs(x.at(r, i) * weight.at(o, i));
      }
      out.value.at(r, o) = sum;
      out.magnitude.at(r, o) = size;
    }
  }
  return out;
}

Graded activate(Act act, const Graded& pre) {
  Graded out = pre;
  for (std::size_t i = 0; i < out.value.values.size(); ++i) {
    out.value.values[i] = activate(act, pre.value.values[i]);
    // No activation is steeper than 1.13 (GELU): the pre-activation's error passes at about its size.
    out.magnitude.values[i] = 1.13 * pre.magnitude.values[i];
  }
  return out;
}

LinearGradients linear_backward(const Matrix& d, const Matrix& in, const Matrix& weight, Act act,
                                const Matrix& pre) {
  LinearGradients g{Graded(weight.rows, weight.cols), Graded(1, weight.rows), Graded(in.rows, in.cols)};
  for (std::int64_t r = 0; r < d.rows; ++r) {
    for (std::int64_t o = 0; o < weight.rows; ++o) {
      g.bias.value.at(0, o) += d.at(r, o);
      g.bias.magnitude.at(0, o) += std::fabs(d.at(r, o));
      for (std::int64_t i = 0; i < weight.cols; ++i) {
        g.weight.value.at(o, i) += d.at(r, o) * in.at(r, i);
        g.weight.magnitude.at(o, i) += std::fabs(d.at(r, o) * in.at(r, i));
        g.dx.value.at(r, i) += d.at(r, o) * weight.at(o, i);
        g.dx.magnitude.at(r, i) += std::fabs(d.at(r, o) * weight.at(o, i));
      }
    }
  }
  if (act == Act::identity) return g;
  for (std::size_t i = 0; i < g.dx.value.values.size(); ++i) {
    g.dx.value.values[i] *= activation_slope(act, pre.values[i]);
    g.dx.magnitude.values[i] *= 1.13;
  }
  return g;
}

double observation_mean(Lik lik, double o) {
  switch (lik) {
    case Lik::bernoulli:
      return sigmoid(o);
    case Lik::gaussian:
    case Lik::laplace:
      return o;
  }
  throw std::logic_error("no mean for this likelihood");
}

LikelihoodResult likelihood(Lik lik, SigmaFrom from, double sigma, const Matrix& output, const Matrix& x) {
  const std::int64_t samples = output.rows / x.rows;
  LikelihoodResult result{Graded(output.rows, 1), Graded(output.rows, output.cols), Graded(output.rows, 1)};
  for (std::int64_t r = 0; r < output.rows; ++r) {
    for (std::int64_t c = 0; c < x.cols; ++c) {
      const double o = output.at(r, c);
      const double t = x.at(r / samples, c);
      double deviation = sigma;
      double slope = 1.0;
      if (from == SigmaFrom::output) {
        const double bend = std::tanh(output.at(r, x.cols + c) / 5.0);
        deviation = std::exp(5.0 * bend);
        slope = 1.0 - bend * bend;
      }
      const double log_sigma = std::log(deviation);
      // Of 1/σ, which is the exponential of a rounded log σ.
      const double blur = from == SigmaFrom::constant ? 1.0 : 1.0 + std::fabs(log_sigma);
      double nll = 0.0;
      double size = 0.0;
      double by_sigma = 0.0;
      if (lik == Lik::bernoulli) {
        // −x·log σ(l) − (1 − x)·log(1 − σ(l)), with −log σ(l) = log(1 + e^−l).
        const double one = o > 0.0 ? std::log1p(std::exp(-o)) : std::log1p(std::exp(o)) - o;
        const double zero = one + o;
        nll = t * one + (1.0 - t) * zero;
        size = std::fabs(nll) + std::fabs(o * t) + (o > 0.0 ? o : 0.0);
        result.gradient.value.at(r, c) = sigmoid(o) - t;
        result.gradient.magnitude.at(r, c) = sigmoid(o) + std::fabs(t);
      } else if (lik == Lik::gaussian) {
        const double difference = (o - t) / deviation;
        nll = 0.5 * difference * difference + log_sigma + 0.5 * std::log(2.0 * kPi);
        // o − t is rounded once, relative to itself: its terms do not matter, both are floats.
        size = difference * difference * blur + std::fabs(log_sigma) + 1.0;
        by_sigma = 1.0 - difference * difference;
        result.gradient.value.at(r, c) = difference / deviation;
        result.gradient.magnitude.at(r, c) = std::fabs(difference / deviation) * blur;
      } else if (lik == Lik::laplace) {
        const double scale = deviation / std::sqrt(2.0);
        nll = std::fabs(o - t) / scale + std::log(2.0 * scale);
        size = std::fabs(o - t) / scale * blur + std::fabs(log_sigma) + 1.0;
        by_sigma = 1.0 - std::fabs(o - t) / scale;
        result.gradient.value.at(r, c) = (o > t ? 1.0 : o < t ? -1.0 : 0.0) / scale;
        result.gradient.magnitude.at(r, c) = blur / scale;
      } else {
        throw std::logic_error("no oracle for this likelihood");
      }
      result.nll.value.at(r, 0) += nll;
      result.nll.magnitude.at(r, 0) += size;
      result.sigma_gradient.value.at(r, 0) += by_sigma;
      result.sigma_gradient.magnitude.at(r, 0) += 1.0 + std::fabs(1.0 - by_sigma) * blur;
      if (from == SigmaFrom::output) {
        result.gradient.value.at(r, x.cols + c) = by_sigma * slope;
        // 1 − tanh² cancels where tanh is near 1: its error is that of 1.
        result.gradient.magnitude.at(r, x.cols + c) =
            (1.0 + std::fabs(1.0 - by_sigma) * blur) * slope + std::fabs(by_sigma);
      }
    }
  }
  return result;
}

}  // namespace vaecuda::oracle
