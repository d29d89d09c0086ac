// Quantized latents: the codes of rows, and how a codebook moves.
#pragma once

#include <cstdint>
#include <string>

#include "host/plan/op.hpp"
#include "kernels/math/codebook.h"
#include "kernels/math/philox.h"

namespace vaecuda {

/// For each part g of a row of `latent`: codes = the nearest of the codebook's M codes, the lowest of equals;
/// z = that code. error = ‖latent − z‖² per row.
struct VectorQuantize {
  View latent;  ///< (B,Z): the encoder's output
  CodebookParameters codebook;
  View z;          ///< (B,Z)
  View codes;      ///< (B,G): whole numbers, exact in fp32 below 2²⁴
  View distances;  ///< (B,G): scratch
  View error;      ///< (B,1)

  [[nodiscard]] std::string name() const { return "VectorQuantize"; }
  [[nodiscard]] static OpViews operands(const VectorQuantize& op);
  void check(const OpCheck& check) const;
  [[nodiscard]] OpCost cost() const;
};

/// dlatent (B,Z) = dz + commitment · (latent − z): dz goes straight through to the encoder, and is joined by
/// the gradient of the commitment c·‖latent − sg(z)‖², `commitment` being 2c times the gradient's scale.
struct VectorQuantizeBackward {
  View latent;   ///< (B,Z)
  View z;        ///< (B,Z)
  View dz;       ///< (B,Z)
  View dlatent;  ///< (B,Z)
  float commitment = 0.0f;

  [[nodiscard]] std::string name() const { return "VectorQuantizeBackward"; }
  [[nodiscard]] static OpViews operands(const VectorQuantizeBackward& op);
  void check(const OpCheck& check) const;
  [[nodiscard]] OpCost cost() const { return moved(operands(*this)); }
};

/// How the batch used the codes, which both rules by which codes move begin with.
struct CodebookBatch {
  View latent;  ///< (B,Z)
  View codes;   ///< (B,G)
  CodebookParameters codebook;
  View counts;      ///< (G,M): rows of the batch by code
  View perplexity;  ///< (G,1)

  [[nodiscard]] static OpViews operands(const CodebookBatch& batch, const View& scratch);
  void check(const OpCheck& check) const;
};

/// The codebook's gradient, where Adam moves it: scale · Σ over a code's rows of (code − latent), `scale`
/// being 2 times the gradient's scale.
struct CodebookGradient {
  CodebookBatch batch;
  float scale = 1.0f;

  [[nodiscard]] std::string name() const { return "CodebookGradient"; }
  [[nodiscard]] static OpViews operands(const CodebookGradient& op);
  void check(const OpCheck& check) const;
  [[nodiscard]] OpCost cost() const;
};

/// Moves the codes to the moving averages of their rows, smoothed; a code whose average count is below the
/// rule's bound becomes the latent of a batch row drawn by (seed, restart, position, code). The averages are
/// kept in the moments of the codebook's range of the arena: that of a code's sum of rows in the first
/// moments, that of its count in the first element of its second moments.
struct CodebookAverage {
  CodebookBatch batch;
  View averages;  ///< (G,M): scratch
  math::CodebookAverages<float> rule{};
  std::uint64_t seed = 0;

  [[nodiscard]] std::string name() const { return "CodebookAverage"; }
  [[nodiscard]] static OpViews operands(const CodebookAverage& op);
  void check(const OpCheck& check) const;
  [[nodiscard]] OpCost cost() const;
};

/// z (B,Z) = the vectors of codes (B,G).
struct LookUpCodes {
  View codes;
  CodebookParameters codebook;
  View z;

  [[nodiscard]] std::string name() const { return "LookUpCodes"; }
  [[nodiscard]] static OpViews operands(const LookUpCodes& op);
  void check(const OpCheck& check) const;
  [[nodiscard]] OpCost cost() const { return moved(operands(*this)); }
};

/// codes (B,G) drawn alike from 0 … size − 1 by (seed, purpose, position + row, codebook).
struct SampleCodes {
  View codes;
  std::int64_t size = 0;
  std::uint64_t seed = 0;
  math::RandomPurpose purpose = math::RandomPurpose::prior;

  [[nodiscard]] std::string name() const { return "SampleCodes"; }
  [[nodiscard]] static OpViews operands(const SampleCodes& op);
  void check(const OpCheck& check) const;
  [[nodiscard]] OpCost cost() const { return moved(operands(*this)); }
};

using CodebookOps = OpList<VectorQuantize, VectorQuantizeBackward, CodebookGradient, CodebookAverage,
                           LookUpCodes, SampleCodes>;

}  // namespace vaecuda
