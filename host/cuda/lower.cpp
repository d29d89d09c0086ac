#include "host/cuda/lower.hpp"

#include <optional>
#include <stdexcept>
#include <utility>

#include "host/cuda/lower_codebook.hpp"
#include "host/cuda/lower_linear.hpp"
#include "host/cuda/lower_update.hpp"
#include "host/cuda/op_launches.hpp"
#include "kernels/gather.hpp"
#include "kernels/importance.hpp"
#include "kernels/latent.hpp"
#include "kernels/likelihood.hpp"
#include "kernels/rows.hpp"

namespace vaecuda::cuda {
namespace {

class Lowering {
 public:
  explicit Lowering(const LowerInputs& in)
      : in_(in),
        memory_(in.memory),
        parameters_(in.parameters),
        readers_(in.plan, in.precision == Precision::bf16),
        at_(in, readers_, lowered_),
        linear_(in, readers_, lowered_),
        codebook_(at_),
        end_(find_step_end(in.plan)),
        update_(at_, end_ ? &*end_ : nullptr, linear_, lowered_) {}

  Lowered run() {
    for (std::size_t i = 0; i < in_.plan.ops.size(); ++i) {
      at_.begin(i);
      std::visit([this](const auto& o) { add(o); }, in_.plan.ops[i]);
    }
    return std::move(lowered_);
  }

 private:
  void add(const GatherBatch& op) {
    kernels::GatherArgs args;
    if (!op.source.valid()) {
      if (in_.data == nullptr) throw std::logic_error("a plan that gathers rows was compiled without data");
      in_.data->check(op.data_rows, op.x.cols, op.type);
      args.rows = in_.data->rows();
    }
    args.is_u8 = op.type == ElementType::u8;
    args.data_rows = op.data_rows;
    args.x = at_.out(op.x);
    if (op.condition.valid()) {
      if (op.condition_source.valid()) {
        args.label_vectors = memory_.single(op.condition_source);
      } else if (op.label_vectors) {
        args.label_vectors = in_.data->label_vectors(op.condition.cols);
      } else {
        args.classes = in_.data->classes();
      }
      args.condition_columns = op.condition.cols;
      args.condition = at_.out(op.condition);
      args.decoder_condition = at_.out(op.decoder_condition);
      args.samples = op.decoder_condition.valid() ? op.decoder_condition.rows / op.x.rows : 0;
    }
    args.batch = op.x.rows;
    args.columns = op.x.cols;
    args.order = op.order;
    args.binarize = op.binarize;
    args.seed = op.seed;
    args.purpose = op.purpose;
    args.scale = op.scale;
    args.mean = memory_.single(op.mean);
    args.inverse_deviation = memory_.single(op.inverse_deviation);
    args.state = memory_.state();
    if (!op.source.valid()) return at_.add(args);
    at_.add_placed(args, [memory = &memory_, source = op.source](kernels::GatherArgs& placed) {
      placed.rows = memory->single(source);
      placed.data_rows = memory->rows(source);
    });
  }

  void add(const Linear& op) { linear_.add_forward(at_.op(), op); }
  void add(const LinearBackward& op) { linear_.add_backward(at_.op(), op); }
  void add(const ParameterGradient& op) { linear_.add_parameter_gradient(op); }
  void add(const VectorQuantize& op) { codebook_.add(op); }
  void add(const VectorQuantizeBackward& op) { codebook_.add(op); }
  void add(const CodebookGradient& op) { codebook_.add(op); }
  void add(const CodebookAverage& op) { codebook_.add(op); }
  void add(const LookUpCodes& op) { codebook_.add(op); }
  void add(const SampleCodes& op) { codebook_.add(op); }
  void add(const GradNorm& op) { update_.add(op); }
  void add(const AdamUpdate& op) { update_.add(op); }
  void add(const AdvanceStep& op) { update_.add(op); }

  void add(const LatentForward& op) {
    kernels::LatentForwardArgs args;
    args.head = memory_.in(op.head);
    args.z = at_.out(op.z);
    args.kl = at_.row_sums(op.kl);
    args.kl_stride = OpLaunches::stride_of(op.kl);
    args.log_ratio = at_.row_sums(op.log_ratio);
    args.log_ratio_stride = OpLaunches::stride_of(op.log_ratio);
    args.batch = op.head.rows;
    args.samples = op.z.rows / op.head.rows;
    args.latent_dim = op.z.cols;
    args.logvar_factor = math::logvar_factor(op.scale_head);
    args.seed = op.seed;
    args.purpose = op.purpose;
    args.sample = op.sample;
    args.state = memory_.state();
    args.fault = at_.fault();
    at_.add(args);
  }

  void add(const LatentKl& op) {
    if (memory_.gradients() == nullptr) throw std::logic_error("a KL term outside of a training step");
    kernels::LatentKlArgs args;
    args.head = memory_.in(op.head);
    args.kl = at_.row_sums(op.kl);
    args.slope = at_.row_sums(op.slope);
    args.term = at_.row_sums(op.term);
    args.batch = op.head.rows;
    args.latent_dim = op.kl.cols;
    args.logvar_factor = math::logvar_factor(op.scale_head);
    args.kind = op.kind;
    args.free_bits = op.free_bits;
    args.state = memory_.state();
    args.scratch = memory_.scratch();
    at_.add(args);
  }

  [[nodiscard]] kernels::OutColumn column(const View& view) const {
    return {at_.row_sums(view), OpLaunches::stride_of(view)};
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
    args.fault = at_.fault();
    at_.add(args);
  }

  void add(const WeighRows& op) {
    kernels::WeighRowsArgs args;
    args.weights = memory_.in(op.weights);
    args.in = memory_.in(op.rows);
    args.out = at_.out(op.rows);
    args.scale = op.scale;
    args.rows = op.rows.rows;
    args.columns = op.rows.cols;
    at_.add(args);
  }

  void add(const LikelihoodForwardBackward& op) {
    kernels::LikelihoodArgs args;
    args.likelihood = op.likelihood;
    args.output = memory_.in(op.output);
    args.bias = linear_.left_bias(at_.op(), op.output);
    args.x = memory_.in(op.x);
    args.nll = at_.row_sums(op.nll);
    args.nll_stride = op.nll.stride;
    args.gradient = at_.out(op.gradient);
    args.gradient_scale = op.gradient_scale;
    if (op.log_sigma >= 0) args.log_sigma = parameters_.parameters() + op.log_sigma;
    args.sigma_gradient = at_.row_sums(op.sigma_gradient);
    args.sigma_gradient_stride = OpLaunches::stride_of(op.sigma_gradient);
    args.batch = op.x.rows;
    args.samples = op.output.rows / op.x.rows;
    args.columns = op.x.cols;
    args.fault = at_.fault();
    at_.add(args);
  }

  void add(const LatentBackward& op) {
    kernels::LatentBackwardArgs args;
    args.head = memory_.in(op.head);
    args.dz = memory_.in(op.dz);
    args.dhead = at_.out(op.dhead);
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
    at_.add(args);
  }

  void add(const LatentPenalty& op) {
    kernels::LatentPenaltyArgs args;
    args.z = memory_.in(op.z);
    args.penalty = at_.row_sums(op.penalty);
    args.penalty_stride = op.penalty.stride;
    args.dz = memory_.in(op.dz);
    args.dz_out = at_.out(op.dz);
    args.batch = op.z.rows;
    args.latent_dim = op.z.cols;
    args.gradient_scale = op.gradient_scale;
    args.state = memory_.state();
    args.fault = at_.fault();
    at_.add(args);
  }

  void add(const SamplePrior& op) {
    kernels::SamplePriorArgs args;
    args.z = at_.out(op.z);
    args.batch = op.z.rows;
    args.latent_dim = op.z.cols;
    args.seed = op.seed;
    args.purpose = op.purpose;
    args.temperature = op.temperature;
    args.state = memory_.state();
    at_.add(args);
  }

  void add(const ObservationMean& op) {
    kernels::ObservationMeanArgs args;
    args.likelihood = op.likelihood;
    args.output = memory_.in(op.output);
    args.mean = at_.out(op.mean);
    args.batch = op.mean.rows;
    args.columns = op.mean.cols;
    at_.add(args);
  }

  void add(const StoreRows& op) {
    kernels::StoreRowsArgs args;
    args.batch = memory_.in(op.batch);
    args.whole_stride = op.whole.stride;
    args.rows = op.batch.rows;
    args.columns = op.batch.cols;
    args.state = memory_.state();
    at_.add_placed(args, [memory = &memory_, whole = op.whole](kernels::StoreRowsArgs& placed) {
      placed.whole = memory->single(whole);
      placed.whole_rows = memory->rows(whole);
    });
  }

  void add(const LoadRows& op) {
    kernels::LoadRowsArgs args;
    args.batch = at_.out(op.batch);
    args.rows = op.batch.rows;
    args.columns = op.batch.cols;
    args.state = memory_.state();
    at_.add_placed(args, [memory = &memory_, whole = op.whole](kernels::LoadRowsArgs& placed) {
      placed.whole = memory->in(whole);
      placed.whole_rows = memory->rows(whole);
    });
  }

  void add(const AdvancePosition& op) { at_.add(kernels::AdvancePositionArgs{memory_.state(), op.batch}); }

  const LowerInputs& in_;
  ProgramMemory& memory_;
  CudaParameters& parameters_;
  Lowered lowered_;
  Readers readers_;
  OpLaunches at_;
  LinearLowering linear_;
  CodebookLowering codebook_;
  std::optional<StepEnd> end_;
  UpdateLowering update_;
};

}  // namespace

Lowered lower(const LowerInputs& inputs) {
  return Lowering(inputs).run();
}

}  // namespace vaecuda::cuda
