// What the CUDA backend decides before anything runs: who reads what in which precision, and how much work
// may be queued.
#include <cstdint>
#include <string>
#include <vector>

#include "host/cuda/forms.hpp"
#include "host/cuda/pacing.hpp"
#include "host/plan/builder.hpp"
#include "support/catch.hpp"
#include "support/model_bench.hpp"

using namespace vaecuda;

namespace {

Plan training_plan(Activation activation) {
  RunConfig config = test::small_config(50, {32}, 4, 8);
  config.model.activation = activation;
  const ParameterLayout layout = make_layout(config.model);
  return build_training_plan({.layout = layout,
                              .config = config,
                              .preparation = Preparation{},
                              .data = {100, ElementType::f32},
                              .total_steps = 10});
}

/// "x: fp32 bf16" for every activation that some op writes, in the plan's order.
std::vector<std::string> written_forms(const Plan& plan, const cuda::Readers& readers) {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < plan.ops.size(); ++i) {
    for (const View& view : views_of(plan.ops[i]).writes) {
      const cuda::Forms forms = readers.forms(i, view);
      all.push_back(plan.buffers[static_cast<std::size_t>(view.buffer)].name + ":" +
                    (forms.single ? " fp32" : "") + (forms.half ? " bf16" : ""));
    }
  }
  return all;
}

std::size_t find_backward(const Plan& plan, const std::string& layer) {
  for (std::size_t i = 0; i < plan.ops.size(); ++i) {
    const auto* op = std::get_if<LinearBackward>(&plan.ops[i]);
    if (op != nullptr && op->layer.name == layer) return i;
  }
  FAIL("no such layer");
  return 0;
}

}  // namespace

TEST_CASE("a producer writes the forms that its readers take", "[forms]") {
  const Plan plan = training_plan(Activation::relu);
  SECTION("in fp32 there is one form") {
    for (const std::string& forms : written_forms(plan, cuda::Readers(plan, false))) {
      INFO(forms);
      CHECK(forms.find(": fp32") != std::string::npos);
      CHECK(forms.find("bf16") == std::string::npos);
    }
  }
  SECTION("in bfloat16 products read one and kernels the other") {
    cuda::Readers readers(plan, true);
    // Without a mask the derivative of relu is taken from the layer's output.
    const std::vector<std::string> by_kernel = {
        "x: fp32 bf16",    "encoder.0: fp32 bf16", "head: fp32",   "z: bf16",
        "kl: fp32",        "decoder.0: fp32 bf16", "output: fp32", "nll: fp32",
        "output: bf16",    "ddecoder.0: bf16",     "dz: fp32",     "dhead: bf16",
        "dencoder.0: bf16"};
    CHECK(written_forms(plan, readers) == by_kernel);
    readers.use_epilogue(find_backward(plan, "output"));
    readers.use_epilogue(find_backward(plan, "head"));
    std::vector<std::string> by_mask = by_kernel;
    by_mask[1] = "encoder.0: bf16";
    by_mask[5] = "decoder.0: bf16";
    CHECK(written_forms(plan, readers) == by_mask);
    readers.use_kernel(find_backward(plan, "output"));
    by_mask[5] = "decoder.0: fp32 bf16";
    CHECK(written_forms(plan, readers) == by_mask);
  }
  SECTION("a pre-activation is read in the epilogue's precision or the kernel's") {
    const Plan gelu = training_plan(Activation::gelu_tanh);
    cuda::Readers readers(gelu, true);
    CHECK(written_forms(gelu, readers)[2] == "encoder.0.pre: fp32");
    readers.use_epilogue(find_backward(gelu, "head"));
    CHECK(written_forms(gelu, readers)[2] == "encoder.0.pre: bf16");
  }
}

TEST_CASE("views of side-by-side columns do not overlap", "[forms]") {
  const View left{0, 0, 4, 3, 8};
  const View right{0, 3, 4, 5, 8};
  const View whole{0, 0, 4, 8, 8};
  CHECK_FALSE(cuda::overlaps(left, right));
  CHECK(cuda::overlaps(left, whole));
  CHECK(cuda::overlaps(whole, right));
  CHECK_FALSE(cuda::overlaps(left, View{1, 0, 4, 3, 8}));
  CHECK_FALSE(cuda::overlaps(left, View{0, 32, 4, 3, 8}));
  CHECK(cuda::overlaps(left, View{0, 5, 4, 2, 7}));  // another stride: assumed
  CHECK_FALSE(cuda::overlaps(left, View{}));
  CHECK(cuda::same_view(left, left));
  CHECK_FALSE(cuda::same_view(left, whole));
  CHECK_FALSE(cuda::same_view(View{}, View{}));
}

TEST_CASE("the queue holds half a second of work", "[pacing]") {
  cuda::Pacing pacing(0.5, 8192);
  CHECK(pacing.limit() == 1);
  SECTION("rising fourfold at most") {
    std::int64_t expected = 1;
    while (expected < 4096) {
      pacing.observe(1, 1e-4);  // 5,000 fit
      expected *= 4;
      CHECK(pacing.limit() == std::min<std::int64_t>(expected, 5000));
    }
  }
  SECTION("never beyond the bound, and never nothing") {
    for (int i = 0; i < 20; ++i) pacing.observe(1000, 0.0);
    CHECK(pacing.limit() == 8192);
    pacing.observe(1, 30.0);
    CHECK(pacing.limit() == 1);
  }
  SECTION("following slower steps at once") {
    for (int i = 0; i < 20; ++i) pacing.observe(100, 0.01);
    CHECK(pacing.limit() == 5000);
    pacing.observe(100, 0.1);
    CHECK(pacing.limit() == 500);
  }
}
