#!/usr/bin/env python3
"""Speed of a VAE's training step in PyTorch, on data that lie on the device.

The model is that of vae_cuda_train: x - hidden - (mu | logvar) - hidden - x, ReLU, one linear head, binary cross
entropy from logits, KL, Adam with learning rate 1e-3. Modes, each set up as well as PyTorch allows:
  eager              operation by operation, fused Adam where this PyTorch has it for the device
  compile            loss and gradients by torch.compile, on a GPU as max-autotune, which uses CUDA graphs
  cudagraph          whole training steps, 16 at a time, captured as one CUDA graph and replayed; capturable Adam
  compile+cudagraph  the same with loss and gradients by torch.compile inside the captured graph
Prints one JSON line per mode: milliseconds per step are the median of the repeats.
Exit code: 2 if a mode or option is not possible here, 5 without a GPU for --device cuda, 1 if a mode fails otherwise.
Runs with PyTorch 1.13 and later. On a CPU tools/compare.sh sets the environment that makes it fair.
"""
import gc
import sys

import torch
from torch import nn
from torch.nn import functional

import peer

MODES = ("eager", "compile", "cudagraph", "compile+cudagraph")
STEPS_PER_GRAPH = 16
WARM_UP_STEPS = 4


def mlp(sizes):
    layers = []
    for inputs, outputs in sizes:
        layers += [nn.Linear(inputs, outputs), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)


class Vae(nn.Module):
    def __init__(self, rows, options):
        super().__init__()
        encoder, head, decoder, output = peer.layer_sizes(options)
        self.encoder, self.head = mlp(encoder), nn.Linear(*head[0])
        self.decoder, self.output = mlp(decoder), nn.Linear(*output[0])
        self.samples = options.samples
        # A buffer of the module keeps its address, so a CUDA graph of torch.compile does not copy it at every step.
        self.register_buffer("rows", rows, persistent=False)

    def loss(self, index):
        """Mean over the rows `index` (B) of the negative ELBO; mean over the samples of each row."""
        x = self.rows.index_select(0, index)
        mean, log_variance = self.head(self.encoder(x)).float().chunk(2, dim=1)
        shape = mean.shape if self.samples == 1 else (self.samples, *mean.shape)
        noise = torch.randn(shape, device=mean.device)
        z = torch.addcmul(mean, noise, torch.exp(0.5 * log_variance))
        logits = self.output(self.decoder(z.reshape(-1, z.shape[-1]))).float()
        if self.samples > 1:
            logits = logits.view(self.samples, *x.shape)
        nll = functional.binary_cross_entropy_with_logits(logits, x.expand_as(logits), reduction="sum")
        kl = -0.5 * torch.sum(1 + log_variance - mean * mean - torch.exp(log_variance))
        return (nll / self.samples + kl) / len(x)

    def loss_bf16(self, index):
        # Every weight is used once per step, so a cache of their casts would save nothing.
        with torch.autocast(self.rows.device.type, dtype=torch.bfloat16, cache_enabled=False):
            return self.loss(index)


def make_adam(model, capturable):
    try:
        return torch.optim.Adam(model.parameters(), lr=peer.LEARNING_RATE, fused=True, capturable=capturable), "fused"
    except (RuntimeError, TypeError):
        return torch.optim.Adam(model.parameters(), lr=peer.LEARNING_RATE, capturable=capturable), "default"


class Order:
    """Row numbers by shuffled epochs, drawn on the device: a table with `take` of them in each of its `calls` lines."""

    def __init__(self, options, take, device):
        self.rows, self.take, self.device = options.rows, take, device
        self.epochs, self.calls = peer.order_size(options.rows, take)

    def draw(self):
        drawn = [torch.randperm(self.rows, device=self.device) for _ in range(self.epochs)]
        return torch.cat(drawn)[:self.calls * self.take].view(self.calls, self.take)


class StepByStep:
    """The host issues every step."""
    granule = 1

    def __init__(self, loss_of, optimizer, options, device):
        self.loss_of, self.optimizer = loss_of, optimizer
        self.order = Order(options, options.batch_size, device)
        self.lines = iter(())
        self.loss = None
        self.begin_step = getattr(getattr(torch, "compiler", None), "cudagraph_mark_step_begin", lambda: None)

    def next_index(self):
        index = next(self.lines, None)
        if index is None:
            self.lines = iter(self.order.draw().unbind(0))
            index = next(self.lines)
        return index

    def run(self, steps):
        for _ in range(steps):
            index = self.next_index()
            self.loss = None
            self.begin_step()
            self.optimizer.zero_grad(set_to_none=True)
            self.loss = self.loss_of(index)
            self.loss.backward()
            self.optimizer.step()


class Captured:
    """STEPS_PER_GRAPH whole steps are one CUDA graph; the number of its next line of the order stays on the device."""
    granule = STEPS_PER_GRAPH

    def __init__(self, loss_of, optimizer, options, device):
        self.loss_of, self.optimizer, self.batch = loss_of, optimizer, options.batch_size
        self.order = Order(options, STEPS_PER_GRAPH * options.batch_size, device)
        self.table = self.order.draw()
        self.line = torch.zeros(1, dtype=torch.int64, device=device)
        self.used = 0
        # Gradients, Adam's moments and what torch.compile chooses must be there before the capture.
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for i in range(WARM_UP_STEPS):
                self.step(self.table[0, i * self.batch:(i + 1) * self.batch])
        torch.cuda.synchronize()
        self.optimizer.zero_grad(set_to_none=True)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph, stream=stream):
            index = self.table.index_select(0, self.line).view(STEPS_PER_GRAPH, self.batch)
            self.line.add_(1)
            for batch in index.unbind(0):
                self.loss = self.step(batch)

    def step(self, index):
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.loss_of(index)
        loss.backward()
        self.optimizer.step()
        return loss.detach()

    def run(self, steps):
        for _ in range(steps // STEPS_PER_GRAPH):
            if self.used == self.order.calls:
                self.table.copy_(self.order.draw())
                self.line.zero_()
                self.used = 0
            self.graph.replay()
            self.used += 1


def compiled(function, options, graphed):
    if not hasattr(torch, "compile"):
        raise peer.Unsupported(f"torch.compile needs PyTorch 2.0 or later, this is {torch.__version__}")
    torch._dynamo.reset()
    if options.device == "cpu":
        return torch.compile(function, fullgraph=True)
    return torch.compile(function, fullgraph=True, mode="max-autotune-no-cudagraphs" if graphed else "max-autotune")


def main():
    options = peer.parse_options(__doc__, MODES)
    device = torch.device(options.device)
    cuda = options.device == "cuda"
    if cuda and not torch.cuda.is_available():
        print("torch_vae.py: this PyTorch sees no GPU", file=sys.stderr)
        return peer.NO_DEVICE
    if options.threads > 0:
        torch.set_num_threads(options.threads)
    if hasattr(torch, "set_float32_matmul_precision"):
        torch.set_float32_matmul_precision("high" if options.precision == "tf32" else "highest")
    torch.manual_seed(options.seed)
    rows = torch.empty(options.rows, options.input, device=device).bernoulli_(0.5)
    facts = {"device_name": torch.cuda.get_device_name() if cuda else None, "threads": torch.get_num_threads()}

    def measure_mode(mode):
        graphed = mode.endswith("cudagraph")
        if graphed and not cuda:
            raise peer.Unsupported("CUDA graphs need --device cuda")
        model = Vae(rows, options).to(device)
        loss_of = model.loss_bf16 if options.precision == "bf16" else model.loss
        if mode.startswith("compile"):
            loss_of = compiled(loss_of, options, graphed)
        optimizer, kind = make_adam(model, capturable=graphed)
        trainer = (Captured if graphed else StepByStep)(loss_of, optimizer, options, device)
        times, steps = peer.measure(trainer.run, torch.cuda.synchronize if cuda else lambda: None, options,
                                    trainer.granule)
        peer.report(options, times, steps, trainer.loss.item(), peer="pytorch", mode=mode, version=torch.__version__,
                    adam=kind, **facts)

    def measure_alone(mode):
        try:
            measure_mode(mode)
        finally:
            gc.collect()
            if cuda:
                torch.cuda.empty_cache()

    return peer.run_modes(options, "torch_vae.py", measure_alone)


if __name__ == "__main__":
    sys.exit(main())
