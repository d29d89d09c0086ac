// Vector quantization as straightforward loops in double precision, written from the papers. Shares nothing
// with the product: no header of host/ or kernels/ may be included here.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "support/oracle.hpp"

namespace vaecuda::oracle {

/// G codebooks of M codes of L columns.
struct Codebooks {
  std::int64_t groups = 1;
  std::int64_t size = 1;
  std::int64_t width = 1;
  Matrix codes;  ///< (G·M, L)
  [[nodiscard]] std::int64_t row_of(std::int64_t group, std::int64_t code) const {
    return group * size + code;
  }
};

/// ‖part g of the row − code‖².
[[nodiscard]] double distance(const Codebooks& books, const Matrix& latent, std::int64_t row,
                              std::int64_t group, std::int64_t code);
/// Index of the nearest code, the lowest of equals.
[[nodiscard]] std::int64_t nearest(const Codebooks& books, const Matrix& latent, std::int64_t row,
                                   std::int64_t group);

/// Σ over a code's rows of 2·(e − z), the gradient by the codes of Σ over the rows of ‖sg(z) − e‖².
[[nodiscard]] Graded codebook_gradient(const Codebooks& books, const Matrix& latent, const Matrix& codes);

/// The state of codes that follow moving averages.
struct Averages {
  Codebooks books;
  Matrix sums;                 ///< (G·M, L)
  std::vector<double> counts;  ///< (G·M)
};
struct AverageRule {
  double decay = 0.99;
  double restart_below = 0.0;  ///< share of B/M
  double epsilon = 1e-5;
};
struct AverageStep {
  Graded codes;  ///< (G·M, L)
  Graded sums;
  Graded counts;  ///< (G·M, 1)
  std::vector<bool> restarted;
};
/// One step; restart_row(k) gives the batch row that code k of all takes if it is dead.
[[nodiscard]] AverageStep average_step(const Averages& before, const AverageRule& rule, const Matrix& latent,
                                       const Matrix& codes,
                                       const std::function<std::int64_t(std::int64_t)>& restart_row);

/// e^H of how often each code of codebook g occurs.
[[nodiscard]] double perplexity(const Codebooks& books, const Matrix& codes, std::int64_t group);

/// The nearest codes of a latent.
[[nodiscard]] Frozen freeze(const Quantizer& quantizer, const std::vector<double>& parameters,
                            const Matrix& latent);
/// z = latent + (vectors − latent of `frozen`); kl = the loss of latent and codes over its weight at the
/// place that was frozen, commitment (+ 1).
[[nodiscard]] LatentResult quantize(const Quantizer& quantizer, const std::vector<double>& parameters,
                                    const Matrix& latent, const Frozen& frozen);
/// Adds the commitment's gradient to d = that by z, and the codes' to `gradient`; both of means over rows.
void quantize_backward(const Quantizer& quantizer, const std::vector<double>& parameters,
                       const Matrix& latent, const Frozen& frozen, Matrix& d, std::vector<double>& gradient);

}  // namespace vaecuda::oracle
