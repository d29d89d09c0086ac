#include "support/codebook_oracle.hpp"

#include <cmath>

namespace vaecuda::oracle {

double distance(const Codebooks& books, const Matrix& latent, std::int64_t row, std::int64_t group,
                std::int64_t code) {
  double sum = 0.0;
  for (std::int64_t c = 0; c < books.width; ++c) {
    const double difference =
        latent.at(row, group * books.width + c) - books.codes.at(books.row_of(group, code), c);
    sum += difference * difference;
  }
  return sum;
}

std::int64_t nearest(const Codebooks& books, const Matrix& latent, std::int64_t row, std::int64_t group) {
  std::int64_t best = 0;
  for (std::int64_t k = 1; k < books.size; ++k) {
    if (distance(books, latent, row, group, k) < distance(books, latent, row, group, best)) best = k;
  }
  return best;
}

Graded codebook_gradient(const Codebooks& books, const Matrix& latent, const Matrix& codes) {
  Graded gradient(books.groups * books.size, books.width);
  for (std::int64_t r = 0; r < latent.rows; ++r) {
    for (std::int64_t g = 0; g < books.groups; ++g) {
      const std::int64_t i = books.row_of(g, static_cast<std::int64_t>(codes.at(r, g)));
      for (std::int64_t c = 0; c < books.width; ++c) {
        const double e = books.codes.at(i, c);
        const double z = latent.at(r, g * books.width + c);
        gradient.value.at(i, c) += 2.0 * (e - z);
        gradient.magnitude.at(i, c) += 2.0 * (std::fabs(e) + std::fabs(z));
      }
    }
  }
  return gradient;
}

AverageStep average_step(const Averages& before, const AverageRule& rule, const Matrix& latent,
                         const Matrix& codes, const std::function<std::int64_t(std::int64_t)>& restart_row) {
  const Codebooks& books = before.books;
  const std::int64_t all = books.groups * books.size;
  const double batch = static_cast<double>(latent.rows);
  const double fair = batch / static_cast<double>(books.size);
  AverageStep step{Graded(all, books.width), Graded(all, books.width), Graded(all, 1),
                   std::vector<bool>(static_cast<std::size_t>(all))};
  for (std::int64_t g = 0; g < books.groups; ++g) {
    double total = 0.0;
    for (std::int64_t k = 0; k < books.size; ++k) {
      const std::int64_t i = books.row_of(g, k);
      double rows = 0.0;
      for (std::int64_t r = 0; r < latent.rows; ++r) rows += codes.at(r, g) == static_cast<double>(k);
      const double count =
          rule.decay * before.counts[static_cast<std::size_t>(i)] + (1.0 - rule.decay) * rows;
      step.counts.value.at(i, 0) = step.counts.magnitude.at(i, 0) = count;
      total += count;
      for (std::int64_t c = 0; c < books.width; ++c) {
        double sum = 0.0;
        double size = 0.0;
        for (std::int64_t r = 0; r < latent.rows; ++r) {
          if (codes.at(r, g) != static_cast<double>(k)) continue;
          sum += latent.at(r, g * books.width + c);
          size += std::fabs(latent.at(r, g * books.width + c));
        }
        const double old = rule.decay * before.sums.at(i, c);
        step.sums.value.at(i, c) = old + (1.0 - rule.decay) * sum;
        step.sums.magnitude.at(i, c) = std::fabs(old) + (1.0 - rule.decay) * size;
      }
    }
    for (std::int64_t k = 0; k < books.size; ++k) {
      const std::int64_t i = books.row_of(g, k);
      const double count = step.counts.value.at(i, 0);
      const bool dead = count < rule.restart_below * fair;
      step.restarted[static_cast<std::size_t>(i)] = dead;
      const double smoothed =
          (count + rule.epsilon) / (total + static_cast<double>(books.size) * rule.epsilon) * total;
      for (std::int64_t c = 0; c < books.width; ++c) {
        if (dead) {
          const double z = latent.at(restart_row(i), g * books.width + c);
          step.codes.value.at(i, c) = z;
          step.codes.magnitude.at(i, c) = std::fabs(z);
          step.sums.value.at(i, c) = fair * z;
          step.sums.magnitude.at(i, c) = fair * std::fabs(z);
        } else {
          step.codes.value.at(i, c) = step.sums.value.at(i, c) / smoothed;
          step.codes.magnitude.at(i, c) = step.sums.magnitude.at(i, c) / smoothed;
        }
      }
      if (dead) step.counts.value.at(i, 0) = step.counts.magnitude.at(i, 0) = fair;
    }
  }
  return step;
}

double perplexity(const Codebooks& books, const Matrix& codes, std::int64_t group) {
  double entropy = 0.0;
  for (std::int64_t k = 0; k < books.size; ++k) {
    double rows = 0.0;
    for (std::int64_t r = 0; r < codes.rows; ++r) rows += codes.at(r, group) == static_cast<double>(k);
    const double share = rows / static_cast<double>(codes.rows);
    if (share > 0.0) entropy -= share * std::log(share);
  }
  return std::exp(entropy);
}

namespace {

Codebooks books_of(const Quantizer& q, const std::vector<double>& parameters) {
  Codebooks books{q.groups, q.size, q.width, Matrix(q.groups * q.size, q.width)};
  for (std::size_t i = 0; i < books.codes.values.size(); ++i) {
    books.codes.values[i] = parameters[static_cast<std::size_t>(q.codes) + i];
  }
  return books;
}

Matrix vectors_of(const Codebooks& books, const Matrix& codes) {
  Matrix vectors(codes.rows, books.groups * books.width);
  for (std::int64_t r = 0; r < codes.rows; ++r) {
    for (std::int64_t g = 0; g < books.groups; ++g) {
      const std::int64_t k = books.row_of(g, static_cast<std::int64_t>(codes.at(r, g)));
      for (std::int64_t c = 0; c < books.width; ++c) {
        vectors.at(r, g * books.width + c) = books.codes.at(k, c);
      }
    }
  }
  return vectors;
}

}  // namespace

Frozen freeze(const Quantizer& quantizer, const std::vector<double>& parameters, const Matrix& latent) {
  const Codebooks books = books_of(quantizer, parameters);
  Frozen frozen{latent, Matrix(latent.rows, quantizer.groups), {}};
  for (std::int64_t r = 0; r < latent.rows; ++r) {
    for (std::int64_t g = 0; g < quantizer.groups; ++g) {
      frozen.codes.at(r, g) = static_cast<double>(nearest(books, latent, r, g));
    }
  }
  frozen.vectors = vectors_of(books, frozen.codes);
  return frozen;
}

LatentResult quantize(const Quantizer& quantizer, const std::vector<double>& parameters, const Matrix& latent,
                      const Frozen& frozen) {
  const Matrix now = vectors_of(books_of(quantizer, parameters), frozen.codes);
  LatentResult result{Graded(latent.rows, latent.cols), Graded(latent.rows, 1), Graded()};
  const double learns = quantizer.codes_learn ? 1.0 : 0.0;
  const double weight = quantizer.commitment + learns;
  for (std::int64_t r = 0; r < latent.rows; ++r) {
    double loss = 0.0;
    for (std::int64_t c = 0; c < latent.cols; ++c) {
      const double z = latent.at(r, c);
      result.z.value.at(r, c) = z + frozen.vectors.at(r, c) - frozen.latent.at(r, c);
      loss += quantizer.commitment * std::pow(z - frozen.vectors.at(r, c), 2.0);
      loss += learns * std::pow(frozen.latent.at(r, c) - now.at(r, c), 2.0);
    }
    result.kl.value.at(r, 0) = loss / weight;
  }
  return result;
}

void quantize_backward(const Quantizer& quantizer, const std::vector<double>& parameters,
                       const Matrix& latent, const Frozen& frozen, Matrix& d, std::vector<double>& gradient) {
  const double rows = static_cast<double>(latent.rows);
  for (std::size_t i = 0; i < d.values.size(); ++i) {
    d.values[i] += 2.0 * quantizer.commitment * (latent.values[i] - frozen.vectors.values[i]) / rows;
  }
  if (!quantizer.codes_learn) return;
  const Graded pull = codebook_gradient(books_of(quantizer, parameters), frozen.latent, frozen.codes);
  for (std::size_t i = 0; i < pull.value.values.size(); ++i) {
    gradient[static_cast<std::size_t>(quantizer.codes) + i] += pull.value.values[i] / rows;
  }
}

}  // namespace vaecuda::oracle
