#include "host/evaluate/importance_nll.hpp"

#include <fmt/format.h>

#include <cmath>
#include <memory>

#include "host/plan/builder.hpp"
#include "vaecuda/error.hpp"

namespace vaecuda {

ImportanceNll importance_nll(Backend& backend, const ModelFile& model, const Dataset& data,
                             std::int64_t samples, std::uint64_t seed) {
  if (data.columns() != model.model.input_dim) {
    throw ConfigError(fmt::format("the data have {} columns; the model was trained on {}", data.columns(),
                                  model.model.input_dim));
  }
  if (samples < 1) throw ConfigError(fmt::format("{} importance samples: at least one is needed", samples));
  const ParameterLayout layout = make_layout(model.model);
  const Plan plan =
      build_log_likelihood_plan(layout, model.model, model.preparation, shape_of(data), samples, seed);
  const std::unique_ptr<ParameterStore> store = backend.make_parameters(layout.size, false);
  store->write(ParameterStore::Part::parameters, model.parameters);
  const std::unique_ptr<ResidentData> resident = backend.make_resident(data);
  const std::unique_ptr<Program> program = backend.compile(plan, *store, resident.get());
  program->set_position(0);
  program->run((data.rows() + plan.batch - 1) / plan.batch);
  std::vector<float> rows(static_cast<std::size_t>(data.rows()));
  program->read(plan.find_buffer("rows.nll"), rows);

  ImportanceNll result;
  result.nll.assign(rows.begin(), rows.end());
  const auto n = static_cast<double>(rows.size());
  for (const double nll : result.nll) result.mean += nll / n;
  double squares = 0.0;
  for (const double nll : result.nll) squares += (nll - result.mean) * (nll - result.mean);
  if (n > 1.0) result.standard_error = std::sqrt(squares / (n - 1.0) / n);
  return result;
}

}  // namespace vaecuda
