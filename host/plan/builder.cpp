#include "host/plan/builder.hpp"

#include <fmt/format.h>

#include <cmath>

#include "vaecuda/error.hpp"

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

math::Schedule schedule_of(const OptimizerConfig& optimizer, const TrainingPlanInputs& inputs) {
  math::Schedule schedule;
  const std::int64_t batch = inputs.config.train.batch_size;
  schedule.lr = optimizer.lr;
  schedule.min_fraction = optimizer.schedule.min_fraction;
  schedule.gamma = optimizer.schedule.gamma;
  schedule.warmup_steps = optimizer.schedule.warmup_steps;
  schedule.total_steps = inputs.total_steps;
  schedule.rows = inputs.data.rows;
  schedule.batch = batch;
  switch (optimizer.schedule.kind) {
    case LrScheduleKind::constant:
      schedule.kind = math::ScheduleKind::constant;
      break;
    case LrScheduleKind::cosine:
      schedule.kind = math::ScheduleKind::cosine;
      break;
    case LrScheduleKind::exponential:
      schedule.kind = math::ScheduleKind::exponential;
      break;
    case LrScheduleKind::stages:
      schedule.kind = math::ScheduleKind::stages;
      break;
  }
  if (optimizer.schedule.stages.size() > static_cast<std::size_t>(math::kMaxStages)) {
    throw ConfigError(fmt::format("--lr-schedule stages: {} stages, but at most {} are possible",
                                  optimizer.schedule.stages.size(), math::kMaxStages));
  }
  schedule.stage_count = static_cast<int>(optimizer.schedule.stages.size());
  for (std::size_t i = 0; i < optimizer.schedule.stages.size(); ++i) {
    const LrStage& stage = optimizer.schedule.stages[i];
    // Epoch e ends after step ceil(e·N/B); the stage starts with the next one.
    schedule.stage_step[i] = (stage.epoch * inputs.data.rows + batch - 1) / batch;
    schedule.stage_lr[i] = stage.lr;
  }
  return schedule;
}

/// A plan under construction: the pieces that its passes share.
class Builder {
 public:
  Builder(const ParameterLayout& layout, const ModelConfig& model, std::string name, std::int64_t batch)
      : layout_(layout),
        activation_(activation_kind(model.activation)),
        likelihood_(likelihood_parameters(model)),
        latent_dim_(model.latent_dim) {
    plan_.name = std::move(name);
    plan_.batch = batch;
    plan_.parameter_size = layout.size;
  }

  /// What the forward pass of one hidden layer leaves for the backward pass.
  struct Hidden {
    View in;
    View out;
    View saved;
  };

  View activation(const std::string& name, std::int64_t cols) {
    return plan_.whole(plan_.add_buffer(name, BufferKind::activation, plan_.batch, cols));
  }

  View exchange(const std::string& name, std::int64_t rows, std::int64_t cols) {
    return plan_.whole(plan_.add_buffer(name, BufferKind::exchange, rows, cols));
  }

  View constant(const std::string& name, const std::vector<float>& values) {
    if (values.empty()) return View{};
    const int buffer =
        plan_.add_buffer(name, BufferKind::constant, 1, static_cast<std::int64_t>(values.size()));
    plan_.buffers[static_cast<std::size_t>(buffer)].values = values;
    return plan_.whole(buffer);
  }

  View gather(const Preparation& preparation, DataShape data, RowOrder order, std::uint64_t seed) {
    GatherBatch op;
    op.x = activation("x", layout_.output.out);
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
    plan_.ops.emplace_back(op);
    return op.x;
  }

  /// Hidden layers of one side; `keep` where a backward pass will need the pre-activations.
  std::vector<Hidden> hidden_layers(const std::vector<Layer>& layers, View in, bool keep) {
    std::vector<Hidden> hidden;
    for (const Layer& layer : layers) {
      Linear op;
      op.in = in;
      op.layer = parameters_of(layer);
      op.out = activation(layer.name, layer.out);
      op.activation = activation_;
      if (keep && math::saves_preactivation(activation_))
        op.preactivation = activation(layer.name + ".pre", layer.out);
      plan_.ops.emplace_back(op);
      hidden.push_back({in, op.out, op.preactivation.valid() ? op.preactivation : op.out});
      in = op.out;
    }
    return hidden;
  }

  View linear(const Layer& layer, View in, const std::string& name) {
    Linear op;
    op.in = in;
    op.layer = parameters_of(layer);
    op.out = activation(name, layer.out);
    plan_.ops.emplace_back(op);
    return op.out;
  }

  /// The gradient by the layer's input, by the pre-activation of the hidden layer below (`below`, may be
  /// null).
  View backward(const Layer& layer, View d, View in, const Hidden* below, const std::string& name,
                bool wants_dx = true) {
    LinearBackward op;
    op.d = d;
    op.in = in;
    op.layer = parameters_of(layer);
    if (wants_dx) op.dx = activation(name, layer.in);
    if (below != nullptr) {
      op.activation = activation_;
      op.saved = below->saved;
    }
    plan_.ops.emplace_back(op);
    return op.dx;
  }

  /// Back through hidden layers from the gradient by the last one's pre-activation. Gives the gradient by the
  /// first one's input, or an invalid view where that is the data.
  View hidden_backward(const std::vector<Layer>& layers, const std::vector<Hidden>& hidden, View d,
                       bool wants_dx) {
    for (std::size_t i = layers.size(); i-- > 0;) {
      const Hidden* below = i > 0 ? &hidden[i - 1] : nullptr;
      d = backward(layers[i], d, hidden[i].in, below, "d" + (i > 0 ? layers[i - 1].name : std::string("z")),
                   i > 0 || wants_dx);
    }
    return d;
  }

  LatentForward latent(View head, std::uint64_t seed, math::RandomPurpose purpose, bool sample) {
    LatentForward op;
    op.head = head;
    op.z = activation("z", latent_dim_);
    op.kl = activation("kl", 1);
    op.seed = seed;
    op.purpose = purpose;
    op.sample = sample;
    plan_.ops.emplace_back(op);
    return op;
  }

  View observation_mean(View z, std::int64_t rows) {
    const std::vector<Hidden> hidden = hidden_layers(layout_.decoder, z, false);
    const View output = linear(layout_.output, hidden.empty() ? z : hidden.back().out, "output");
    plan_.ops.emplace_back(ObservationMean{likelihood_, output, output});
    store(output, "rows.mean", rows);
    return output;
  }

  void store(View batch, const std::string& name, std::int64_t rows) {
    plan_.ops.emplace_back(StoreRows{batch, exchange(name, rows, batch.cols)});
  }

  Plan finish_inference() {
    plan_.ops.emplace_back(AdvancePosition{plan_.batch});
    return finish();
  }

  Plan finish() {
    check_plan(plan_);
    place_activations(plan_, lifetimes_in_order(plan_));
    return std::move(plan_);
  }

  template <typename O>
  void add(const O& op) {
    plan_.ops.emplace_back(op);
  }

  [[nodiscard]] const math::LikelihoodParameters& likelihood() const { return likelihood_; }

 private:
  const ParameterLayout& layout_;
  math::ActivationKind activation_;
  math::LikelihoodParameters likelihood_;
  std::int64_t latent_dim_;
  Plan plan_;
};

}  // namespace

Plan build_training_plan(const TrainingPlanInputs& inputs) {
  const ParameterLayout& layout = inputs.layout;
  const RunConfig& config = inputs.config;
  const std::uint64_t seed = config.train.seed;
  const float mean_over_rows = 1.0f / static_cast<float>(config.train.batch_size);
  Builder build(layout, config.model, "training step", config.train.batch_size);

  const View x = build.gather(inputs.preparation, inputs.data, RowOrder::shuffled, seed);
  const auto encoder = build.hidden_layers(layout.encoder, x, true);
  const View head = build.linear(layout.head, encoder.empty() ? x : encoder.back().out, "head");
  const LatentForward latent = build.latent(head, seed, math::RandomPurpose::latent, true);
  const auto decoder = build.hidden_layers(layout.decoder, latent.z, true);
  const View output = build.linear(layout.output, decoder.empty() ? latent.z : decoder.back().out, "output");

  LikelihoodForwardBackward likelihood;
  likelihood.likelihood = build.likelihood();
  likelihood.output = output;
  likelihood.x = x;
  likelihood.nll = build.activation("nll", 1);
  likelihood.gradient = output;  // in place: the output itself is not needed again
  likelihood.gradient_scale = mean_over_rows;
  build.add(likelihood);

  const bool deep = !decoder.empty();
  View d = build.backward(layout.output, output, deep ? decoder.back().out : latent.z,
                          deep ? &decoder.back() : nullptr,
                          deep ? "d" + layout.decoder.back().name : std::string("dz"));
  const View dz = build.hidden_backward(layout.decoder, decoder, d, true);

  LatentBackward latent_backward;
  latent_backward.head = head;
  latent_backward.dz = dz;
  latent_backward.dhead = build.activation("dhead", head.cols);
  latent_backward.seed = seed;
  latent_backward.purpose = latent.purpose;
  latent_backward.gradient_scale = mean_over_rows;
  build.add(latent_backward);

  const bool encoded = !encoder.empty();
  d = build.backward(layout.head, latent_backward.dhead, encoded ? encoder.back().out : x,
                     encoded ? &encoder.back() : nullptr,
                     encoded ? "d" + layout.encoder.back().name : std::string(), encoded);
  build.hidden_backward(layout.encoder, encoder, d, false);

  const OptimizerConfig& optimizer = config.optimizer;
  if (optimizer.clip_norm > 0.0) build.add(GradNorm{static_cast<float>(optimizer.clip_norm)});
  AdamUpdate adam;
  adam.constants = {static_cast<float>(optimizer.beta1),      static_cast<float>(optimizer.beta2),
                    static_cast<float>(optimizer.epsilon),    static_cast<float>(optimizer.weight_decay),
                    optimizer.kind == OptimizerKind::adamw,   static_cast<float>(1.0 - optimizer.beta1),
                    static_cast<float>(1.0 - optimizer.beta2)};
  adam.elements = layout.size;
  build.add(adam);

  AdvanceStep advance;
  advance.nll = likelihood.nll;
  advance.kl = latent.kl;
  advance.schedule = schedule_of(optimizer, inputs);
  advance.beta1 = optimizer.beta1;
  advance.beta2 = optimizer.beta2;
  advance.kl_weight = config.objective.beta;
  build.add(advance);
  return build.finish();
}

Plan build_evaluation_plan(const ParameterLayout& layout, const ModelConfig& model,
                           const Preparation& preparation, DataShape data, std::uint64_t seed) {
  Builder build(layout, model, "evaluation", kInferenceBatch);
  const View x = build.gather(preparation, data, RowOrder::sequential, seed);
  const auto encoder = build.hidden_layers(layout.encoder, x, false);
  const View head = build.linear(layout.head, encoder.empty() ? x : encoder.back().out, "head");
  const LatentForward latent = build.latent(head, seed, math::RandomPurpose::evaluate, true);
  const auto decoder = build.hidden_layers(layout.decoder, latent.z, false);
  LikelihoodForwardBackward likelihood;
  likelihood.likelihood = build.likelihood();
  likelihood.output = build.linear(layout.output, decoder.empty() ? latent.z : decoder.back().out, "output");
  likelihood.x = x;
  likelihood.nll = build.activation("nll", 1);
  build.add(likelihood);
  build.store(likelihood.nll, "rows.nll", data.rows);
  build.store(latent.kl, "rows.kl", data.rows);
  return build.finish_inference();
}

Plan build_encode_plan(const ParameterLayout& layout, const ModelConfig& model,
                       const Preparation& preparation, DataShape data) {
  Builder build(layout, model, "encode", kInferenceBatch);
  const View x = build.gather(preparation, data, RowOrder::sequential, 0);
  const auto encoder = build.hidden_layers(layout.encoder, x, false);
  const View head = build.linear(layout.head, encoder.empty() ? x : encoder.back().out, "head");
  build.store(head, "rows.head", data.rows);
  return build.finish_inference();
}

Plan build_decode_plan(const ParameterLayout& layout, const ModelConfig& model, std::int64_t rows) {
  Builder build(layout, model, "decode", kInferenceBatch);
  LoadRows load;
  load.whole = build.exchange("rows.z", rows, model.latent_dim);
  load.batch = build.activation("z", model.latent_dim);
  build.add(load);
  build.observation_mean(load.batch, rows);
  return build.finish_inference();
}

Plan build_generate_plan(const ParameterLayout& layout, const ModelConfig& model, std::int64_t rows,
                         std::uint64_t seed) {
  Builder build(layout, model, "generate", kInferenceBatch);
  SamplePrior prior;
  prior.z = build.activation("z", model.latent_dim);
  prior.seed = seed;
  build.add(prior);
  build.observation_mean(prior.z, rows);
  return build.finish_inference();
}

Plan build_reconstruct_plan(const ParameterLayout& layout, const ModelConfig& model,
                            const Preparation& preparation, DataShape data) {
  Builder build(layout, model, "reconstruct", kInferenceBatch);
  const View x = build.gather(preparation, data, RowOrder::sequential, 0);
  build.store(x, "rows.x", data.rows);
  const auto encoder = build.hidden_layers(layout.encoder, x, false);
  const View head = build.linear(layout.head, encoder.empty() ? x : encoder.back().out, "head");
  const LatentForward latent = build.latent(head, 0, math::RandomPurpose::evaluate, false);
  build.observation_mean(latent.z, data.rows);
  return build.finish_inference();
}

}  // namespace vaecuda
