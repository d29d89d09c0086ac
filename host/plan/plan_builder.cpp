#include "host/plan/plan_builder.hpp"

#include <cmath>
#include <stdexcept>

#include "host/config/enumerators.hpp"
#include "host/config/likelihood_traits.hpp"
#include "host/latents/latent.hpp"
#include "host/plan/exchanged.hpp"

namespace vaecuda {
namespace {

constexpr int kBeforeActivations = 1;  // the identity, of layers without one

math::LikelihoodParameters likelihood_parameters(const ModelConfig& model) {
  math::LikelihoodParameters parameters;
  parameters.kind = kind_of(model.likelihood);
  parameters.source = config::same_as<math::SigmaSource>(model.sigma_source.value());
  parameters.log_sigma = static_cast<float>(std::log(model.sigma));
  parameters.inverse_sigma = static_cast<float>(1.0 / model.sigma);
  return parameters;
}

math::CountParameters count_parameters(const ModelConfig& model) {
  return {.kind = kind_of(model.likelihood),
          .rate = rates_are_shares(model) ? math::Rate::softmax : math::Rate::softplus,
          .dispersion = config::same_as<math::Dispersion>(model.dispersion.value()),
          .of_row_sum = rates_have_row_sum(model)};
}

LinearParameters parameters_of(const Layer& layer) {
  return LinearParameters{
      .name = layer.name, .out = layer.out, .in = layer.in, .weight = layer.weight, .bias = layer.bias};
}

}  // namespace

PlanBuilder::PlanBuilder(const ParameterLayout& layout, const ModelConfig& model, std::string name,
                         std::int64_t batch)
    : layout_(layout),
      model_(model),
      activation_(config::same_as<math::ActivationKind, kBeforeActivations>(model.activation)),
      likelihood_(likelihood_parameters(model)),
      counts_(count_parameters(model)),
      has_counts_(traits_of(model.likelihood).domain == ValueDomain::count),
      data_dim_(model.input_dim),
      latent_dim_(model.latent_dim),
      condition_dim_(model.condition_dim) {
  plan_.name = std::move(name);
  plan_.batch = batch;
  plan_.parameter_size = layout.size;
}

const Latent& PlanBuilder::latent() const {
  return latent_of(layout_.latent().kind);
}

View PlanBuilder::activation(const std::string& name, std::int64_t rows, std::int64_t cols) {
  return plan_.whole(plan_.add_buffer(name, BufferKind::activation, rows, cols));
}

View PlanBuilder::exchange(const std::string& name, std::int64_t rows, std::int64_t cols) {
  return plan_.whole(plan_.add_buffer(name, BufferKind::exchange, rows, cols));
}

View PlanBuilder::constant(const std::string& name, const std::vector<float>& values) {
  if (values.empty()) return View{};
  const int buffer =
      plan_.add_buffer(name, BufferKind::constant, 1, static_cast<std::int64_t>(values.size()));
  plan_.buffers[static_cast<std::size_t>(buffer)].values = values;
  return plan_.whole(buffer);
}

View PlanBuilder::aligned(const std::string& name, std::int64_t rows, std::int64_t cols) {
  constexpr std::int64_t kFloats = 4;
  return Plan::columns(activation(name, rows, (cols + kFloats - 1) / kFloats * kFloats), 0, cols);
}

View PlanBuilder::code(std::int64_t rows) {
  if (condition_dim_ == 0) return activation("z", rows, latent_dim_);
  return Plan::columns(decoder_input(rows), 0, latent_dim_);
}

View PlanBuilder::decoder_input(std::int64_t rows) {
  if (!decoder_in_.valid()) decoder_in_ = aligned("[z|c]", rows, latent_dim_ + condition_dim_);
  return decoder_in_;
}

View PlanBuilder::with_condition(View values, View both) const {
  if (condition_dim_ == 0) return values;
  if (values.buffer != both.buffer) throw std::logic_error("values that lie apart from their condition");
  return both;
}

void PlanBuilder::load_condition(std::int64_t rows) {
  if (condition_dim_ == 0) return;
  add(LoadRows{exchange(exchanged::kCondition, rows, condition_dim_),
               Plan::columns(decoder_input(plan_.batch), latent_dim_, condition_dim_)});
}

View PlanBuilder::gather(const Preparation& preparation, DataShape data, RowOrder order, std::uint64_t seed,
                         std::int64_t samples) {
  GatherBatch op;
  if (data.exchanged) op.source = exchange(exchanged::kRaw, data.rows, data_dim_);
  const auto transform = config::same_as<math::InputTransform>(model_.input_transform.value());
  const bool is_transformed = transform != math::InputTransform::none;
  if (condition_dim_ > 0) {
    encoder_in_ = aligned("[x|c]", plan_.batch, data_dim_ + condition_dim_);
    op.x = is_transformed ? activation("x", data_dim_) : Plan::columns(encoder_in_, 0, data_dim_);
    op.condition = Plan::columns(encoder_in_, data_dim_, condition_dim_);
    op.label_vectors = data.label_vectors || data.exchanged;
    if (data.exchanged) op.condition_source = exchange(exchanged::kCondition, data.rows, condition_dim_);
    if (samples > 0) {
      op.decoder_condition = Plan::columns(decoder_input(plan_.batch * samples), latent_dim_, condition_dim_);
    }
  } else {
    op.x = activation("x", data_dim_);
    if (is_transformed) encoder_in_ = activation("encoder input", data_dim_);
  }
  op.order = order;
  op.data_rows = data.rows;
  op.type = data.type;
  op.sparse_row_bytes = data.sparse_row_bytes;
  op.seed = seed;
  op.scale = preparation.scale;
  op.mean = constant("data.mean", preparation.mean);
  op.inverse_deviation = constant("data.inverse_deviation", preparation.inverse_deviation);
  op.binarize = preparation.binarize;
  op.purpose =
      order == RowOrder::shuffled ? math::RandomPurpose::binarize : math::RandomPurpose::evaluate_binarize;
  add(op);
  if (is_transformed) add(TransformInput{transform, op.x, Plan::columns(encoder_in_, 0, data_dim_)});
  return op.x;
}

PlanBuilder::Network PlanBuilder::network(const NetworkLayout& layers, View in, bool keep, View out) {
  Network result;
  for (const Layer& layer : layers.hidden) {
    Linear op;
    op.in = in;
    op.layer = parameters_of(layer);
    op.out = activation(layer.name, in.rows, layer.out);
    op.activation = activation_;
    if (keep && math::saves_preactivation(activation_))
      op.preactivation = activation(layer.name + ".pre", in.rows, layer.out);
    add(op);
    result.hidden.push_back({in, op.out, op.preactivation.valid() ? op.preactivation : op.out});
    in = op.out;
  }
  Linear op;
  op.in = in;
  op.layer = parameters_of(layers.top);
  op.out = out.valid() ? out : activation(layers.top.name, in.rows, layers.top.out);
  add(op);
  result.in = in;
  result.out = op.out;
  return result;
}

PlanBuilder::Network PlanBuilder::encoder(View x, bool keep) {
  const bool is_code = latent().head_is_code() && decoder_in_.valid();
  return network(layout_.network("encoder"), encoder_in_.valid() ? encoder_in_ : x, keep,
                 is_code ? code(x.rows) : View{});
}

PlanBuilder::Network PlanBuilder::decoder(View z, bool keep) {
  return network(layout_.network("decoder"), with_condition(z, decoder_in_), keep);
}

ImportanceWeights PlanBuilder::importance_weights(View nll, View log_ratio, bool training) {
  ImportanceWeights op;
  op.nll = nll;
  op.log_ratio = log_ratio;
  op.loss = activation("loss", 1);
  op.reconstruction = activation("reconstruction", 1);
  op.kl = activation("weighted_kl", 1);
  if (training) op.weights = activation("weights", nll.rows, 1);
  add(op);
  return op;
}

PlanBuilder::Reconstruction PlanBuilder::likelihood(View output, View x,
                                                    std::optional<float> gradient_scale) {
  return has_counts_ ? count_likelihood(output, x, gradient_scale)
                     : element_likelihood(output, x, gradient_scale);
}

PlanBuilder::Reconstruction PlanBuilder::element_likelihood(View output, View x,
                                                            std::optional<float> gradient_scale) {
  LikelihoodForwardBackward op;
  op.likelihood = likelihood_;
  op.output = output;
  op.x = x;
  op.nll = activation("nll", output.rows, 1);
  op.log_sigma = layout_.log_sigma;
  if (gradient_scale) {
    op.gradient = output;  // the output itself is not needed again
    op.gradient_scale = *gradient_scale;
    if (op.log_sigma >= 0) op.sigma_gradient = activation("dlog_sigma", output.rows, 1);
  }
  add(op);
  return {op.nll, op.gradient, op.sigma_gradient};
}

PlanBuilder::Reconstruction PlanBuilder::count_likelihood(View output, View x,
                                                          std::optional<float> gradient_scale) {
  CountLikelihood op;
  op.likelihood = counts_;
  op.output = output;
  op.x = x;
  op.nll = activation("nll", output.rows, 1);
  op.log_dispersion = layout_.log_dispersion;
  if (gradient_scale) {
    op.gradient = activation("doutput", output.rows, output.cols);
    op.gradient_scale = *gradient_scale;
    if (op.log_dispersion >= 0)
      op.dispersion_gradient = activation("dlog_dispersion", output.rows, layout_.dispersions);
  }
  add(op);
  return {op.nll, op.gradient, op.dispersion_gradient};
}

void PlanBuilder::likelihood_backward(const Reconstruction& reconstruction) {
  if (!reconstruction.parameter_gradient.valid()) return;
  if (has_counts_) {
    add(ParameterGradient{"likelihood.log_dispersion", reconstruction.parameter_gradient,
                          layout_.log_dispersion});
  } else {
    add(ParameterGradient{"likelihood.log_sigma", reconstruction.parameter_gradient, layout_.log_sigma});
  }
}

View PlanBuilder::backward(const NetworkLayout& layers, const Network& network, View d,
                           const std::string& input_name) {
  // i counts the layers below the one that is taken back.
  for (std::size_t i = layers.hidden.size() + 1; i-- > 0;) {
    const bool is_top = i == layers.hidden.size();
    LinearBackward op;
    op.d = d;
    op.in = is_top ? network.in : network.hidden[i].in;
    op.layer = parameters_of(is_top ? layers.top : layers.hidden[i]);
    if (i > 0) {
      op.dx = activation("d" + layers.hidden[i - 1].name, d.rows, op.layer.in);
      op.activation = activation_;
      op.saved = network.hidden[i - 1].saved;
    } else if (!input_name.empty()) {
      op.dx = activation(input_name, d.rows, op.layer.in);
    }
    add(op);
    d = op.dx;
  }
  return d;
}

View PlanBuilder::decoder_backward(const Network& network, View d) {
  // Nobody wants the condition's gradient, which comes behind that of the code.
  return Plan::columns(backward(layout_.network("decoder"), network, d, "dz"), 0, latent_dim_);
}

void PlanBuilder::encoder_backward(const Network& network, View d) {
  backward(layout_.network("encoder"), network, d, "");
}

void PlanBuilder::observation_mean(View z, std::int64_t rows, View x) {
  const View output = decoder(z, false).out;
  View mean;
  if (has_counts_) {
    mean = activation("mean", output.rows, data_dim_);
    add(CountMean{counts_, output, x, mean, static_cast<float>(model_.row_sum)});
  } else {
    mean = Plan::columns(output, 0, data_dim_);
    add(ObservationMean{likelihood_, mean, mean});
  }
  store(mean, exchanged::kMean, rows);
}

void PlanBuilder::store(View batch, const std::string& name, std::int64_t rows) {
  add(StoreRows{batch, exchange(name, rows, batch.cols)});
}

Plan PlanBuilder::finish() {
  check_plan(plan_);
  return std::move(plan_);
}

Plan PlanBuilder::finish_inference() {
  add(AdvancePosition{plan_.batch});
  return finish();
}

}  // namespace vaecuda
