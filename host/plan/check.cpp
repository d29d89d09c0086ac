// The consistency of a plan: a mistake in a builder is caught here, not in a kernel.
#include <fmt/format.h>

#include <stdexcept>

#include "host/plan/plan.hpp"

namespace vaecuda {
namespace {

class Checker {
 public:
  explicit Checker(const Plan& plan) : plan_(plan) {}

  void check_op(const Op& op) {
    where_ = name_of(op);
    const OpViews views = views_of(op);
    for (const View& view : views.reads) check_view(view);
    for (const View& view : views.writes) check_view(view);
    std::visit([this](const auto& o) { check_shapes(o); }, op);
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw std::logic_error(fmt::format("plan '{}', {}: {}", plan_.name, where_, what));
  }
  void require(bool holds, const char* what) const {
    if (!holds) fail(what);
  }
  void check_view(const View& view) const {
    require(view.buffer < static_cast<int>(plan_.buffers.size()), "a view of a buffer that does not exist");
    const Buffer& buffer = plan_.buffers[static_cast<std::size_t>(view.buffer)];
    require(view.rows > 0 && view.cols > 0 && view.offset >= 0 && view.stride >= view.cols,
            "an empty or bent view");
    require(view.offset + (view.rows - 1) * view.stride + view.cols <= buffer.size(),
            "a view past its buffer's end");
  }
  void check_layer(const LinearParameters& layer) const {
    require(layer.in > 0 && layer.out > 0 && layer.weight >= 0 && layer.bias >= 0, "a layer without a size");
    require(layer.weight + layer.in * layer.out <= plan_.parameter_size, "a weight past the arena's end");
    require(layer.bias + layer.out <= plan_.parameter_size, "a bias past the arena's end");
  }
  static bool same(const View& a, const View& b) { return a.rows == b.rows && a.cols == b.cols; }
  /// Whether `of_samples` has K rows for each of the batch's rows.
  static bool samples(const View& of_rows, const View& of_samples) {
    return of_samples.rows % of_rows.rows == 0;
  }

  void check_shapes(const GatherBatch& o) const {
    require(o.x.rows == plan_.batch && o.data_rows > 0, "x must have B rows");
    require(!o.source.valid() || (o.source.rows == o.data_rows && o.source.cols == o.x.cols &&
                                  o.source.stride == o.x.cols && o.type == ElementType::f32),
            "source must be (N,D) in fp32 without gaps");
    require(!o.condition.valid() || o.condition.rows == plan_.batch, "condition must have B rows");
    require(!o.condition_source.valid() ||
                (o.condition_source.rows == o.data_rows && o.condition_source.cols == o.condition.cols),
            "condition_source must be (N,C)");
    require(!o.decoder_condition.valid() ||
                (o.condition.cols == o.decoder_condition.cols && o.decoder_condition.rows % plan_.batch == 0),
            "decoder_condition must be (B·K,C)");
    require(o.mean.valid() == o.inverse_deviation.valid(), "mean and deviation go together");
    require(!o.mean.valid() || (o.mean.cols == o.x.cols && o.inverse_deviation.cols == o.x.cols),
            "mean must have D columns");
  }
  void check_shapes(const Linear& o) const {
    check_layer(o.layer);
    require(o.in.rows == o.out.rows && o.in.cols == o.layer.in && o.out.cols == o.layer.out, "shapes");
    require(!o.preactivation.valid() || same(o.preactivation, o.out), "preactivation must have out's shape");
  }
  void check_shapes(const LatentForward& o) const {
    require(o.head.cols == 2 * o.z.cols && samples(o.head, o.z), "head must be (B,2Z), z (B·K,Z)");
    require(!o.kl.valid() || (o.kl.rows == o.head.rows && o.kl.cols == 1), "kl must be (B,1)");
    require(!o.log_ratio.valid() || (o.log_ratio.rows == o.z.rows && o.log_ratio.cols == 1),
            "log_ratio must be (B·K,1)");
  }
  void check_shapes(const LatentKl& o) const {
    require(o.kl.rows == 1 && o.head.cols == 2 * o.kl.cols, "kl must be (1,Z), head (B,2Z)");
    require(same(o.kl, o.slope) && o.term.rows == 1 && o.term.cols == 1, "slope must be (1,Z), term (1,1)");
    require(o.kl.buffer != o.slope.buffer && o.free_bits >= 0.0f,
            "kl and slope are two buffers, free bits >= 0");
  }
  void check_shapes(const ImportanceWeights& o) const {
    const auto is_column = [](const View& view, std::int64_t rows) {
      return view.rows == rows && view.cols == 1;
    };
    require(o.loss.cols == 1 && samples(o.loss, o.nll), "loss must be (B,1), nll (B·K,1)");
    require(is_column(o.nll, o.nll.rows) && is_column(o.log_ratio, o.nll.rows), "log_ratio must be (B·K,1)");
    require(!o.weights.valid() || is_column(o.weights, o.nll.rows), "weights must be (B·K,1)");
    for (const View& mean : {o.reconstruction, o.kl}) {
      require(!mean.valid() || is_column(mean, o.loss.rows), "means must be (B,1)");
    }
  }
  void check_shapes(const WeighRows& o) const {
    require(o.weights.rows == o.rows.rows && o.weights.cols == 1, "weights must be (N,1)");
  }
  void check_codebook(const CodebookParameters& c) const {
    require(c.groups > 0 && c.size > 0 && c.width > 0 && c.codes >= 0, "a codebook without a size");
    require(c.codes + c.elements() <= plan_.parameter_size, "a codebook past the arena's end");
  }
  void check_parts(const View& latent, const View& codes, const CodebookParameters& c) const {
    check_codebook(c);
    require(latent.cols == c.groups * c.width, "a latent must have a part for every codebook");
    require(codes.rows == latent.rows && codes.cols == c.groups, "codes must be (B,G)");
  }
  void check_shapes(const VectorQuantize& o) const {
    check_parts(o.latent, o.codes, o.codebook);
    require(same(o.latent, o.z) && same(o.codes, o.distances), "z and distances");
    require(o.error.rows == o.z.rows && o.error.cols == 1, "error must be (B,1)");
  }
  void check_shapes(const VectorQuantizeBackward& o) const {
    require(same(o.latent, o.z) && same(o.z, o.dz) && same(o.dz, o.dlatent), "shapes");
  }
  void check_batch(const CodebookBatch& o) const {
    check_parts(o.latent, o.codes, o.codebook);
    require(o.latent.rows == plan_.batch, "a codebook moves by a whole batch");
    require(is_table(o.counts, o.codebook), "counts must be (G,M), without gaps");
    require(o.perplexity.rows == o.codebook.groups && o.perplexity.cols == 1, "perplexity must be (G,1)");
  }
  static bool is_table(const View& view, const CodebookParameters& c) {
    return view.rows == c.groups && view.cols == c.size && view.stride == c.size;
  }
  void check_shapes(const CodebookGradient& o) const { check_batch(o.batch); }
  void check_shapes(const CodebookAverage& o) const {
    check_batch(o.batch);
    require(is_table(o.averages, o.batch.codebook), "averages must be (G,M), without gaps");
  }
  void check_shapes(const LookUpCodes& o) const { check_parts(o.z, o.codes, o.codebook); }
  void check_shapes(const SampleCodes& o) const {
    require(o.codes.rows == plan_.batch && o.size > 0, "codes must have B rows");
  }
  void check_shapes(const LikelihoodForwardBackward& o) const {
    const bool has_head = o.likelihood.source == math::SigmaSource::head;
    require(o.output.cols == (has_head ? 2 : 1) * o.x.cols && samples(o.x, o.output),
            "x must be (B,D), output (B·K,D), with sigma from the head (B·K,2D)");
    require(o.nll.rows == o.output.rows && o.nll.cols == 1, "nll must be (B·K,1)");
    require(!o.gradient.valid() || same(o.gradient, o.output), "gradient must have output's shape");
    const bool is_learned = o.likelihood.source == math::SigmaSource::learned;
    require(!is_learned || (o.log_sigma >= 0 && o.log_sigma < plan_.parameter_size),
            "log_sigma is no parameter");
    require(o.sigma_gradient.valid() == (is_learned && o.gradient.valid()),
            "a learned sigma needs its gradient");
    require(!o.sigma_gradient.valid() || same(o.sigma_gradient, o.nll), "sigma_gradient must be (B,1)");
  }
  void check_shapes(const LinearBackward& o) const {
    check_layer(o.layer);
    require(o.d.rows == o.in.rows && o.d.cols == o.layer.out && o.in.cols == o.layer.in, "shapes");
    require(!o.dx.valid() || same(o.dx, o.in), "dx must have in's shape");
    const bool needs_saved = o.dx.valid() && o.activation != math::ActivationKind::identity;
    require(!needs_saved || (o.saved.valid() && same(o.saved, o.dx)), "saved must have dx's shape");
  }
  void check_shapes(const ParameterGradient& o) const {
    require(o.parameter >= 0 && o.parameter + o.d.cols <= plan_.parameter_size,
            "parameters past the arena's end");
  }
  void check_shapes(const LatentBackward& o) const {
    require(same(o.head, o.dhead) && o.head.cols == 2 * o.dz.cols && samples(o.head, o.dz), "shapes");
    require(!o.kl_slope.valid() || (o.kl_slope.rows == 1 && o.kl_slope.cols == o.dz.cols),
            "kl_slope must be (1,Z)");
    require(!o.weights.valid() || (o.weights.rows == o.dz.rows && o.weights.cols == 1),
            "weights must be (B·K,1)");
  }
  void check_shapes(const LatentPenalty& o) const {
    require(o.penalty.rows == o.z.rows && o.penalty.cols == 1, "penalty must be (B,1)");
    require(!o.dz.valid() || same(o.dz, o.z), "dz must have z's shape");
  }
  void check_shapes(const GradNorm& o) const {
    require(o.clip_norm > 0.0f, "clip_norm must be positive");
    require(!o.nll.valid() || (o.nll.cols == 1 && o.nll.rows % plan_.batch == 0), "nll must be (B·K,1)");
    require(!o.kl.valid() || (o.kl.cols == 1 && o.kl.rows == plan_.batch), "kl must be (B,1)");
    require(!o.kl_term.valid() || (o.kl_term.cols == 1 && o.kl_term.rows == 1), "kl_term must be (1,1)");
    require(!o.loss.valid() || (o.loss.cols == 1 && o.loss.rows == plan_.batch), "loss must be (B,1)");
  }
  void check_shapes(const AdamUpdate& o) const {
    const CodebookAverage* average = nullptr;
    for (const Op& op : plan_.ops) {
      if (const auto* found = std::get_if<CodebookAverage>(&op)) average = found;
    }
    const std::int64_t end = average != nullptr ? average->batch.codebook.codes : plan_.parameter_size;
    require(o.elements == end, "Adam covers the arena up to a codebook that averages move");
  }
  void check_shapes(const AdvanceStep& o) const {
    require(o.nll.cols == 1 && o.nll.rows % plan_.batch == 0, "nll must be (B·K,1)");
    for (const View& rows : {o.kl, o.loss}) {
      require(!rows.valid() || (rows.cols == 1 && rows.rows == plan_.batch), "kl and loss must be (B,1)");
    }
    require(!o.kl_term.valid() || (o.kl_term.rows == 1 && o.kl_term.cols == 1), "kl_term must be (1,1)");
  }
  void check_shapes(const SamplePrior& o) const { require(o.z.rows == plan_.batch, "z must have B rows"); }
  void check_shapes(const ObservationMean& o) const { require(same(o.output, o.mean), "shapes"); }
  void check_shapes(const StoreRows& o) const { check_transfer(o.batch, o.whole); }
  void check_shapes(const LoadRows& o) const { check_transfer(o.batch, o.whole); }
  void check_shapes(const AdvancePosition& o) const {
    require(o.batch == plan_.batch, "position advances by B");
  }
  void check_transfer(const View& batch, const View& whole) const {
    require(batch.cols == whole.cols && batch.rows == plan_.batch, "batch must be (B,C)");
    require(plan_.buffers[static_cast<std::size_t>(whole.buffer)].kind == BufferKind::exchange,
            "whole rows live in an exchange buffer");
  }

  const Plan& plan_;
  std::string where_;
};

}  // namespace

void check_plan(const Plan& plan) {
  if (plan.batch < 1) throw std::logic_error(fmt::format("plan '{}' has no batch", plan.name));
  for (const Buffer& buffer : plan.buffers) {
    const bool filled = buffer.kind != BufferKind::constant ||
                        static_cast<std::int64_t>(buffer.values.size()) == buffer.size();
    if (buffer.size() < 1 || !filled)
      throw std::logic_error(fmt::format("buffer '{}' is empty", buffer.name));
  }
  Checker checker(plan);
  for (const Op& op : plan.ops) checker.check_op(op);
}

}  // namespace vaecuda
