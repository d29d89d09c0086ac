#include "host/plan/plan_builder.hpp"

#include <cmath>

namespace vaecuda {
namespace {

math::ActivationKind activation_kind(Activation activation) {
  switch (activation) {
    case Activation::relu:
      return math::ActivationKind::relu;
    case Activation::tanh:
      return math::ActivationKind::tanh;
    case Activation::leaky_relu:
      return math::ActivationKind::leaky_relu;
    case Activation::gelu:
      return math::ActivationKind::gelu;
    case Activation::gelu_tanh:
      return math::ActivationKind::gelu_tanh;
    case Activation::silu:
      return math::ActivationKind::silu;
  }
  return math::ActivationKind::identity;
}

math::LikelihoodParameters likelihood_parameters(const ModelConfig& model) {
  math::LikelihoodParameters parameters;
  if (model.likelihood == Likelihood::gaussian) {
    parameters.kind = math::LikelihoodKind::gaussian;
    parameters.inverse_variance = static_cast<float>(1.0 / (model.sigma * model.sigma));
    parameters.log_normalizer = static_cast<float>(std::log(model.sigma) + 0.91893853320467274);  // ½·log 2π
  }
  return parameters;
}

LinearParameters parameters_of(const Layer& layer) {
  return LinearParameters{layer.name, layer.out, layer.in, layer.weight, layer.bias};
}

}  // namespace

PlanBuilder::PlanBuilder(const ParameterLayout& layout, const ModelConfig& model, std::string name,
                         std::int64_t batch)
    : layout_(layout),
      activation_(activation_kind(model.activation)),
      likelihood_(likelihood_parameters(model)),
      latent_(model.latent),
      scale_head_(model.logvar_head == LogvarHead::logsigma ? math::ScaleHead::logsigma
                                                            : math::ScaleHead::logvar),
      latent_dim_(model.latent_dim) {
  plan_.name = std::move(name);
  plan_.batch = batch;
  plan_.parameter_size = layout.size;
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

View PlanBuilder::gather(const Preparation& preparation, DataShape data, RowOrder order, std::uint64_t seed) {
  GatherBatch op;
  op.x = activation("x", layout_.output.out);
  if (data.exchanged) op.source = exchange("rows.raw", data.rows, layout_.output.out);
  op.order = order;
  op.data_rows = data.rows;
  op.type = data.type;
  op.seed = seed;
  op.scale = preparation.scale;
  op.mean = constant("data.mean", preparation.mean);
  op.inverse_deviation = constant("data.inverse_deviation", preparation.inverse_deviation);
  op.binarize = preparation.binarize;
  op.purpose =
      order == RowOrder::shuffled ? math::RandomPurpose::binarize : math::RandomPurpose::evaluate_binarize;
  add(op);
  return op.x;
}

PlanBuilder::Network PlanBuilder::network(const std::vector<Layer>& layers, const Layer& top, View in,
                                          const std::string& name, bool keep) {
  Network result;
  for (const Layer& layer : layers) {
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
  op.layer = parameters_of(top);
  op.out = activation(name, in.rows, top.out);
  add(op);
  result.in = in;
  result.out = op.out;
  return result;
}

PlanBuilder::Network PlanBuilder::encoder(View x, bool keep) {
  return network(layout_.encoder, layout_.head, x, "head", keep);
}

PlanBuilder::Network PlanBuilder::decoder(View z, bool keep) {
  return network(layout_.decoder, layout_.output, z, "output", keep);
}

PlanBuilder::Latent PlanBuilder::latent(View head, std::uint64_t seed, math::RandomPurpose purpose,
                                        std::int64_t samples) {
  if (latent_ == LatentKind::deterministic) return {head, View{}, View{}, View{}};
  if (latent_ == LatentKind::vq) return quantize(head);
  LatentForward op;
  op.head = head;
  op.z = activation("z", head.rows * samples, latent_dim_);
  op.kl = activation("kl", 1);
  op.scale_head = scale_head_;
  op.seed = seed;
  op.purpose = purpose;
  add(op);
  return {op.z, op.kl, View{}, View{}};
}

View PlanBuilder::latent_mean(View head) {
  if (latent_ == LatentKind::deterministic) return head;
  if (latent_ == LatentKind::vq) return quantize(head).z;
  LatentForward op;
  op.head = head;
  op.z = activation("z", latent_dim_);
  op.scale_head = scale_head_;
  op.sample = false;
  add(op);
  return op.z;
}

LikelihoodForwardBackward PlanBuilder::likelihood(View output, View x, std::optional<float> gradient_scale) {
  LikelihoodForwardBackward op;
  op.likelihood = likelihood_;
  op.output = output;
  op.x = x;
  op.nll = activation("nll", output.rows, 1);
  if (gradient_scale) {
    op.gradient = output;  // the output itself is not needed again
    op.gradient_scale = *gradient_scale;
  }
  add(op);
  return op;
}

View PlanBuilder::latent_backward(const Latent& latent, View head, View dz, std::uint64_t seed,
                                  float gradient_scale) {
  if (!latent.kl.valid()) return dz;  // the code is the head
  LatentBackward op;
  op.head = head;
  op.dz = dz;
  op.dhead = activation("dhead", head.cols);
  op.scale_head = scale_head_;
  op.seed = seed;
  op.purpose = math::RandomPurpose::latent;
  op.gradient_scale = gradient_scale;
  add(op);
  return op.dhead;
}

View PlanBuilder::latent_penalty(View z, View dz, float gradient_scale) {
  LatentPenalty op;
  op.z = z;
  op.penalty = activation("penalty", 1);
  op.dz = dz;
  op.gradient_scale = gradient_scale;
  add(op);
  return op.penalty;
}

View PlanBuilder::backward(const std::vector<Layer>& layers, const Layer& top, const Network& network, View d,
                           const std::string& input_name) {
  // i counts the layers below the one that is taken back.
  for (std::size_t i = layers.size() + 1; i-- > 0;) {
    const bool is_top = i == layers.size();
    LinearBackward op;
    op.d = d;
    op.in = is_top ? network.in : network.hidden[i].in;
    op.layer = parameters_of(is_top ? top : layers[i]);
    if (i > 0) {
      op.dx = activation("d" + layers[i - 1].name, d.rows, op.layer.in);
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
  return backward(layout_.decoder, layout_.output, network, d, "dz");
}

void PlanBuilder::encoder_backward(const Network& network, View d) {
  backward(layout_.encoder, layout_.head, network, d, "");
}

void PlanBuilder::observation_mean(View z, std::int64_t rows) {
  const View output = decoder(z, false).out;
  add(ObservationMean{likelihood_, output, output});
  store(output, "rows.mean", rows);
}

void PlanBuilder::store(View batch, const std::string& name, std::int64_t rows) {
  add(StoreRows{batch, exchange(name, rows, batch.cols)});
}

Plan PlanBuilder::finish() {
  check_plan(plan_);
  place_activations(plan_, lifetimes_in_order(plan_));
  return std::move(plan_);
}

Plan PlanBuilder::finish_inference() {
  add(AdvancePosition{plan_.batch});
  return finish();
}

}  // namespace vaecuda
