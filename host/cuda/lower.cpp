#include "host/cuda/lower.hpp"

#include <stdexcept>
#include <utility>

#include "host/cuda/lower_linear.hpp"
#include "kernels/codebook.hpp"
#include "kernels/gather.hpp"
#include "kernels/importance.hpp"
#include "kernels/latent.hpp"
#include "kernels/likelihood.hpp"
#include "kernels/rows.hpp"

namespace vaecuda::cuda {
namespace {

kernels::Binarize binarize_of(Binarize binarize) {
  switch (binarize) {
    case Binarize::none:
      return kernels::Binarize::none;
    case Binarize::threshold:
      return kernels::Binarize::threshold;
    case Binarize::stochastic:
      return kernels::Binarize::stochastic;
  }
  return kernels::Binarize::none;
}

class Lowering {
 public:
  explicit Lowering(const LowerInputs& in)
      : in_(in),
        plan_(in.plan),
        memory_(in.memory),
        readers_(in.plan, in.precision == Precision::bf16),
        linear_(in, readers_, lowered_) {}

  Lowered run() {
    for (op_ = 0; op_ < plan_.ops.size(); ++op_) {
      std::visit([this](const auto& o) { add(o); }, plan_.ops[op_]);
    }
    if (update_) throw std::logic_error("a plan that updates parameters must end the step after it");
    return std::move(lowered_);
  }

 private:
  template <typename Args>
  void add_launch(void (*launch)(const Args&, kernels::Stream), const Args& args, int kernels = 1) {
    lowered_.nodes.push_back({name_of(plan_.ops[op_]), op_, kernels,
                              [launch, args](kernels::Stream stream) { launch(args, stream); }});
  }

  /// As add_launch, where `place` fills in the rows of an exchange buffer at every launch: a run may bind
  /// memory of the caller's in its place. A captured graph keeps what it was captured with.
  template <typename Args, typename Place>
  void add_placed_launch(void (*launch)(const Args&, kernels::Stream), const Args& args, const Place& place) {
    lowered_.nodes.push_back({name_of(plan_.ops[op_]), op_, 1, [launch, args, place](kernels::Stream stream) {
                                Args placed = args;
                                place(placed);
                                launch(placed, stream);
                              }});
  }

  /// Where a view that this op writes goes: in the forms that are read.
  [[nodiscard]] kernels::OutMatrix out(const View& view) const {
    return view.valid() ? memory_.out(view, readers_.forms(op_, view)) : kernels::OutMatrix{};
  }

  /// A (B,1) result of a kernel that writes fp32 alone.
  [[nodiscard]] float* row_sums(const View& view) const {
    if (view.valid() && readers_.forms(op_, view).half) {
      throw std::logic_error("sums over rows are kept in fp32 only, but a matrix product reads them");
    }
    return memory_.single(view);
  }

  /// Where a row whose loss is not finite says so: only a training step asks.
  [[nodiscard]] std::int32_t* fault() const { return is_training(plan_) ? &memory_.state()->fault : nullptr; }

  void add(const GatherBatch& op) {
    kernels::GatherArgs args;
    if (!op.source.valid()) {
      if (in_.data == nullptr) throw std::logic_error("a plan that gathers rows was compiled without data");
      in_.data->check(op.data_rows, op.x.cols, op.type);
      args.rows = in_.data->rows();
    }
    args.is_u8 = op.type == ElementType::u8;
    args.data_rows = op.data_rows;
    args.x = out(op.x);
    if (op.condition.valid()) {
      if (op.condition_source.valid()) {
        args.label_vectors = memory_.single(op.condition_source);
      } else if (op.label_vectors) {
        args.label_vectors = in_.data->label_vectors(op.condition.cols);
      } else {
        args.classes = in_.data->classes();
      }
      args.condition_columns = op.condition.cols;
      args.condition = out(op.condition);
      args.decoder_condition = out(op.decoder_condition);
      args.samples = op.decoder_condition.valid() ? op.decoder_condition.rows / op.x.rows : 0;
    }
    args.batch = op.x.rows;
    args.columns = op.x.cols;
    args.order = op.order == RowOrder::shuffled ? kernels::RowOrder::shuffled : kernels::RowOrder::sequential;
    args.binarize = binarize_of(op.binarize);
    args.seed = op.seed;
    args.purpose = op.purpose;
    args.scale = op.scale;
    args.mean = memory_.single(op.mean);
    args.inverse_deviation = memory_.single(op.inverse_deviation);
    args.state = memory_.state();
    if (!op.source.valid()) return add_launch(kernels::launch_gather, args);
    add_placed_launch(kernels::launch_gather, args,
                      [memory = &memory_, source = op.source](kernels::GatherArgs& placed) {
                        placed.rows = memory->single(source);
                        placed.data_rows = memory->rows(source);
                      });
  }

  void add(const Linear& op) { linear_.add_forward(op_, op); }
  void add(const LinearBackward& op) { linear_.add_backward(op_, op); }
  void add(const ParameterGradient& op) { linear_.add_parameter_gradient(op); }

  void add(const LatentForward& op) {
    kernels::LatentForwardArgs args;
    args.head = memory_.in(op.head);
    args.z = out(op.z);
    args.kl = row_sums(op.kl);
    args.kl_stride = op.kl.valid() ? op.kl.stride : 1;
    args.log_ratio = row_sums(op.log_ratio);
    args.log_ratio_stride = op.log_ratio.valid() ? op.log_ratio.stride : 1;
    args.batch = op.head.rows;
    args.samples = op.z.rows / op.head.rows;
    args.latent_dim = op.z.cols;
    args.logvar_factor = math::logvar_factor(op.scale_head);
    args.seed = op.seed;
    args.purpose = op.purpose;
    args.sample = op.sample;
    args.state = memory_.state();
    args.fault = fault();
    add_launch(kernels::launch_latent_forward, args);
  }

  [[nodiscard]] static kernels::CodebookShape shape_of(const CodebookParameters& codebook) {
    return {codebook.groups, codebook.size, codebook.width};
  }
  [[nodiscard]] float* codes_of(const CodebookParameters& codebook) const {
    return in_.parameters.parameters() + codebook.codes;
  }

  void add(const VectorQuantize& op) {
    kernels::VectorQuantizeArgs args;
    args.latent = memory_.in(op.latent);
    args.codebook = codes_of(op.codebook);
    args.shape = shape_of(op.codebook);
    args.z = out(op.z);
    args.codes = memory_.single(op.codes);
    args.codes_stride = op.codes.stride;
    args.distances = memory_.single(op.distances);
    args.distances_stride = op.distances.stride;
    args.error = row_sums(op.error);
    args.error_stride = op.error.stride;
    args.batch = op.z.rows;
    args.fault = fault();
    add_launch(kernels::launch_vector_quantize, args, op.codebook.groups > 1 ? 2 : 1);
  }

  void add(const VectorQuantizeBackward& op) {
    kernels::VectorQuantizeBackwardArgs args;
    args.latent = memory_.in(op.latent);
    args.z = memory_.in(op.z);
    args.dz = memory_.in(op.dz);
    args.dlatent = out(op.dlatent);
    args.commitment = op.commitment;
    args.batch = op.z.rows;
    args.columns = op.z.cols;
    add_launch(kernels::launch_vector_quantize_backward, args);
  }

  [[nodiscard]] kernels::CodebookBatch batch_of(const CodebookBatch& op) const {
    if (!in_.parameters.training()) throw std::logic_error("a codebook moves in a training step only");
    kernels::CodebookBatch batch;
    batch.latent = memory_.in(op.latent);
    batch.codes = memory_.in(op.codes);
    batch.counts = memory_.single(op.counts);
    batch.perplexity = memory_.single(op.perplexity);
    batch.perplexity_stride = op.perplexity.stride;
    batch.shape = shape_of(op.codebook);
    batch.batch = op.latent.rows;
    batch.state = memory_.state();
    return batch;
  }

  void add(const CodebookGradient& op) {
    kernels::CodebookGradientArgs args;
    args.batch = batch_of(op.batch);
    args.codebook = codes_of(op.batch.codebook);
    args.gradient = memory_.gradients() + op.batch.codebook.codes;
    args.scale = op.scale;
    add_launch(kernels::launch_codebook_gradient, args, 2);
  }

  void add(const CodebookAverage& op) {
    const std::int64_t codes = op.batch.codebook.codes;
    kernels::CodebookAverageArgs args;
    args.batch = batch_of(op.batch);
    args.codebook = codes_of(op.batch.codebook);
    args.sums = in_.parameters.moment1() + codes;
    args.used = in_.parameters.moment2() + codes;
    args.averages = memory_.single(op.averages);
    args.rule = op.rule;
    args.seed = op.seed;
    add_launch(kernels::launch_codebook_average, args, 2);
  }

  void add(const LookUpCodes& op) {
    kernels::LookUpCodesArgs args;
    args.codes = memory_.in(op.codes);
    args.codebook = codes_of(op.codebook);
    args.shape = shape_of(op.codebook);
    args.z = out(op.z);
    args.batch = op.z.rows;
    add_launch(kernels::launch_look_up_codes, args);
  }

  void add(const SampleCodes& op) {
    kernels::SampleCodesArgs args;
    args.codes = memory_.single(op.codes);
    args.codes_stride = op.codes.stride;
    args.shape = {op.codes.cols, op.size, 1};
    args.batch = op.codes.rows;
    args.seed = op.seed;
    args.purpose = op.purpose;
    args.state = memory_.state();
    add_launch(kernels::launch_sample_codes, args);
  }

  void add(const LatentKl& op) {
    if (memory_.gradients() == nullptr) throw std::logic_error("a KL term outside of a training step");
    kernels::LatentKlArgs args;
    args.head = memory_.in(op.head);
    args.kl = row_sums(op.kl);
    args.slope = row_sums(op.slope);
    args.term = row_sums(op.term);
    args.batch = op.head.rows;
    args.latent_dim = op.kl.cols;
    args.logvar_factor = math::logvar_factor(op.scale_head);
    args.kind = op.kind;
    args.free_bits = op.free_bits;
    args.state = memory_.state();
    args.scratch = memory_.scratch();
    add_launch(kernels::launch_latent_kl, args);
  }

  [[nodiscard]] kernels::OutColumn column(const View& view) const {
    return {row_sums(view), view.valid() ? view.stride : 1};
  }

  void add(const ImportanceWeights& op) {
    kernels::ImportanceWeightsArgs args;
    args.nll = memory_.in(op.nll);
    args.log_ratio = memory_.in(op.log_ratio);
    args.loss = column(op.loss);
    args.weights = column(op.weights);
    args.reconstruction = column(op.reconstruction);
    args.kl = column(op.kl);
    args.batch = op.loss.rows;
    args.samples = op.nll.rows / op.loss.rows;
    args.fault = fault();
    add_launch(kernels::launch_importance_weights, args);
  }

  void add(const WeighRows& op) {
    kernels::WeighRowsArgs args;
    args.weights = memory_.in(op.weights);
    args.in = memory_.in(op.rows);
    args.out = out(op.rows);
    args.scale = op.scale;
    args.rows = op.rows.rows;
    args.columns = op.rows.cols;
    add_launch(kernels::launch_weigh_rows, args);
  }

  void add(const LikelihoodForwardBackward& op) {
    kernels::LikelihoodArgs args;
    args.likelihood = op.likelihood;
    args.output = memory_.in(op.output);
    args.bias = linear_.left_bias(op_, op.output);
    args.x = memory_.in(op.x);
    args.nll = row_sums(op.nll);
    args.nll_stride = op.nll.stride;
    args.gradient = out(op.gradient);
    args.gradient_scale = op.gradient_scale;
    if (op.log_sigma >= 0) args.log_sigma = in_.parameters.parameters() + op.log_sigma;
    args.sigma_gradient = row_sums(op.sigma_gradient);
    args.sigma_gradient_stride = op.sigma_gradient.valid() ? op.sigma_gradient.stride : 1;
    args.batch = op.x.rows;
    args.samples = op.output.rows / op.x.rows;
    args.columns = op.x.cols;
    args.fault = fault();
    add_launch(kernels::launch_likelihood, args);
  }

  void add(const LatentBackward& op) {
    kernels::LatentBackwardArgs args;
    args.head = memory_.in(op.head);
    args.dz = memory_.in(op.dz);
    args.dhead = out(op.dhead);
    args.kl_slope = memory_.single(op.kl_slope);
    args.weights = memory_.in(op.weights);
    args.batch = op.head.rows;
    args.samples = op.dz.rows / op.head.rows;
    args.latent_dim = op.dz.cols;
    args.logvar_factor = math::logvar_factor(op.scale_head);
    args.seed = op.seed;
    args.purpose = op.purpose;
    args.gradient_scale = op.gradient_scale;
    args.state = memory_.state();
    add_launch(kernels::launch_latent_backward, args);
  }

  void add(const LatentPenalty& op) {
    kernels::LatentPenaltyArgs args;
    args.z = memory_.in(op.z);
    args.penalty = row_sums(op.penalty);
    args.penalty_stride = op.penalty.stride;
    args.dz = memory_.in(op.dz);
    args.dz_out = out(op.dz);
    args.batch = op.z.rows;
    args.latent_dim = op.z.cols;
    args.gradient_scale = op.gradient_scale;
    args.state = memory_.state();
    args.fault = fault();
    add_launch(kernels::launch_latent_penalty, args);
  }

  void add(const GradNorm& op) {
    linear_.add_bias_gradients(op_);
    kernels::GradNormArgs args;
    args.gradient = memory_.gradients();
    args.elements = updated_elements();
    args.clip_norm = op.clip_norm;
    if (op.nll.valid()) {
      args.nll = memory_.single(op.nll);
      args.nll_stride = op.nll.stride;
      args.nll_rows = op.nll.rows;
      args.kl = memory_.single(op.kl);
      args.kl_stride = op.kl.valid() ? op.kl.stride : 1;
      args.kl_term = memory_.single(op.kl_term);
      args.loss = memory_.single(op.loss);
      args.loss_stride = op.loss.valid() ? op.loss.stride : 1;
      args.batch = plan_.batch;
    }
    args.state = memory_.state();
    args.scratch = memory_.scratch();
    if (args.gradient == nullptr) throw std::logic_error("a gradient norm outside of a training step");
    clipped_ = true;
    add_launch(kernels::launch_grad_norm, args);
  }

  /// The norm covers what the update covers.
  [[nodiscard]] std::int64_t updated_elements() const {
    for (const Op& op : plan_.ops) {
      if (const auto* adam = std::get_if<AdamUpdate>(&op)) return adam->elements;
    }
    throw std::logic_error("a gradient norm without an update");
  }

  void add(const AdamUpdate& op) {
    linear_.add_bias_gradients(op_);
    if (!in_.parameters.training()) throw std::logic_error("a training step on parameters without moments");
    kernels::UpdateArgs args;
    args.parameters = in_.parameters.parameters();
    args.moment1 = in_.parameters.moment1();
    args.moment2 = in_.parameters.moment2();
    args.gradient = memory_.gradients();
    args.half_parameters = in_.parameters.half();
    args.elements = op.elements;
    args.constants = op.constants;
    args.clipped = clipped_;
    args.state = memory_.state();
    args.scratch = memory_.scratch();
    update_ = args;
    update_op_ = op_;
  }

  /// The update's last block also ends the step, so both ops are one launch.
  void add(const AdvanceStep& op) {
    if (!update_) throw std::logic_error("a step ends without an update of parameters before it");
    kernels::AdvanceArgs advance;
    advance.nll = memory_.single(op.nll);
    advance.nll_stride = op.nll.stride;
    advance.nll_rows = op.nll.rows;
    advance.kl = memory_.single(op.kl);
    advance.kl_stride = op.kl.valid() ? op.kl.stride : 1;
    advance.perplexity = memory_.single(op.perplexity);
    advance.perplexity_stride = op.perplexity.stride;
    advance.groups = op.perplexity.rows;
    advance.kl_term = memory_.single(op.kl_term);
    advance.loss = memory_.single(op.loss);
    advance.loss_stride = op.loss.valid() ? op.loss.stride : 1;
    advance.batch = plan_.batch;
    advance.schedule = op.schedule;
    advance.beta1 = op.beta1;
    advance.beta2 = op.beta2;
    advance.kl_schedule = op.kl_schedule;
    advance.skip_nonfinite = op.skip_nonfinite;
    advance.ring = memory_.ring();
    advance.ring_size = memory_.ring_size();
    lowered_.advance = advance;
    kernels::UpdateArgs args = *update_;
    args.advance = advance;
    update_.reset();
    lowered_.nodes.push_back({"AdamUpdate and AdvanceStep", update_op_, 1,
                              [args](kernels::Stream stream) { kernels::launch_update(args, stream); }});
  }

  void add(const SamplePrior& op) {
    kernels::SamplePriorArgs args;
    args.z = out(op.z);
    args.batch = op.z.rows;
    args.latent_dim = op.z.cols;
    args.seed = op.seed;
    args.purpose = op.purpose;
    args.temperature = op.temperature;
    args.state = memory_.state();
    add_launch(kernels::launch_sample_prior, args);
  }

  void add(const ObservationMean& op) {
    kernels::ObservationMeanArgs args;
    args.likelihood = op.likelihood;
    args.output = memory_.in(op.output);
    args.mean = out(op.mean);
    args.batch = op.mean.rows;
    args.columns = op.mean.cols;
    add_launch(kernels::launch_observation_mean, args);
  }

  void add(const StoreRows& op) {
    kernels::StoreRowsArgs args;
    args.batch = memory_.in(op.batch);
    args.whole_stride = op.whole.stride;
    args.rows = op.batch.rows;
    args.columns = op.batch.cols;
    args.state = memory_.state();
    add_placed_launch(kernels::launch_store_rows, args,
                      [memory = &memory_, whole = op.whole](kernels::StoreRowsArgs& placed) {
                        placed.whole = memory->single(whole);
                        placed.whole_rows = memory->rows(whole);
                      });
  }

  void add(const LoadRows& op) {
    kernels::LoadRowsArgs args;
    args.batch = out(op.batch);
    args.rows = op.batch.rows;
    args.columns = op.batch.cols;
    args.state = memory_.state();
    add_placed_launch(kernels::launch_load_rows, args,
                      [memory = &memory_, whole = op.whole](kernels::LoadRowsArgs& placed) {
                        placed.whole = memory->in(whole);
                        placed.whole_rows = memory->rows(whole);
                      });
  }

  void add(const AdvancePosition& op) {
    math::StepState* state = memory_.state();
    const std::int64_t batch = op.batch;
    lowered_.nodes.push_back({name_of(plan_.ops[op_]), op_, 1, [state, batch](kernels::Stream stream) {
                                kernels::launch_advance_position(state, batch, stream);
                              }});
  }

  const LowerInputs& in_;
  const Plan& plan_;
  ProgramMemory& memory_;
  Lowered lowered_;
  Readers readers_;
  LinearLowering linear_;
  std::size_t op_ = 0;
  bool clipped_ = false;
  std::optional<kernels::UpdateArgs> update_;
  std::size_t update_op_ = 0;
};

}  // namespace

Lowered lower(const LowerInputs& inputs) {
  return Lowering(inputs).run();
}

}  // namespace vaecuda::cuda
