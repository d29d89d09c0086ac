#include "host/plan/codebook_ops.hpp"

namespace vaecuda {
namespace {

bool is_table(const View& view, const CodebookParameters& c) {
  return view.is_shaped(c.groups, c.size) && view.stride == c.size;
}

}  // namespace

OpViews VectorQuantize::operands(const VectorQuantize& op) {
  const auto& [latent, codebook, z, codes, distances, error] = op;
  return {{latent}, {z, codes, distances, error}};
}

void VectorQuantize::check(const OpCheck& check) const {
  check.parts(latent, codes, codebook);
  check.require(latent.is_shaped_like(z) && codes.is_shaped_like(distances), "z and distances");
  check.require(error.rows == z.rows && error.cols == 1, "error must be (B,1)");
}

OpCost VectorQuantize::cost() const {
  OpCost cost = moved(operands(*this));
  // A difference, a product and a sum for every element of every code.
  cost.flops = 3.0 * z.elements() * static_cast<double>(codebook.size);
  cost.bytes += 4.0 * static_cast<double>(codebook.elements());
  return cost;
}

OpViews VectorQuantizeBackward::operands(const VectorQuantizeBackward& op) {
  const auto& [latent, z, dz, dlatent, commitment] = op;
  return {{latent, z, dz}, {dlatent}};
}

void VectorQuantizeBackward::check(const OpCheck& check) const {
  check.require(latent.is_shaped_like(z) && z.is_shaped_like(dz) && dz.is_shaped_like(dlatent), "shapes");
}

OpViews CodebookBatch::operands(const CodebookBatch& batch, const View& scratch) {
  const auto& [latent, codes, codebook, counts, perplexity] = batch;
  return {{latent, codes}, {counts, perplexity, scratch}};
}

void CodebookBatch::check(const OpCheck& check) const {
  check.parts(latent, codes, codebook);
  check.require(latent.rows == check.batch(), "a codebook moves by a whole batch");
  check.require(is_table(counts, codebook), "counts must be (G,M), without gaps");
  check.require(perplexity.is_shaped(codebook.groups, 1), "perplexity must be (G,1)");
}

OpViews CodebookGradient::operands(const CodebookGradient& op) {
  const auto& [batch, scale] = op;
  return CodebookBatch::operands(batch, View{});
}

void CodebookGradient::check(const OpCheck& check) const {
  batch.check(check);
}

OpCost CodebookGradient::cost() const {
  OpCost cost = moved(operands(*this));
  cost.bytes += 8.0 * static_cast<double>(batch.codebook.elements());  // codes read, gradient written
  return cost;
}

OpViews CodebookAverage::operands(const CodebookAverage& op) {
  const auto& [batch, averages, rule, seed] = op;
  return CodebookBatch::operands(batch, averages);
}

void CodebookAverage::check(const OpCheck& check) const {
  batch.check(check);
  check.require(is_table(averages, batch.codebook), "averages must be (G,M), without gaps");
}

OpCost CodebookAverage::cost() const {
  OpCost cost = moved(operands(*this));
  cost.bytes +=
      12.0 * static_cast<double>(batch.codebook.elements());  // sums read and written, codes written
  return cost;
}

OpViews LookUpCodes::operands(const LookUpCodes& op) {
  const auto& [codes, codebook, z] = op;
  return {{codes}, {z}};
}

void LookUpCodes::check(const OpCheck& check) const {
  check.parts(z, codes, codebook);
}

OpViews SampleCodes::operands(const SampleCodes& op) {
  const auto& [codes, size, seed, purpose] = op;
  return {{}, {codes}};
}

void SampleCodes::check(const OpCheck& check) const {
  check.require(codes.rows == check.batch() && size > 0, "codes must have B rows");
}

}  // namespace vaecuda
