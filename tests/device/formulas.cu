// Every formula of kernels/math in device code: compiled for all architectures wherever there is a CUDA
// toolkit, so that a formula that only a host compiler accepts, or that spills registers, is found on
// machines without a GPU.
#include "kernels/math/activation.h"
#include "kernels/math/adam.h"
#include "kernels/math/gaussian.h"
#include "kernels/math/importance.h"
#include "kernels/math/kl_term.h"
#include "kernels/math/likelihood.h"
#include "kernels/math/permutation.h"
#include "kernels/math/philox.h"
#include "kernels/math/step_state.h"

namespace vaecuda::math {

__global__ void activation_kernel(ActivationKind kind, const float* x, float* y, float* dy) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  with_activation(kind, [&](auto activation) {
    y[i] = activation.forward(x[i]);
    dy[i] = activation.derivative(x[i]);
  });
}

__global__ void likelihood_kernel(LikelihoodParameters parameters, const float* output, const float* x,
                                  float* nll, float* gradient, float* mean) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  with_element_likelihood(parameters.kind, [&](auto likelihood) {
    const Deviation<float> sigma = head_deviation(learned_deviation(output[i]).log);
    const NllValue<float> value = likelihood(output[i], x[i], sigma);
    nll[i] = value.nll;
    gradient[i] = value.gradient + value.sigma_gradient * sigma.slope;
    mean[i] = likelihood.mean(output[i]);
  });
}

__global__ void latent_kernel(std::uint64_t seed, const float* mu, const float* scale, const float* dz,
                              float* z, float* kl, float* ratio, float* dmu, float* dscale) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  const Philox4 bits = philox(seed, i, random_block(RandomPurpose::latent, 0));
  const float epsilon = normal_pair(bits.v[0], bits.v[1]).first;
  const LatentValue<float> value = latent_forward(mu[i], scale[i], epsilon, 2.0f);
  const LatentPosterior<float> q = latent_posterior(mu[i], scale[i], 2.0f);
  LatentSum<float> sum;
  add_weighted_latent_sample(sum, q, epsilon, dz[i], 0.5f);
  const LatentGradient<float> gradient = latent_gradient(sum, q, 1.0f, 2.0f);
  z[i] = value.z;
  kl[i] = value.kl;
  ratio[i] = value.log_ratio;
  dmu[i] = gradient.dmu;
  dscale[i] = gradient.dscale;
}

__global__ void importance_kernel(const float* nll, const float* ratio, float* loss, KlTerm<float>* term) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  const float largest = log_weight(nll[0], ratio[0]);
  const float sum = 1.0f + relative_weight(log_weight(nll[1], ratio[1]), largest);
  loss[i] = bound_loss(largest, sum, 0.5f);
  term[i] = i > 7 ? free_bits_term(nll[i], 0.1f) : capacity_term(nll[i], 0.1f);
}

__global__ void adam_kernel(AdamConstants<float> constants, AdamStep<float> step, float* p, float* m,
                            float* v, const float* g) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  if (is_nonfinite(g[i])) return;
  const AdamElement<float> next = adam_update(p[i], m[i], v[i], g[i], constants, step);
  p[i] = next.parameter;
  m[i] = next.moment1;
  v[i] = next.moment2;
}

__global__ void order_kernel(std::uint64_t seed, std::uint64_t n, std::int64_t* rows) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  const PermutationKeys keys = permutation_keys(seed, RandomPurpose::shuffle, i / n);
  rows[i] = static_cast<std::int64_t>(permute(keys, i % n, n));
}

__global__ void state_kernel(Schedule schedule, LossSchedule kl, std::int64_t step, StepState* state) {
  *state = state_of_step(step, schedule.batch, schedule, 0.9, 0.999, kl);
}

}  // namespace vaecuda::math
