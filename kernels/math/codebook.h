// Vector quantization with codebooks: the nearest code and the straight-through gradient (van den Oord et
// al., arXiv 1711.00937, sections 3.1 and 3.2), codes that follow moving averages (appendix A.1 there, with
// Laplace smoothing as in Razavi et al., arXiv 1906.00446), restarts of dead codes, and the perplexity of a
// codebook.
#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/math/philox.h"

namespace vaecuda::math {

/// One term of ‖z − e‖².
template <typename T>
VAECUDA_HD T squared_difference(T z, T code) {
  const T difference = z - code;
  return difference * difference;
}

/// Gradient by the encoder's output z of loss(e) + c·‖z − sg(e)‖²: that by the code goes straight through to
/// z, and the commitment adds 2c·(z − e); `commitment` is 2c times the gradient's scale.
template <typename T>
VAECUDA_HD T quantize_backward(T z, T code, T dcode, T commitment) {
  return dcode + commitment * (z - code);
}

/// How the moving averages of a codebook of M codes go on. Counts are rows per batch.
template <typename T>
struct CodebookAverages {
  T decay;          ///< γ
  T share;          ///< 1 − γ
  T fair_count;     ///< B / M: what a code has before the first step, and after a restart
  T restart_below;  ///< a code with a lower average count is restarted; 0: none is
};

/// γ·average + (1 − γ)·batch: of a code's count and of the sum of its rows alike.
template <typename T>
VAECUDA_HD T moving_average(const CodebookAverages<T>& rule, T average, T batch) {
  return rule.decay * average + rule.share * batch;
}

/// Laplace smoothing of an average count N of M: (N + ε)·Σ / (Σ + M·ε), Σ the sum of all M, so that a code
/// which is never used is not divided by zero.
template <typename T>
VAECUDA_HD T smoothed_count(T count, T total, T codes) {
  constexpr T kEpsilon = T(1e-5);
  return (count + kEpsilon) * (total / (total + codes * kEpsilon));
}

/// One term of the gradient by a code of ‖sg(z) − e‖², over 2 and unscaled.
template <typename T>
VAECUDA_HD T code_gradient(T z, T code) {
  return code - z;
}

/// n·log n, 0 for n = 0. The perplexity of counts n₁ … n_M with sum B, the number of codes that would be in
/// use if all were used alike, is e^H with H = log B − (1/B)·Σ n·log n.
VAECUDA_HD double count_times_log(double count) {
  return count > 0.0 ? count * ::log(count) : 0.0;
}
VAECUDA_HD double perplexity_of(double sum_of_count_times_log, double batch) {
  return ::exp(::log(batch) - sum_of_count_times_log / batch);
}

/// One of 0 … n − 1, each as likely as the next one (n up to 2²⁴: to 1 in 256).
VAECUDA_HD std::int64_t index_from_bits(std::uint32_t bits, std::int64_t n) {
  return static_cast<std::int64_t>((static_cast<std::uint64_t>(bits) * static_cast<std::uint64_t>(n)) >> 32);
}

/// The batch row that a restarted code takes: of the seed, the position of the batch's first row, and the
/// code's number among those of all codebooks.
VAECUDA_HD std::int64_t restart_row(std::uint64_t seed, std::int64_t position, std::int64_t code,
                                    std::int64_t batch) {
  const Philox4 bits = philox(seed, static_cast<std::uint64_t>(position),
                              random_block(RandomPurpose::restart, static_cast<std::uint64_t>(code)));
  // Chosen, not indexed: an index would send the four words through memory on the device.
  const std::uint32_t low = (code & 1) != 0 ? bits.v[1] : bits.v[0];
  const std::uint32_t high = (code & 1) != 0 ? bits.v[3] : bits.v[2];
  return index_from_bits((code & 2) != 0 ? high : low, batch);
}

/// The place in its codebook of a code that is stored as a float; whatever was stored, it lies inside.
VAECUDA_HD std::int64_t code_index(float stored, std::int64_t codes) {
  if (!(stored > 0.0f)) return 0;
  return stored < static_cast<float>(codes) ? static_cast<std::int64_t>(stored) : codes - 1;
}

}  // namespace vaecuda::math
