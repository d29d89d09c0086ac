// The whole objective, and how its gradient moves the parameters.
#include "support/count_oracle.hpp"
#include "support/oracle.hpp"

#include <cmath>

#include "support/codebook_oracle.hpp"

namespace vaecuda::oracle {
namespace {

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

/// What a likelihood gives, whichever it is.
struct Terms {
  Matrix nll;
  Matrix gradient;
  Matrix parameter_gradient;  ///< without columns where the likelihood has no parameter
  std::int64_t parameter = 0;
};

Terms element_terms(const Network& network, double sigma, const Matrix& output, const Matrix& x) {
  const LikelihoodResult result = likelihood(network.lik, network.sigma_from, sigma, output, x);
  Terms terms{result.nll.value, result.gradient.value, {}, network.log_sigma};
  if (network.sigma_from == SigmaFrom::parameter) terms.parameter_gradient = result.sigma_gradient.value;
  return terms;
}

Terms count_terms(const Network& network, const std::vector<double>& parameters, const Matrix& output,
                  const Matrix& x) {
  std::vector<double> log_dispersion;
  if (network.log_dispersion >= 0) {
    const auto first = parameters.begin() + network.log_dispersion;
    log_dispersion.assign(first, first + (network.counts.dispersion == DispersionFrom::scalar ? 1 : x.cols));
  }
  const CountResult result = count_likelihood(network.counts, output, x, log_dispersion);
  return {result.nll.value, result.gradient.value, result.dispersion_gradient.value, network.log_dispersion};
}

}  // namespace

Objective objective(const Network& network, const std::vector<double>& parameters, const Matrix& x,
                    const Matrix& epsilon, const Matrix& condition, const Frozen* frozen) {
  const Matrix told = beside(view_of(network.view, x), condition);
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
  const Terms terms = network.has_counts ? count_terms(network, parameters, output.out, x)
                                         : element_terms(network, sigma, output.out, x);

  result.reconstruction = mean(terms.nll);
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
    weighted = importance(terms.nll, latent.log_ratio.value, epsilon.rows / x.rows);
    result.loss = mean(weighted.loss.value);
    result.reconstruction = mean(weighted.reconstruction.value);
    result.kl = mean(weighted.kl.value);
    for (double& w : weighted.weights.value.values) w /= batch;
  }
  result.gradient.assign(parameters.size(), 0.0);
  for (std::int64_t r = 0; r < terms.nll.rows; ++r) {
    const double weight = network.importance_weighted ? weighted.weights.value.at(r, 0)
                                                      : 1.0 / static_cast<double>(terms.nll.rows);
    for (std::int64_t c = 0; c < terms.parameter_gradient.cols; ++c)
      result.gradient[static_cast<std::size_t>(terms.parameter + c)] +=
          weight * terms.parameter_gradient.at(r, c);
  }
  Matrix d = terms.gradient;
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
