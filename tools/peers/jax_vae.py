#!/usr/bin/env python3
"""Speed of a VAE's training step in JAX, on data that lie on the device.

The model, the options and the JSON line are those of torch_vae.py. Many steps are one jitted call, a lax.scan over the
row numbers of their batches, with the state's buffers donated; the host does nothing between steps. Modes:
  scan         lax.scan as it is
  scan+unroll  8 steps in each turn of the scan's loop
Products of fp32 are true fp32 unless --precision tf32 or bf16; bf16 keeps weights and Adam in fp32, as autocast does.
Adam is optax's where it is importable, else the one below. On a CPU --threads binds the process to so many CPUs,
which is what sizes XLA's thread pool.
Exit code: 2 if an option is not possible here, 5 without a GPU for --device cuda, 1 if a mode fails otherwise.
"""
import functools
import math
import os
import sys

import peer

MODES = ("scan", "scan+unroll")
UNROLLED_STEPS = 8
MAXIMUM_SCAN = 256
SECONDS_PER_SCAN = 0.25
# Only to choose a scan's length, which is a constant of the compiled program.
FLOPS_PER_SECOND = {"cpu": 5e10, "cuda": 5e13}

OPTIONS = peer.parse_options(__doc__, MODES)
# JAX reads these when it is imported.
if OPTIONS.device == "cpu":
    os.environ["JAX_PLATFORMS"] = "cpu"
    if OPTIONS.threads > 0 and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:OPTIONS.threads])

import jax  # noqa: E402
from jax import numpy as jnp  # noqa: E402

try:
    import optax
except ImportError:
    optax = None


def initial_layer(key, inputs, outputs):
    bound = 1 / math.sqrt(inputs)
    weight_key, bias_key = jax.random.split(key)
    return {"weight": jax.random.uniform(weight_key, (inputs, outputs), jnp.float32, -bound, bound),
            "bias": jax.random.uniform(bias_key, (outputs,), jnp.float32, -bound, bound)}


def initial_parameters(key, options):
    parts = peer.layer_sizes(options)
    keys = iter(jax.random.split(key, sum(len(sizes) for sizes in parts)))
    return [[initial_layer(next(keys), *size) for size in sizes] for sizes in parts]


def linear(layer, x, half):
    weight = layer["weight"]
    if half:
        x, weight = x.astype(jnp.bfloat16), weight.astype(jnp.bfloat16)
    return (x @ weight).astype(jnp.float32) + layer["bias"]


def negative_elbo(parameters, x, key, options):
    """Mean over the rows of x (B, D); mean over the samples of each row."""
    encoder, (head,), decoder, (output,) = parameters
    half = options.precision == "bf16"
    h = x
    for layer in encoder:
        h = jax.nn.relu(linear(layer, h, half))
    mean, log_variance = jnp.split(linear(head, h, half), 2, axis=1)
    noise = jax.random.normal(key, (options.samples, *mean.shape), jnp.float32)
    h = (mean + noise * jnp.exp(0.5 * log_variance)).reshape(-1, options.latent_dim)
    for layer in decoder:
        h = jax.nn.relu(linear(layer, h, half))
    logits = linear(output, h, half).reshape(options.samples, *x.shape)
    nll = jnp.sum(jax.nn.softplus(logits) - logits * x)
    kl = -0.5 * jnp.sum(1 + log_variance - mean * mean - jnp.exp(log_variance))
    return (nll / options.samples + kl) / len(x)


def own_adam(rate, beta1=0.9, beta2=0.999, epsilon=1e-8):
    def start(parameters):
        zeros = jax.tree_util.tree_map(jnp.zeros_like, parameters)
        return jnp.zeros((), jnp.float32), zeros, jax.tree_util.tree_map(jnp.zeros_like, parameters)

    def update(gradients, state, parameters):
        step, first, second = state
        step = step + 1
        first = jax.tree_util.tree_map(lambda m, g: beta1 * m + (1 - beta1) * g, first, gradients)
        second = jax.tree_util.tree_map(lambda v, g: beta2 * v + (1 - beta2) * g * g, second, gradients)
        scale, root = rate / (1 - beta1**step), 1 / jnp.sqrt(1 - beta2**step)
        parameters = jax.tree_util.tree_map(
            lambda p, m, v: p - scale * m / (jnp.sqrt(v) * root + epsilon), parameters, first, second)
        return parameters, (step, first, second)

    return start, update


def optax_adam(rate):
    rule = optax.adam(rate)

    def update(gradients, state, parameters):
        updates, state = rule.update(gradients, state, parameters)
        return optax.apply_updates(parameters, updates), state

    return rule.init, update


def scan_length(options):
    seconds_per_step = peer.step_flops(options) / FLOPS_PER_SECOND[options.device]
    length = max(1, min(MAXIMUM_SCAN, int(SECONDS_PER_SCAN / seconds_per_step)))
    return length if options.steps < 1 else min(length, options.steps)


class Scanned:
    """`granule` training steps are one call of one compiled program."""

    def __init__(self, data, options, unroll):
        self.data, self.granule = data, scan_length(options)
        take = self.granule * options.batch_size
        epochs, self.calls = peer.order_size(options.rows, take)
        start_adam, update_adam = (optax_adam if optax else own_adam)(peer.LEARNING_RATE)
        self.order_key, parameter_key, step_key = jax.random.split(jax.random.key(options.seed), 3)
        parameters = initial_parameters(parameter_key, options)
        self.state = parameters, start_adam(parameters), step_key
        self.used = self.calls
        self.loss = None

        @jax.jit
        def draw_order(key):
            drawn = [jax.random.permutation(k, options.rows) for k in jax.random.split(key, epochs)]
            return jnp.concatenate(drawn)[:self.calls * take].astype(jnp.int32).reshape(
                self.calls, self.granule, options.batch_size)

        def step(data, state, index):
            parameters, moments, key = state
            key, noise_key = jax.random.split(key)
            # No row number lies outside: without the promise the gather would check each.
            x = data.at[index].get(mode="promise_in_bounds")
            loss, gradients = jax.value_and_grad(negative_elbo)(parameters, x, noise_key, options)
            parameters, moments = update_adam(gradients, moments, parameters)
            return (parameters, moments, key), loss

        # The data are an argument, since a constant would be copied into the program.
        @functools.partial(jax.jit, donate_argnums=0)
        def run_line(state, data, order, line):
            index = jax.lax.dynamic_index_in_dim(order, line, keepdims=False)
            state, losses = jax.lax.scan(functools.partial(step, data), state, index, unroll=unroll)
            return state, losses[-1]

        self.draw_order, self.run_line = draw_order, run_line

    def run(self, steps):
        for _ in range(steps // self.granule):
            if self.used == self.calls:
                self.order_key, key = jax.random.split(self.order_key)
                self.order, self.used = self.draw_order(key), 0
            self.state, self.loss = self.run_line(self.state, self.data, self.order, self.used)
            self.used += 1

    def wait(self):
        jax.block_until_ready((self.state, self.loss))


def main():
    options = OPTIONS
    # XLA's counter-based generator: JAX's default one costs several times as much.
    jax.config.update("jax_default_prng_impl", "rbg")
    if options.precision != "bf16":
        # JAX's own default for fp32 is TF32 on a GPU that has it.
        jax.config.update("jax_default_matmul_precision", "tensorfloat32" if options.precision == "tf32" else "highest")
    try:
        device = jax.devices("gpu" if options.device == "cuda" else "cpu")[0]
    except RuntimeError as error:
        print(f"jax_vae.py: {str(error).splitlines()[0]}", file=sys.stderr)
        return peer.NO_DEVICE
    with jax.default_device(device):
        bits = jax.jit(lambda key: jax.random.bernoulli(key, 0.5, (options.rows, options.input)).astype(jnp.float32))
        data = bits(jax.random.key(options.seed))
        facts = {"device_name": device.device_kind if options.device == "cuda" else None, "threads": options.threads,
                 "adam": "optax" if optax else "own"}

        def measure_mode(mode):
            trainer = Scanned(data, options, unroll=UNROLLED_STEPS if mode == "scan+unroll" else 1)
            times, steps = peer.measure(trainer.run, trainer.wait, options, trainer.granule)
            peer.report(options, times, steps, float(trainer.loss), peer="jax", mode=mode, version=jax.__version__,
                        **facts)

        return peer.run_modes(options, "jax_vae.py", measure_mode)


if __name__ == "__main__":
    sys.exit(main())
