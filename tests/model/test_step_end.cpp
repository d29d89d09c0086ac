// The end of a step as it is found in a plan, and the regions of the parameters that it changes.
#include <algorithm>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "host/latents/codebook.hpp"
#include "host/plan/step_end.hpp"
#include "support/catch.hpp"
#include "support/model_bench.hpp"

namespace vaecuda {
namespace {

using Range = std::pair<std::int64_t, std::int64_t>;  // offset and end

constexpr std::int64_t kBatchRows = 24;
constexpr std::int64_t kBatchColumns = 6;
constexpr std::int64_t kAlways = std::numeric_limits<std::int64_t>::max();

Plan plan_of(const ParameterLayout& layout, const RunConfig& config, bool label_vectors) {
  return build_training_plan({.layout = layout,
                              .config = config,
                              .preparation = Preparation{},
                              .data = {kBatchRows, ElementType::f32, false, label_vectors},
                              .total_steps = 100});
}

/// What a step's end has a gradient or a rule for.
std::vector<Range> changed(const StepEnd& end) {
  std::vector<Range> ranges;
  for (const PlacedOp<LinearBackward>& gradient : end.weight_gradients) {
    const LinearParameters& layer = gradient->layer;
    ranges.emplace_back(layer.weight, layer.weight + layer.out * layer.in);
    ranges.emplace_back(layer.bias, layer.bias + layer.out);
  }
  for (const PlacedOp<ParameterGradient>& sum : end.sums) {
    ranges.emplace_back(sum->parameter, sum->parameter + sum->d.cols);
  }
  for (const CodebookMove& move : end.codebook_moves) {
    const CodebookParameters& book =
        std::visit([](const auto& op) -> const CodebookParameters& { return op->batch.codebook; }, move);
    ranges.emplace_back(book.codes, book.codes + book.elements());
  }
  std::sort(ranges.begin(), ranges.end());
  return ranges;
}

template <typename Check>
void for_every_model(const Check& check) {
  for (const test::ModelVariant& variant : test::model_variants()) {
    for (const double clip_norm : {0.0, 2.0}) {
      RunConfig config = test::small_config(kBatchColumns, {8, 4}, 4, 8);
      variant.apply(config);
      config.optimizer.clip_norm = clip_norm;
      INFO(variant.name << ", clip " << clip_norm);
      const ParameterLayout layout = make_layout(config.model);
      check(config, layout, plan_of(layout, config, variant.label_vectors));
    }
  }
}

TEST_CASE("the end of a step changes every parameter once", "[step_end]") {
  for_every_model([](const RunConfig& config, const ParameterLayout& layout, const Plan& plan) {
    const std::optional<StepEnd> end = find_step_end(plan);
    REQUIRE(end);
    std::vector<Range> tensors;
    for (const ParameterTensor& tensor : layout.tensors()) {
      tensors.emplace_back(tensor.offset, tensor.offset + tensor.count);
    }
    CHECK(changed(*end) == tensors);
    CHECK(end->norm.has_value() == (config.optimizer.clip_norm > 0.0));
    CHECK(end->update.op == std::get_if<AdamUpdate>(&plan.ops[end->update.place]));
    CHECK(end->advance.op == std::get_if<AdvanceStep>(&plan.ops[end->advance.place]));
    CHECK(end->advance.place == plan.ops.size() - 1);
    for (const PlacedOp<LinearBackward>& gradient : end->weight_gradients) {
      CHECK(gradient.op == std::get_if<LinearBackward>(&plan.ops[gradient.place]));
    }
  });
}

TEST_CASE("regions cover the parameters without a gap, and Adam's are those of the update",
          "[step_end][layout]") {
  for_every_model([](const RunConfig& config, const ParameterLayout& layout, const Plan& plan) {
    std::int64_t end = 0;
    std::vector<Range> adam;
    for (const Region& region : layout.regions(config.optimizer)) {
      CHECK(region.offset == end);
      CHECK(region.count > 0);
      end += region.count;
      const bool averaged = region.rule == UpdateRule::moving_average;
      const std::vector<LatentTensor>& own = layout.latent().tensors;
      CHECK(averaged == (!own.empty() && region.offset == own.front().offset &&
                         config.optimizer.codebook_update == CodebookUpdate::ema));
      if (!averaged) adam.emplace_back(region.offset, end);
    }
    CHECK(end == layout.size);
    std::vector<Range> updated;
    for (const ParameterRange& range : find_step_end(plan)->update->ranges) {
      updated.emplace_back(range.offset, range.end());
    }
    CHECK(updated == adam);
  });
}

TEST_CASE("what the end of a step reads stays until then", "[step_end]") {
  for_every_model([](const RunConfig&, const ParameterLayout&, const Plan& plan) {
    const std::optional<StepEnd> end = find_step_end(plan);
    REQUIRE(end);
    const std::vector<Lifetime> in_order = lifetimes_in_order(plan);
    for (const auto time : {WeightGradientTime::in_order, WeightGradientTime::at_end}) {
      std::vector<bool> kept(plan.buffers.size(), false);
      const auto keep = [&kept](const View& view) { kept[static_cast<std::size_t>(view.buffer)] = true; };
      for (const PlacedOp<LinearBackward>& gradient : end->weight_gradients) {
        keep(gradient->d);
        if (time == WeightGradientTime::at_end) keep(gradient->in);
      }
      for (const PlacedOp<ParameterGradient>& sum : end->sums) keep(sum->d);
      const std::vector<Lifetime> lifetimes = lifetimes_with_end(plan, &*end, time);
      for (std::size_t i = 0; i < plan.buffers.size(); ++i) {
        INFO(plan.buffers[i].name);
        CHECK(lifetimes[i].first == in_order[i].first);
        CHECK(lifetimes[i].last == (kept[i] ? kAlways : in_order[i].last));
      }
    }
  });
}

TEST_CASE("a pass without training has no end of a step, and half of one is refused", "[step_end]") {
  const RunConfig config = test::small_config(kBatchColumns, {8}, 4, 8);
  const ParameterLayout layout = make_layout(config.model);
  CHECK_FALSE(find_step_end(build_decode_plan(layout, config.model, kBatchRows)));
  const Plan whole = plan_of(layout, config, false);
  const auto without = [&whole](auto is_kind) {
    Plan plan = whole;
    std::erase_if(plan.ops, is_kind);
    return plan;
  };
  for (const Plan& plan :
       {without([](const Op& op) { return std::holds_alternative<AdvanceStep>(op); }),
        without([](const Op& op) { return std::holds_alternative<AdamUpdate>(op); }),
        without([](const Op& op) { return std::holds_alternative<LinearBackward>(op); })}) {
    CHECK_THROWS_AS(find_step_end(plan), std::logic_error);
  }
}

TEST_CASE("two rules for the same parameters are refused", "[step_end]") {
  RunConfig config = test::small_config(kBatchColumns, {8}, 4, 8);
  config.model.latent = LatentKind::vq;
  config.model.codebooks = 2;
  config.model.codebook_size = 8;
  config.optimizer.codebook_update = CodebookUpdate::ema;
  const ParameterLayout layout = make_layout(config.model);
  Plan plan = plan_of(layout, config, false);
  CHECK_NOTHROW(check_plan(plan));
  AdamUpdate& update = std::get<AdamUpdate>(plan.ops[find_step_end(plan)->update.place]);
  const std::vector<ParameterRange> right = update.ranges;
  const auto is_refused = [&](std::vector<ParameterRange> ranges) {
    update.ranges = std::move(ranges);
    CHECK_THROWS_AS(check_plan(plan), std::logic_error);
  };
  is_refused({{0, layout.size}});
  is_refused({{codebook_of(layout).codes, 16}});
  is_refused({{0, 16}, {8, 16}});
  is_refused({{0, 0}});
  is_refused({});
  update.ranges = right;
  CHECK_NOTHROW(check_plan(plan));
}

TEST_CASE("a loss without a term, with one twice or of a wrong column is refused", "[step_end][loss]") {
  const RunConfig config = test::small_config(kBatchColumns, {8}, 4, 8);
  const ParameterLayout layout = make_layout(config.model);
  Plan plan = plan_of(layout, config, false);
  CHECK_NOTHROW(check_plan(plan));
  std::vector<LossRows>& loss = std::get<AdvanceStep>(plan.ops[find_step_end(plan)->advance.place]).loss;
  const std::vector<LossRows> right = loss;
  REQUIRE(right.size() == 2);
  CHECK(right[0].term.kind == math::LossTermKind::reconstruction);
  CHECK(right[1].term.weight == math::LossWeight::scheduled);
  const auto is_refused = [&](std::vector<LossRows> terms) {
    loss = std::move(terms);
    CHECK_THROWS_AS(check_plan(plan), std::logic_error);
  };
  is_refused({});
  is_refused({right[0], right[0]});
  is_refused({right[0], right[1], right[1]});
  is_refused({right[0], {right[1].term, View{}}});
  LossRows wide = right[1];
  wide.rows.cols = 2;
  is_refused({right[0], wide});
  LossRows part = right[1];
  part.rows.rows -= 1;
  is_refused({right[0], part});
  loss = right;
  CHECK_NOTHROW(check_plan(plan));
}

}  // namespace
}  // namespace vaecuda
