#include "support/model_bench.hpp"

#include <algorithm>

#include "host/config/enumerators.hpp"
#include "host/latents/codebook.hpp"
#include "kernels/math/permutation.h"
#include "support/op_bench.hpp"

namespace vaecuda::test {
namespace {

oracle::LayerSpec spec_of(const Layer& layer) {
  return {layer.in, layer.out, layer.weight, layer.bias};
}

oracle::CountSpec counts_of(const ModelConfig& model) {
  const LikelihoodTraits traits = traits_of(model.likelihood);
  constexpr oracle::DispersionFrom kFrom[] = {oracle::DispersionFrom::scalar, oracle::DispersionFrom::column,
                                              oracle::DispersionFrom::output};
  return {.mass = static_cast<oracle::CountMass>(static_cast<int>(model.likelihood) -
                                                 static_cast<int>(Likelihood::poisson)),
          .is_share = !traits.has_rate || model.rate == Rate::softmax,
          .of_row_sum = !traits.has_rate || model.library == LibrarySize::row_sum,
          .dispersion = traits.has_dispersion ? kFrom[static_cast<int>(model.dispersion.value())]
                                              : oracle::DispersionFrom::none};
}

/// As many codebooks as fit any width of the latent, of few codes.
void quantize(RunConfig& config) {
  config.objective.beta = 1.0;
  config.objective.commitment = 0.4;
  config.model.latent = LatentKind::vq;
  config.model.codebook_size = 5;
  config.model.codebooks = config.model.latent_dim % 2 == 0 ? 2 : 1;
}

}  // namespace

std::vector<float> TrainingBench::initial_parameters() const {
  if (!initial.empty()) return initial;
  const ParameterLayout where = layout();
  std::vector<float> arena(static_cast<std::size_t>(where.size));
  initialize_parameters(where, config.model, config.train.seed, arena.data());
  return arena;
}

TrainingResult TrainingBench::run(const Executor& executor, const Dataset& data, std::int64_t steps,
                                  std::int64_t chunk) const {
  const ParameterLayout where = layout();
  const Plan plan = build_training_plan({.layout = where,
                                         .config = config,
                                         .preparation = preparation,
                                         .data = shape_of(data),
                                         .total_steps = total_steps});
  const auto backend = executor.make();
  const auto store = backend->make_parameters(where.size, true);
  store->write(ParameterStore::Part::parameters, initial_parameters());
  const auto resident = backend->make_resident(data);
  const auto program = backend->compile(plan, *store, resident.get());
  TrainingResult result;
  program->set_step(0);
  for (std::int64_t done = 0; done < steps;) {
    const std::int64_t count = std::min(chunk, steps - done);
    program->run(count);
    program->take_metrics(result.metrics);
    done += count;
  }
  result.fault = program->fault();
  for (const auto& [part, values] : {std::pair{ParameterStore::Part::parameters, &result.parameters},
                                     std::pair{ParameterStore::Part::moment1, &result.moment1},
                                     std::pair{ParameterStore::Part::moment2, &result.moment2}}) {
    values->resize(static_cast<std::size_t>(where.size));
    store->read(part, *values);
  }
  return result;
}

oracle::Network network_of(const ParameterLayout& layout, const RunConfig& config) {
  oracle::Network network;
  for (const Layer& layer : layout.network("encoder").hidden) network.encoder.push_back(spec_of(layer));
  network.head = spec_of(layout.network("encoder").top);
  for (const Layer& layer : layout.network("decoder").hidden) network.decoder.push_back(spec_of(layer));
  network.output = spec_of(layout.network("decoder").top);
  network.act = config::same_as<oracle::Act, 1>(config.model.activation);  // behind the identity
  network.has_counts = traits_of(config.model.likelihood).domain == ValueDomain::count;
  if (network.has_counts) {
    network.counts = counts_of(config.model);
    network.log_dispersion = layout.log_dispersion;
    network.view = config::same_as<oracle::InputView>(config.model.input_transform.value());
  } else {
    network.lik = static_cast<oracle::Lik>(config.model.likelihood);
  }
  constexpr oracle::SigmaFrom kFrom[] = {oracle::SigmaFrom::constant, oracle::SigmaFrom::parameter,
                                         oracle::SigmaFrom::output};
  network.sigma_from = kFrom[static_cast<int>(config.model.sigma_source.value())];
  network.importance_weighted = config.objective.kind == ObjectiveKind::iwae;
  network.free_bits = config.objective.free_bits;
  network.capacity = config.objective.capacity;
  network.scale =
      config.model.logvar_head == LogvarHead::logsigma ? oracle::Scale::logsigma : oracle::Scale::logvar;
  network.sigma = config.model.sigma;
  network.log_sigma = layout.log_sigma;
  network.deterministic = config.model.latent == LatentKind::deterministic;
  network.beta = network.deterministic ? config.objective.latent_l2 : config.objective.beta;
  if (config.model.latent == LatentKind::vq) {
    const CodebookParameters book = codebook_of(layout);
    const bool learns = config.optimizer.codebook_update == CodebookUpdate::gradient;
    network.quantizer = {.groups = book.groups,
                         .size = book.size,
                         .width = book.width,
                         .codes = book.codes,
                         .commitment = config.objective.commitment,
                         .codes_learn = learns};
    network.beta = config.objective.commitment + (learns ? 1.0 : 0.0);
  }
  return network;
}

oracle::Adam adam_of(const RunConfig& config) {
  oracle::Adam adam;
  adam.lr = config.optimizer.lr;
  adam.beta1 = config.optimizer.beta1;
  adam.beta2 = config.optimizer.beta2;
  adam.epsilon = config.optimizer.epsilon;
  adam.decay = config.optimizer.weight_decay;
  adam.decoupled = config.optimizer.kind == OptimizerKind::adamw;
  adam.clip_norm = config.optimizer.clip_norm;
  return adam;
}

std::vector<double> to_doubles(const std::vector<float>& values) {
  return {values.begin(), values.end()};
}

oracle::Matrix rows_at(const Dataset& data, std::uint64_t seed, std::int64_t first, std::int64_t count) {
  oracle::Matrix rows(count, data.columns());
  const auto n = static_cast<std::uint64_t>(data.rows());
  for (std::int64_t i = 0; i < count; ++i) {
    const auto p = static_cast<std::uint64_t>(first + i);
    const auto keys = math::permutation_keys(seed, math::RandomPurpose::shuffle, p / n);
    const auto row = static_cast<std::int64_t>(math::permute(keys, p % n, n));
    for (std::int64_t c = 0; c < data.columns(); ++c) {
      const auto at = static_cast<std::size_t>(row * data.columns() + c);
      rows.at(i, c) = data.type() == ElementType::u8 ? data.u8()[at] : static_cast<double>(data.f32()[at]);
    }
  }
  return rows;
}

RunConfig small_config(std::int64_t input_dim, std::vector<std::int64_t> hidden, std::int64_t latent,
                       std::int64_t batch) {
  RunConfig config;
  config.model.input_dim = input_dim;
  config.model.hidden = std::move(hidden);
  config.model.latent_dim = latent;
  config.train.batch_size = batch;
  config.train.seed = 9;
  return config;
}

Dataset labelled(const ModelVariant& variant, Dataset data) {
  if (variant.label_vectors) {
    data.set_label_vectors(noise(3 * data.rows(), 71, 1.5));
    return data;
  }
  std::vector<std::int32_t> classes;
  for (std::int64_t row = 0; row < data.rows(); ++row)
    classes.push_back(static_cast<std::int32_t>(row * 5 % 3));
  data.set_labels(classes, {"a", "b", "c"});
  return data;
}

oracle::Matrix conditions_at(const Dataset& data, const ModelConfig& model, std::uint64_t seed,
                             std::int64_t first, std::int64_t count) {
  oracle::Matrix conditions(count, model.condition_dim);
  if (model.condition_dim == 0) return {};
  const auto n = static_cast<std::uint64_t>(data.rows());
  for (std::int64_t i = 0; i < count; ++i) {
    const auto p = static_cast<std::uint64_t>(first + i);
    const auto keys = math::permutation_keys(seed, math::RandomPurpose::shuffle, p / n);
    const auto row = static_cast<std::int64_t>(math::permute(keys, p % n, n));
    for (std::int64_t c = 0; c < conditions.cols; ++c) {
      conditions.at(i, c) =
          data.label_vectors().empty()
              ? (data.labels()[static_cast<std::size_t>(row)] == c ? 1.0 : 0.0)
              : static_cast<double>(
                    data.label_vectors()[static_cast<std::size_t>(row * conditions.cols + c)]);
    }
  }
  return conditions;
}

const std::vector<ModelVariant>& model_variants() {
  static const std::vector<ModelVariant> all = {
      {"bernoulli", [](RunConfig&) {}},
      {"gaussian", [](RunConfig& c) { c.model.likelihood = Likelihood::gaussian; }},
      {"three samples", [](RunConfig& c) { c.objective.samples = 3; }},
      {"log sigma, two samples, gaussian",
       [](RunConfig& c) {
         c.model.likelihood = Likelihood::gaussian;
         c.model.logvar_head = LogvarHead::logsigma;
         c.objective.samples = 2;
       }},
      {"gaussian, learned sigma",
       [](RunConfig& c) {
         c.model.likelihood = Likelihood::gaussian;
         c.model.sigma_source = SigmaSource::learned;
       }},
      {"gaussian, sigma head",
       [](RunConfig& c) {
         c.model.likelihood = Likelihood::gaussian;
         c.model.sigma_source = SigmaSource::head;
       }},
      {"laplace", [](RunConfig& c) { c.model.likelihood = Likelihood::laplace; }},
      {"laplace, learned sigma",
       [](RunConfig& c) {
         c.model.likelihood = Likelihood::laplace;
         c.model.sigma_source = SigmaSource::learned;
       }},
      {"laplace, sigma head",
       [](RunConfig& c) {
         c.model.likelihood = Likelihood::laplace;
         c.model.sigma_source = SigmaSource::head;
       }},
      {"importance weighted, four samples, learned sigma",
       [](RunConfig& c) {
         c.model.likelihood = Likelihood::gaussian;
         c.model.sigma_source = SigmaSource::learned;
         c.objective.kind = ObjectiveKind::iwae;
         c.objective.samples = 4;
         c.objective.beta = 1.0;
       }},
      {"importance weighted, four samples",
       [](RunConfig& c) {
         c.objective.kind = ObjectiveKind::iwae;
         c.objective.samples = 4;
         c.objective.beta = 1.0;
       }},
      {"importance weighted, one sample, log sigma, gaussian",
       [](RunConfig& c) {
         c.model.likelihood = Likelihood::gaussian;
         c.model.logvar_head = LogvarHead::logsigma;
         c.objective.kind = ObjectiveKind::iwae;
         c.objective.beta = 1.0;
       }},
      {"free bits", [](RunConfig& c) { c.objective.free_bits = 0.05; }},
      {"capacity, two samples",
       [](RunConfig& c) {
         c.objective.capacity = 3.0;
         c.objective.samples = 2;
       }},
      {"deterministic latent", [](RunConfig& c) { c.model.latent = LatentKind::deterministic; }},
      {"deterministic latent with penalty",
       [](RunConfig& c) {
         c.model.latent = LatentKind::deterministic;
         c.objective.beta = 1.0;
         c.objective.latent_l2 = 0.7;
         c.model.likelihood = Likelihood::gaussian;
       }},
      {"vq, codes by averages",
       [](RunConfig& c) {
         quantize(c);
         c.optimizer.ema_decay = 0.8;  // so that dead codes are found within a few steps
         c.optimizer.restart_codes = 0.3;
       }},
      {"vq, codes by gradient",
       [](RunConfig& c) {
         quantize(c);
         c.optimizer.codebook_update = CodebookUpdate::gradient;
         c.model.likelihood = Likelihood::gaussian;
       }},
      {"poisson, logarithms",
       [](RunConfig& c) {
         c.model.likelihood = Likelihood::poisson;
         c.model.input_transform = InputTransform::log1p;
       }},
      {"poisson, softplus",
       [](RunConfig& c) {
         c.model.likelihood = Likelihood::poisson;
         c.model.rate = Rate::softplus;
         c.model.library = LibrarySize::one;
       }},
      {"nb", [](RunConfig& c) { c.model.likelihood = Likelihood::nb; }},
      {"nb, one dispersion, three samples",
       [](RunConfig& c) {
         c.model.likelihood = Likelihood::nb;
         c.model.dispersion = Dispersion::scalar;
         c.objective.samples = 3;
       }},
      {"nb, importance weighted, conditional on classes, norm",
       [](RunConfig& c) {
         c.model.likelihood = Likelihood::nb;
         c.model.input_transform = InputTransform::l2;
         c.objective.kind = ObjectiveKind::iwae;
         c.objective.samples = 4;
         c.objective.beta = 1.0;
         c.model.conditional = true;
         c.model.condition_dim = 3;
       }},
      {"zinb", [](RunConfig& c) { c.model.likelihood = Likelihood::zinb; }},
      {"zinb, dispersions by the decoder, softplus",
       [](RunConfig& c) {
         c.model.likelihood = Likelihood::zinb;
         c.model.dispersion = Dispersion::entry;
         c.model.rate = Rate::softplus;
       }},
      {"multinomial, binary view",
       [](RunConfig& c) {
         c.model.likelihood = Likelihood::multinomial;
         c.model.input_transform = InputTransform::binarize;
       }},
      {"conditional on classes",
       [](RunConfig& c) {
         c.model.conditional = true;
         c.model.condition_dim = 3;
       }},
      {"conditional on vectors, three samples, learned sigma",
       [](RunConfig& c) {
         c.model.conditional = true;
         c.model.condition_dim = 3;
         c.objective.samples = 3;
         c.model.likelihood = Likelihood::gaussian;
         c.model.sigma_source = SigmaSource::learned;
       },
       true},
      {"conditional on vectors, deterministic latent with penalty",
       [](RunConfig& c) {
         c.model.conditional = true;
         c.model.condition_dim = 3;
         c.model.latent = LatentKind::deterministic;
         c.objective.beta = 1.0;
         c.objective.latent_l2 = 0.7;
       },
       true},
      {"conditional on vectors, laplace, sigma head",
       [](RunConfig& c) {
         c.model.conditional = true;
         c.model.condition_dim = 3;
         c.model.likelihood = Likelihood::laplace;
         c.model.sigma_source = SigmaSource::head;
       },
       true},
  };
  return all;
}

std::string_view name_of(Activation activation) {
  return config::enumerator_texts<Activation>()[static_cast<std::size_t>(activation)];
}

std::string_view name_of(Likelihood likelihood) {
  return traits_of(likelihood).name;
}

}  // namespace vaecuda::test
