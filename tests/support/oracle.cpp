#include "support/oracle.hpp"

#include <cmath>

#include "support/codebook_oracle.hpp"

namespace vaecuda::oracle {
namespace {

constexpr double kPi = 3.14159265358979323846;

double sigmoid(double a) {
  return 1.0 / (1.0 + std::exp(-a));
}

Matrix weight_of(const LayerSpec& layer, const std::vector<double>& parameters) {
  Matrix w(layer.out, layer.in);
  for (std::int64_t i = 0; i < layer.out * layer.in; ++i)
    w.values[static_cast<std::size_t>(i)] = parameters[static_cast<std::size_t>(layer.weight + i)];
  return w;
}

std::vector<double> bias_of(const LayerSpec& layer, const std::vector<double>& parameters) {
  const auto first = parameters.begin() + layer.bias;
  return {first, first + layer.out};
}

// The forward pass of one layer, kept for the backward pass.
struct Kept {
  Matrix in;
  Matrix pre;
  Matrix out;
};

Kept forward(const LayerSpec& layer, const std::vector<double>& parameters, const Matrix& in, Act act) {
  const Graded pre = linear(in, weight_of(layer, parameters), bias_of(layer, parameters));
  return {in, pre.value, activate(act, pre).value};
}

// Adds a layer's gradients to the flat gradient; gives the gradient by what lies below.
Matrix backward(const LayerSpec& layer, const std::vector<double>& parameters, const Matrix& d,
                const Matrix& in, Act act_below, const Matrix& pre_below, std::vector<double>& gradient) {
  const LinearGradients g = linear_backward(d, in, weight_of(layer, parameters), act_below, pre_below);
  for (std::int64_t i = 0; i < layer.out * layer.in; ++i)
    gradient[static_cast<std::size_t>(layer.weight + i)] +=
        g.weight.value.values[static_cast<std::size_t>(i)];
  for (std::int64_t i = 0; i < layer.out; ++i)
    gradient[static_cast<std::size_t>(layer.bias + i)] += g.bias.value.values[static_cast<std::size_t>(i)];
  return g.dx.value;
}

double logvar_at(const Matrix& head, std::int64_t r, std::int64_t c, Scale scale) {
  const double raw = scale == Scale::logsigma ? 2.0 * head.at(r, c) : head.at(r, c);
  return std::fmin(std::fmax(raw, -30.0), 20.0);
}

/// [a | b], row by row, each row of b as often as a has more rows; a itself where b has no columns.
Matrix beside(const Matrix& a, const Matrix& b) {
  if (b.cols == 0) return a;
  Matrix both(a.rows, a.cols + b.cols);
  for (std::int64_t r = 0; r < a.rows; ++r) {
    for (std::int64_t c = 0; c < both.cols; ++c)
      both.at(r, c) = c < a.cols ? a.at(r, c) : b.at(r / (a.rows / b.rows), c - a.cols);
  }
  return both;
}

Matrix first_columns(const Matrix& m, std::int64_t cols) {
  Matrix part(m.rows, cols);
  for (std::int64_t r = 0; r < m.rows; ++r) {
    for (std::int64_t c = 0; c < cols; ++c) part.at(r, c) = m.at(r, c);
  }
  return part;
}

double mean(const Matrix& column) {
  double sum = 0.0;
  for (const double v : column.values) sum += v;
  return sum / static_cast<double>(column.rows);
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
      } else {
        const double scale = deviation / std::sqrt(2.0);
        nll = std::fabs(o - t) / scale + std::log(2.0 * scale);
        size = std::fabs(o - t) / scale * blur + std::fabs(log_sigma) + 1.0;
        by_sigma = 1.0 - std::fabs(o - t) / scale;
        result.gradient.value.at(r, c) = (o > t ? 1.0 : o < t ? -1.0 : 0.0) / scale;
        result.gradient.magnitude.at(r, c) = blur / scale;
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

Block philox4x32(Block counter, std::uint32_t key0, std::uint32_t key1) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = std::uint64_t{0xD2511F53U} * counter.word[0];
    const std::uint64_t b = std::uint64_t{0xCD9E8D57U} * counter.word[2];
    counter =
        Block{{static_cast<std::uint32_t>(b >> 32) ^ counter.word[1] ^ key0, static_cast<std::uint32_t>(b),
               static_cast<std::uint32_t>(a >> 32) ^ counter.word[3] ^ key1, static_cast<std::uint32_t>(a)}};
    key0 += 0x9E3779B9U;
    key1 += 0xBB67AE85U;
  }
  return counter;
}

std::uint32_t random_word(std::uint64_t seed, std::uint32_t purpose, std::uint64_t subsequence,
                          std::int64_t column) {
  const Block counter{{static_cast<std::uint32_t>(column / 4), purpose,
                       static_cast<std::uint32_t>(subsequence),
                       static_cast<std::uint32_t>(subsequence >> 32)}};
  const Block block =
      philox4x32(counter, static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32));
  return block.word[column % 4];
}

double uniform(std::uint64_t seed, std::uint32_t purpose, std::uint64_t subsequence, std::int64_t column) {
  const auto rounded =
      static_cast<double>(static_cast<float>(random_word(seed, purpose, subsequence, column)));
  return static_cast<double>(static_cast<float>(rounded * 0x1p-32 + 0x1p-33));
}

double normal(std::uint64_t seed, std::uint32_t purpose, std::uint64_t subsequence, std::int64_t column) {
  const std::int64_t even = column - column % 2;
  const double radius = std::sqrt(-2.0 * std::log(uniform(seed, purpose, subsequence, even)));
  const double turn =
      (static_cast<double>(random_word(seed, purpose, subsequence, even + 1)) + 0.5) * 0x1p-32;
  return radius * (column == even ? std::sin(2.0 * kPi * turn) : std::cos(2.0 * kPi * turn));
}

Matrix normals(std::uint64_t seed, std::uint32_t purpose, std::uint64_t first, std::int64_t rows,
               std::int64_t cols) {
  Matrix m(rows, cols);
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t c = 0; c < cols; ++c)
      m.at(r, c) = normal(seed, purpose, first + static_cast<std::uint64_t>(r), c);
  }
  return m;
}

Objective objective(const Network& network, const std::vector<double>& parameters, const Matrix& x,
                    const Matrix& epsilon, const Matrix& condition, const Frozen* frozen) {
  const Matrix told = beside(x, condition);
  const auto batch = static_cast<double>(x.rows);
  std::vector<Kept> encoder;
  for (const LayerSpec& layer : network.encoder)
    encoder.push_back(forward(layer, parameters, encoder.empty() ? told : encoder.back().out, network.act));
  const Kept head =
      forward(network.head, parameters, encoder.empty() ? told : encoder.back().out, Act::identity);
  LatentResult latent;
  PenaltyResult penalty;
  Objective result;
  if (network.quantizer.groups > 0) {
    result.frozen = frozen != nullptr ? *frozen : freeze(network.quantizer, parameters, head.out);
    latent = quantize(network.quantizer, parameters, head.out, result.frozen);
  } else if (network.deterministic) {
    penalty = latent_penalty(head.out);
    latent.kl = penalty.penalty;
    latent.z.value = head.out;
  } else {
    latent = latent_forward(head.out, epsilon, network.scale);
  }
  const Matrix code = beside(latent.z.value, condition);
  std::vector<Kept> decoder;
  for (const LayerSpec& layer : network.decoder)
    decoder.push_back(forward(layer, parameters, decoder.empty() ? code : decoder.back().out, network.act));
  const Kept output =
      forward(network.output, parameters, decoder.empty() ? code : decoder.back().out, Act::identity);
  const double sigma = network.sigma_from == SigmaFrom::parameter
                           ? std::exp(parameters[static_cast<std::size_t>(network.log_sigma)])
                           : network.sigma;
  const LikelihoodResult terms = likelihood(network.lik, network.sigma_from, sigma, output.out, x);

  result.reconstruction = mean(terms.nll.value);
  result.kl = mean(latent.kl.value);
  result.loss = result.reconstruction + network.beta * result.kl;
  std::vector<double> kl_slope(static_cast<std::size_t>(network.head.out / 2), 1.0);
  if (network.free_bits > 0.0) {
    result.loss = result.reconstruction;
    const Graded kl = latent_kl(head.out, network.scale);
    for (std::size_t j = 0; j < kl_slope.size(); ++j) {
      result.loss += network.beta * std::fmax(kl.value.values[j], network.free_bits);
      kl_slope[j] = kl.value.values[j] > network.free_bits ? 1.0 : 0.0;
    }
  }
  if (network.capacity > 0.0) {
    result.loss = result.reconstruction + network.beta * std::fabs(result.kl - network.capacity);
    kl_slope.assign(kl_slope.size(), result.kl > network.capacity ? 1.0 : -1.0);
  }
  ImportanceResult weighted;
  if (network.importance_weighted) {
    weighted = importance(terms.nll.value, latent.log_ratio.value, epsilon.rows / x.rows);
    result.loss = mean(weighted.loss.value);
    result.reconstruction = mean(weighted.reconstruction.value);
    result.kl = mean(weighted.kl.value);
    for (double& w : weighted.weights.value.values) w /= batch;
  }
  result.gradient.assign(parameters.size(), 0.0);
  if (network.sigma_from == SigmaFrom::parameter) {
    double& slope = result.gradient[static_cast<std::size_t>(network.log_sigma)];
    slope = network.importance_weighted ? 0.0 : mean(terms.sigma_gradient.value);
    for (std::int64_t r = 0; r < weighted.weights.value.rows; ++r)
      slope += weighted.weights.value.at(r, 0) * terms.sigma_gradient.value.at(r, 0);
  }
  Matrix d = terms.gradient.value;
  for (std::int64_t r = 0; r < d.rows; ++r) {
    for (std::int64_t c = 0; c < d.cols; ++c) {
      d.at(r, c) *= network.importance_weighted ? weighted.weights.value.at(r, 0)
                                                : 1.0 / static_cast<double>(d.rows);  // rows and samples
    }
  }
  // What the i-th layer's input went through: the layer below, or nothing.
  const auto below = [&](std::size_t count) { return count > 0 ? network.act : Act::identity; };
  const auto pre = [](const std::vector<Kept>& kept, std::size_t count) {
    return count > 0 ? kept[count - 1].pre : Matrix();
  };
  d = backward(network.output, parameters, d, output.in, below(decoder.size()), pre(decoder, decoder.size()),
               result.gradient);
  for (std::size_t i = decoder.size(); i-- > 0;)
    d = backward(network.decoder[i], parameters, d, decoder[i].in, below(i), pre(decoder, i),
                 result.gradient);
  d = first_columns(d, latent.z.value.cols);
  if (network.quantizer.groups > 0) {
    quantize_backward(network.quantizer, parameters, head.out, result.frozen, d, result.gradient);
  } else if (network.deterministic) {
    for (std::size_t i = 0; i < d.values.size(); ++i)
      d.values[i] += network.beta / batch * penalty.gradient.value.values[i];
  } else if (network.importance_weighted) {
    d = weighted_latent_backward(head.out, d, epsilon, weighted.weights.value, network.scale).value;
  } else {
    d = latent_backward(head.out, d, epsilon, network.beta / batch, network.scale, kl_slope).value;
  }
  d = backward(network.head, parameters, d, head.in, below(encoder.size()), pre(encoder, encoder.size()),
               result.gradient);
  for (std::size_t i = encoder.size(); i-- > 0;)
    d = backward(network.encoder[i], parameters, d, encoder[i].in, below(i), pre(encoder, i),
                 result.gradient);
  return result;
}

double LearningRate::at(std::int64_t step) const {
  switch (kind) {
    case Rate::constant:
      return lr;
    case Rate::cosine: {
      if (step < warmup) return lr / static_cast<double>(warmup) * static_cast<double>(step + 1);
      if (step >= steps) return least;
      const double turn =
          std::acos(-1.0) * static_cast<double>(step - warmup) / static_cast<double>(steps - warmup);
      return (lr + least) / 2.0 + (lr - least) / 2.0 * std::cos(turn);
    }
    case Rate::exponential: {
      double rate = lr;
      // Whole epochs before the step's first row.
      for (std::int64_t seen = rows; seen <= step * batch; seen += rows) rate *= gamma;
      return rate;
    }
    case Rate::stages: {
      double rate = lr;
      for (const auto& [from, next] : stages) {
        if (from <= step) rate = next;
      }
      return rate;
    }
  }
  return lr;
}

void Adam::step(std::vector<double>& parameters, std::vector<double> gradient) {
  m.resize(parameters.size());
  v.resize(parameters.size());
  t = t + 1;
  double norm = 0.0;
  for (const double g : gradient) norm += g * g;
  norm = std::sqrt(norm);
  if (clip_norm > 0.0 && norm > clip_norm) {
    for (double& g : gradient) g *= clip_norm / norm;
  }
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const double g = gradient[i] + (decoupled ? 0.0 : decay * parameters[i]);
    m[i] = beta1 * m[i] + (1.0 - beta1) * g;
    v[i] = beta2 * v[i] + (1.0 - beta2) * g * g;
    const double m_hat = m[i] / (1.0 - std::pow(beta1, t));
    const double v_hat = v[i] / (1.0 - std::pow(beta2, t));
    const double before = parameters[i];
    parameters[i] -= lr * m_hat / (std::sqrt(v_hat) + epsilon);
    if (decoupled) parameters[i] -= lr * decay * before;
  }
}

}  // namespace vaecuda::oracle
