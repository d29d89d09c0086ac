#include "host/plan/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace vaecuda {
namespace {

template <typename... Fs>
struct Overloaded : Fs... {
  using Fs::operator()...;
};
template <typename... Fs>
Overloaded(Fs...) -> Overloaded<Fs...>;

std::int64_t element_bytes(ElementType type) {
  return type == ElementType::u8 ? 1 : 4;
}

double size_of(const View& view) {
  return view.valid() ? static_cast<double>(view.rows) * static_cast<double>(view.cols) : 0.0;
}

OpViews views_of_batch(const CodebookBatch& batch, const View& scratch) {
  return {{batch.latent, batch.codes}, {batch.counts, batch.perplexity, scratch}};
}

}  // namespace

int Plan::add_buffer(std::string buffer_name, BufferKind kind, std::int64_t rows, std::int64_t cols) {
  buffers.push_back(Buffer{std::move(buffer_name), kind, rows, cols, {}, -1});
  return static_cast<int>(buffers.size()) - 1;
}

View Plan::whole(int buffer) const {
  const Buffer& b = buffers.at(static_cast<std::size_t>(buffer));
  return View{buffer, 0, b.rows, b.cols, b.cols};
}

View Plan::columns(const View& view, std::int64_t first, std::int64_t count) {
  return View{view.buffer, view.offset + first, view.rows, count, view.stride};
}

int Plan::find_buffer(const std::string& buffer_name) const {
  for (std::size_t i = 0; i < buffers.size(); ++i) {
    if (buffers[i].name == buffer_name) return static_cast<int>(i);
  }
  throw std::logic_error(fmt::format("plan '{}' has no buffer '{}'", name, buffer_name));
}

OpViews views_of(const Op& op) {
  OpViews views =
      std::visit(Overloaded{
                     [](const GatherBatch& o) {
                       return OpViews{{o.source, o.condition_source, o.mean, o.inverse_deviation},
                                      {o.x, o.condition, o.decoder_condition}};
                     },
                     [](const Linear& o) {
                       return OpViews{{o.in}, {o.out, o.preactivation}};
                     },
                     [](const LatentForward& o) {
                       return OpViews{{o.head}, {o.z, o.kl, o.log_ratio}};
                     },
                     [](const LatentKl& o) {
                       return OpViews{{o.head}, {o.kl, o.slope, o.term}};
                     },
                     [](const ImportanceWeights& o) {
                       return OpViews{{o.nll, o.log_ratio}, {o.loss, o.weights, o.reconstruction, o.kl}};
                     },
                     [](const WeighRows& o) {
                       return OpViews{{o.weights, o.rows}, {o.rows}};
                     },
                     [](const VectorQuantize& o) {
                       return OpViews{{o.latent}, {o.z, o.codes, o.distances, o.error}};
                     },
                     [](const LikelihoodForwardBackward& o) {
                       return OpViews{{o.output, o.x}, {o.nll, o.gradient, o.sigma_gradient}};
                     },
                     [](const ParameterGradient& o) {
                       return OpViews{{o.d}, {}};
                     },
                     [](const LinearBackward& o) {
                       return OpViews{{o.d, o.in, o.saved}, {o.dx}};
                     },
                     [](const LatentBackward& o) {
                       return OpViews{{o.head, o.dz, o.kl_slope, o.weights}, {o.dhead}};
                     },
                     [](const LatentPenalty& o) {
                       return OpViews{{o.z, o.dz}, {o.penalty, o.dz}};
                     },
                     [](const VectorQuantizeBackward& o) {
                       return OpViews{{o.latent, o.z, o.dz}, {o.dlatent}};
                     },
                     [](const CodebookGradient& o) { return views_of_batch(o.batch, View{}); },
                     [](const CodebookAverage& o) { return views_of_batch(o.batch, o.averages); },
                     [](const LookUpCodes& o) {
                       return OpViews{{o.codes}, {o.z}};
                     },
                     [](const SampleCodes& o) {
                       return OpViews{{}, {o.codes}};
                     },
                     [](const GradNorm& o) {
                       return OpViews{{o.nll, o.kl, o.kl_term, o.loss}, {}};
                     },
                     [](const AdamUpdate&) { return OpViews{}; },
                     [](const AdvanceStep& o) {
                       return OpViews{{o.nll, o.kl, o.kl_term, o.loss, o.perplexity}, {}};
                     },
                     [](const SamplePrior& o) {
                       return OpViews{{}, {o.z}};
                     },
                     [](const ObservationMean& o) {
                       return OpViews{{o.output}, {o.mean}};
                     },
                     [](const StoreRows& o) {
                       return OpViews{{o.batch}, {o.whole}};
                     },
                     [](const LoadRows& o) {
                       return OpViews{{o.whole}, {o.batch}};
                     },
                     [](const AdvancePosition&) { return OpViews{}; },
                 },
                 op);
  const auto drop_invalid = [](std::vector<View>& v) {
    v.erase(std::remove_if(v.begin(), v.end(), [](const View& view) { return !view.valid(); }), v.end());
  };
  drop_invalid(views.reads);
  drop_invalid(views.writes);
  return views;
}

OpCost cost_of(const Op& op) {
  const OpViews views = views_of(op);
  double floats = 0.0;
  for (const View& v : views.reads) floats += size_of(v);
  for (const View& v : views.writes) floats += size_of(v);
  OpCost cost{0.0, 4.0 * floats};
  if (const auto* gather = std::get_if<GatherBatch>(&op)) {
    if (gather->source.valid()) cost.bytes -= 4.0 * size_of(gather->source);  // of which a batch is read
    cost.bytes += size_of(gather->x) * static_cast<double>(element_bytes(gather->type));
  } else if (const auto* linear = std::get_if<Linear>(&op)) {
    const double weights = static_cast<double>(linear->layer.out) * static_cast<double>(linear->layer.in);
    cost.flops = 2.0 * static_cast<double>(linear->in.rows) * weights;
    cost.bytes += 4.0 * (weights + static_cast<double>(linear->layer.out));
  } else if (const auto* backward = std::get_if<LinearBackward>(&op)) {
    const double weights = static_cast<double>(backward->layer.out) * static_cast<double>(backward->layer.in);
    cost.flops = 2.0 * static_cast<double>(backward->d.rows) * weights * (backward->dx.valid() ? 2.0 : 1.0);
    cost.bytes += 4.0 * weights * (backward->dx.valid() ? 2.0 : 1.0);  // dW written, W read
  } else if (const auto* quantize = std::get_if<VectorQuantize>(&op)) {
    // A difference, a product and a sum for every element of every code.
    cost.flops = 3.0 * size_of(quantize->z) * static_cast<double>(quantize->codebook.size);
    cost.bytes += 4.0 * static_cast<double>(quantize->codebook.elements());
  } else if (const auto* codes = std::get_if<CodebookGradient>(&op)) {
    cost.bytes +=
        8.0 * static_cast<double>(codes->batch.codebook.elements());  // codes read, gradient written
  } else if (const auto* average = std::get_if<CodebookAverage>(&op)) {
    // Sums read and written, codes written.
    cost.bytes += 12.0 * static_cast<double>(average->batch.codebook.elements());
  } else if (std::holds_alternative<GradNorm>(op)) {
    cost.bytes = 0.0;
  } else if (const auto* adam = std::get_if<AdamUpdate>(&op)) {
    cost.bytes = 28.0 * static_cast<double>(adam->elements);  // g read; p, m, v read and written
  } else if (const auto* store = std::get_if<StoreRows>(&op)) {
    cost.bytes = 8.0 * size_of(store->batch);
  } else if (const auto* load = std::get_if<LoadRows>(&op)) {
    cost.bytes = 8.0 * size_of(load->batch);
  }
  return cost;
}

std::string name_of(const Op& op) {
  return std::visit(Overloaded{
                        [](const GatherBatch&) { return std::string("GatherBatch"); },
                        [](const Linear& o) { return "Linear " + o.layer.name; },
                        [](const LatentForward&) { return std::string("LatentForward"); },
                        [](const VectorQuantize&) { return std::string("VectorQuantize"); },
                        [](const LatentKl& o) {
                          return std::string(o.kind == math::KlTermKind::free_bits ? "LatentKl free bits"
                                                                                   : "LatentKl capacity");
                        },
                        [](const ImportanceWeights&) { return std::string("ImportanceWeights"); },
                        [](const WeighRows&) { return std::string("WeighRows"); },
                        [](const LikelihoodForwardBackward& o) {
                          std::string name = "Likelihood ";
                          math::with_likelihood(o.likelihood.kind, [&](auto f) { name += f.kName; });
                          return name;
                        },
                        [](const ParameterGradient& o) { return "ParameterGradient " + o.name; },
                        [](const LinearBackward& o) { return "LinearBackward " + o.layer.name; },
                        [](const LatentBackward&) { return std::string("LatentBackward"); },
                        [](const LatentPenalty&) { return std::string("LatentPenalty"); },
                        [](const VectorQuantizeBackward&) { return std::string("VectorQuantizeBackward"); },
                        [](const CodebookGradient&) { return std::string("CodebookGradient"); },
                        [](const CodebookAverage&) { return std::string("CodebookAverage"); },
                        [](const LookUpCodes&) { return std::string("LookUpCodes"); },
                        [](const SampleCodes&) { return std::string("SampleCodes"); },
                        [](const GradNorm&) { return std::string("GradNorm"); },
                        [](const AdamUpdate&) { return std::string("AdamUpdate"); },
                        [](const AdvanceStep&) { return std::string("AdvanceStep"); },
                        [](const SamplePrior&) { return std::string("SamplePrior"); },
                        [](const ObservationMean&) { return std::string("ObservationMean"); },
                        [](const StoreRows&) { return std::string("StoreRows"); },
                        [](const LoadRows&) { return std::string("LoadRows"); },
                        [](const AdvancePosition&) { return std::string("AdvancePosition"); },
                    },
                    op);
}

std::vector<Lifetime> lifetimes_in_order(const Plan& plan) {
  std::vector<Lifetime> lifetimes(plan.buffers.size());
  for (std::size_t i = 0; i < plan.ops.size(); ++i) {
    const OpViews views = views_of(plan.ops[i]);
    const auto now = static_cast<std::int64_t>(i);
    const auto use = [&](const View& view) {
      Lifetime& life = lifetimes[static_cast<std::size_t>(view.buffer)];
      if (life.first < 0) life.first = now;
      life.last = now;
    };
    for (const View& v : views.reads) use(v);
    for (const View& v : views.writes) use(v);
  }
  return lifetimes;
}

void place_activations(Plan& plan, const std::vector<Lifetime>& lifetimes) {
  constexpr std::int64_t kAlignment = 16;  // floats
  struct Placed {
    std::int64_t begin, end;
    Lifetime life;
  };
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < plan.buffers.size(); ++i) {
    if (plan.buffers[i].kind == BufferKind::activation && lifetimes[i].first >= 0) order.push_back(i);
  }
  // Large buffers first: the small ones then fill the holes.
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return plan.buffers[a].size() > plan.buffers[b].size();
  });
  std::vector<Placed> placed;
  plan.arena_size = 0;
  for (const std::size_t i : order) {
    const std::int64_t size = (plan.buffers[i].size() + kAlignment - 1) / kAlignment * kAlignment;
    std::int64_t offset = 0;
    // `placed` is sorted by begin, so one pass finds the first gap among those alive at the same time.
    for (const Placed& p : placed) {
      const bool together = p.life.first <= lifetimes[i].last && lifetimes[i].first <= p.life.last;
      if (together && offset < p.end && p.begin < offset + size) offset = p.end;
    }
    plan.buffers[i].arena_offset = offset;
    const Placed mine{offset, offset + size, lifetimes[i]};
    placed.insert(std::upper_bound(placed.begin(), placed.end(), mine,
                                   [](const Placed& a, const Placed& b) { return a.begin < b.begin; }),
                  mine);
    plan.arena_size = std::max(plan.arena_size, offset + size);
  }
}

}  // namespace vaecuda
