#include "host/cuda/lower.hpp"

#include <stdexcept>
#include <utility>

#include "host/cuda/lower_codebook.hpp"
#include "host/cuda/lower_linear.hpp"
#include "host/cuda/lower_update.hpp"
#include "host/cuda/op_launches.hpp"

namespace vaecuda::cuda {
namespace {

Placed<kernels::GatherArgs> args_of(const GatherBatch& op, const OpLaunches& at) {
  const CudaData* data = at.inputs().data;
  kernels::GatherArgs args;
  if (!op.source.valid()) {
    if (data == nullptr) throw std::logic_error("a plan that gathers rows was compiled without data");
    data->check(op.data_rows, op.x.cols, op.type);
    args.rows = data->rows();
    args.sparse = data->sparse();
  }
  args.is_u8 = op.type == ElementType::u8;
  args.data_rows = op.data_rows;
  args.x = at.out(op.x);
  if (op.condition.valid()) {
    if (op.condition_source.valid()) {
      args.label_vectors = at.single(op.condition_source);
    } else if (op.label_vectors) {
      args.label_vectors = data->label_vectors(op.condition.cols);
    } else {
      args.classes = data->classes();
    }
    args.condition_columns = op.condition.cols;
    args.condition = at.out(op.condition);
    args.decoder_condition = at.out(op.decoder_condition);
    args.samples = op.decoder_condition.valid() ? op.decoder_condition.rows / op.x.rows : 0;
  }
  args.batch = op.x.rows;
  args.columns = op.x.cols;
  args.order = op.order;
  args.binarize = op.binarize;
  args.seed = op.seed;
  args.purpose = op.purpose;
  args.scale = op.scale;
  args.mean = at.single(op.mean);
  args.inverse_deviation = at.single(op.inverse_deviation);
  args.state = at.state();
  return {args, op.source};
}

kernels::LatentForwardArgs args_of(const LatentForward& op, const OpLaunches& at) {
  kernels::LatentForwardArgs args;
  args.head = at.in(op.head);
  args.z = at.out(op.z);
  args.kl = at.row_sums(op.kl);
  args.kl_stride = OpLaunches::stride_of(op.kl);
  args.log_ratio = at.row_sums(op.log_ratio);
  args.log_ratio_stride = OpLaunches::stride_of(op.log_ratio);
  args.batch = op.head.rows;
  args.samples = op.z.rows / op.head.rows;
  args.latent_dim = op.z.cols;
  args.logvar_factor = math::logvar_factor(op.scale_head);
  args.seed = op.seed;
  args.purpose = op.purpose;
  args.sample = op.sample;
  args.state = at.state();
  args.fault = at.fault();
  return args;
}

kernels::LatentKlArgs args_of(const LatentKl& op, const OpLaunches& at) {
  if (at.memory().gradients() == nullptr) throw std::logic_error("a KL term outside of a training step");
  kernels::LatentKlArgs args;
  args.head = at.in(op.head);
  args.kl = at.row_sums(op.kl);
  args.slope = at.row_sums(op.slope);
  args.term = at.row_sums(op.term);
  args.batch = op.head.rows;
  args.latent_dim = op.kl.cols;
  args.logvar_factor = math::logvar_factor(op.scale_head);
  args.kind = op.kind;
  args.free_bits = op.free_bits;
  args.state = at.state();
  args.scratch = at.memory().scratch();
  return args;
}

kernels::OutColumn column(const OpLaunches& at, const View& view) {
  return {at.row_sums(view), OpLaunches::stride_of(view)};
}

kernels::ImportanceWeightsArgs args_of(const ImportanceWeights& op, const OpLaunches& at) {
  kernels::ImportanceWeightsArgs args;
  args.nll = at.in(op.nll);
  args.log_ratio = at.in(op.log_ratio);
  args.loss = column(at, op.loss);
  args.weights = column(at, op.weights);
  args.reconstruction = column(at, op.reconstruction);
  args.kl = column(at, op.kl);
  args.batch = op.loss.rows;
  args.samples = op.nll.rows / op.loss.rows;
  args.fault = at.fault();
  return args;
}

kernels::WeighRowsArgs args_of(const WeighRows& op, const OpLaunches& at) {
  kernels::WeighRowsArgs args;
  args.weights = at.in(op.weights);
  args.in = at.in(op.rows);
  args.out = at.out(op.rows);
  args.scale = op.scale;
  args.rows = op.rows.rows;
  args.columns = op.rows.cols;
  return args;
}

/// Without the bias that the output's layer may have left to it.
kernels::LikelihoodArgs args_of(const LikelihoodForwardBackward& op, const OpLaunches& at) {
  kernels::LikelihoodArgs args;
  args.likelihood = op.likelihood;
  args.output = at.in(op.output);
  args.x = at.in(op.x);
  args.nll = at.row_sums(op.nll);
  args.nll_stride = op.nll.stride;
  args.gradient = at.out(op.gradient);
  args.gradient_scale = op.gradient_scale;
  if (op.log_sigma >= 0) args.log_sigma = at.parameter(op.log_sigma);
  args.sigma_gradient = at.row_sums(op.sigma_gradient);
  args.sigma_gradient_stride = OpLaunches::stride_of(op.sigma_gradient);
  args.batch = op.x.rows;
  args.samples = op.output.rows / op.x.rows;
  args.columns = op.x.cols;
  args.fault = at.fault();
  return args;
}

kernels::LatentBackwardArgs args_of(const LatentBackward& op, const OpLaunches& at) {
  kernels::LatentBackwardArgs args;
  args.head = at.in(op.head);
  args.dz = at.in(op.dz);
  args.dhead = at.out(op.dhead);
  args.kl_slope = at.single(op.kl_slope);
  args.weights = at.in(op.weights);
  args.batch = op.head.rows;
  args.samples = op.dz.rows / op.head.rows;
  args.latent_dim = op.dz.cols;
  args.logvar_factor = math::logvar_factor(op.scale_head);
  args.seed = op.seed;
  args.purpose = op.purpose;
  args.gradient_scale = op.gradient_scale;
  args.state = at.state();
  return args;
}

kernels::LatentPenaltyArgs args_of(const LatentPenalty& op, const OpLaunches& at) {
  kernels::LatentPenaltyArgs args;
  args.z = at.in(op.z);
  args.penalty = at.row_sums(op.penalty);
  args.penalty_stride = op.penalty.stride;
  args.dz = at.in(op.dz);
  args.dz_out = at.out(op.dz);
  args.batch = op.z.rows;
  args.latent_dim = op.z.cols;
  args.gradient_scale = op.gradient_scale;
  args.state = at.state();
  args.fault = at.fault();
  return args;
}

kernels::SamplePriorArgs args_of(const SamplePrior& op, const OpLaunches& at) {
  kernels::SamplePriorArgs args;
  args.z = at.out(op.z);
  args.batch = op.z.rows;
  args.latent_dim = op.z.cols;
  args.seed = op.seed;
  args.purpose = op.purpose;
  args.temperature = op.temperature;
  args.state = at.state();
  return args;
}

kernels::ObservationMeanArgs args_of(const ObservationMean& op, const OpLaunches& at) {
  kernels::ObservationMeanArgs args;
  args.likelihood = op.likelihood;
  args.output = at.in(op.output);
  args.mean = at.out(op.mean);
  args.batch = op.mean.rows;
  args.columns = op.mean.cols;
  return args;
}

kernels::CountLikelihoodArgs args_of(const CountLikelihood& op, const OpLaunches& at) {
  kernels::CountLikelihoodArgs args;
  args.likelihood = op.likelihood;
  args.output = at.in(op.output);
  args.x = at.in(op.x);
  if (op.log_dispersion >= 0) args.log_dispersion = at.parameter(op.log_dispersion);
  args.nll = at.row_sums(op.nll);
  args.nll_stride = op.nll.stride;
  args.gradient = at.out(op.gradient);
  args.dispersion_gradient = at.out(op.dispersion_gradient);
  args.gradient_scale = op.gradient_scale;
  args.batch = op.x.rows;
  args.samples = op.output.rows / op.x.rows;
  args.columns = op.x.cols;
  args.fault = at.fault();
  return args;
}

kernels::CountMeanArgs args_of(const CountMean& op, const OpLaunches& at) {
  kernels::CountMeanArgs args;
  args.likelihood = op.likelihood;
  args.output = at.in(op.output);
  args.x = at.in(op.x);
  args.sum = op.sum;
  args.mean = at.out(op.mean);
  args.batch = op.mean.rows;
  args.columns = op.mean.cols;
  return args;
}

kernels::TransformInputArgs args_of(const TransformInput& op, const OpLaunches& at) {
  kernels::TransformInputArgs args;
  args.kind = op.kind;
  args.x = at.in(op.x);
  args.out = at.out(op.out);
  args.batch = op.x.rows;
  args.columns = op.x.cols;
  return args;
}

Placed<kernels::StoreRowsArgs> args_of(const StoreRows& op, const OpLaunches& at) {
  kernels::StoreRowsArgs args;
  args.batch = at.in(op.batch);
  args.rows = op.batch.rows;
  args.columns = op.batch.cols;
  args.state = at.state();
  return {args, op.whole};
}

Placed<kernels::LoadRowsArgs> args_of(const LoadRows& op, const OpLaunches& at) {
  kernels::LoadRowsArgs args;
  args.batch = at.out(op.batch);
  args.rows = op.batch.rows;
  args.columns = op.batch.cols;
  args.state = at.state();
  return {args, op.whole};
}

kernels::AdvancePositionArgs args_of(const AdvancePosition& op, const OpLaunches& at) {
  return {at.state(), op.batch};
}

class Lowering {
 public:
  explicit Lowering(const LowerInputs& in)
      : plan_(in.plan),
        readers_(in.plan, in.precision == Precision::bf16),
        at_(in, readers_, nodes_),
        linear_(at_, readers_) {}

  std::vector<Node> run() {
    for (std::size_t i = 0; i < plan_.ops.size(); ++i) {
      at_.begin(i);
      std::visit([this](const auto& o) { add(o); }, plan_.ops[i]);
    }
    return std::move(nodes_);
  }

 private:
  /// An op that is one launch.
  template <typename O>
  void add(const O& op) {
    at_.add(args_of(op, at_));
  }

  void add(const Linear& op) { linear_.add(op); }
  void add(const LinearBackward& op) { linear_.add(op); }
  void add(const ParameterGradient& op) { linear_.add(op); }

  void add(const LikelihoodForwardBackward& op) {
    kernels::LikelihoodArgs args = args_of(op, at_);
    args.bias = linear_.left_bias(op.output);
    at_.add(args);
  }

  void add(const GradNorm& op) {
    linear_.add_bias_gradients();
    at_.add(args_of(op, at_));
  }
  /// The update's last block also ends the step, so both ops are one launch.
  void add(const AdamUpdate&) { linear_.add_bias_gradients(); }
  void add(const AdvanceStep& op) {
    at_.add("AdamUpdate and AdvanceStep", args_of(op, at_), at_.end().update.place);
  }

  const Plan& plan_;
  std::vector<Node> nodes_;
  Readers readers_;
  OpLaunches at_;
  LinearLowering linear_;
};

}  // namespace

std::vector<Node> lower(const LowerInputs& inputs) {
  return Lowering(inputs).run();
}

}  // namespace vaecuda::cuda
