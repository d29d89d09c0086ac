"""The cases of independent_figures.py: every kind of model, of data and of question, each with rows made on the spot."""
import dataclasses

import numpy as np

COMMON = ["--steps", 40, "--batch-size", 32, "--lr", 5e-3, "--hidden", "10,6", "--latent-dim", 3]


@dataclasses.dataclass
class Case:
    name: str
    train: list  # options of vae_cuda_train beside COMMON; the later of two holds
    data: str = "unit"  # unit: floats in [0,1]; bytes; table: columns of unlike scale; raw: floats around 0
    told: str = ""  # "", "class", "vector": of a conditional model
    labels: bool = True
    samples: int = 7
    elbo_samples: int = 1
    bins: int = 20
    active: float = 0.01
    seed: int = None
    count: int = 120
    grown: dict = dataclasses.field(default_factory=dict)  # factors on tensors of the trained model

    def __post_init__(self):
        merged = [str(word) for word in COMMON]
        words = [str(word) for word in self.train]
        for at in range(0, len(merged), 2):
            if merged[at] not in words:
                words += merged[at:at + 2]
        self.train = words
        if "--latent" in words:
            self.samples = 0  # of a latent without density there is no likelihood


@dataclasses.dataclass
class Data:
    rows: np.ndarray  # as the model has its columns
    labels: list
    told: object
    anomaly: str
    train_file: str
    train_words: list
    file: str
    words: list


def _values(case, draw):
    hidden = draw.standard_normal((case.count, 3))
    mixed = np.tanh(hidden @ draw.standard_normal((3, 7)) + 0.2 * draw.standard_normal((case.count, 7)))
    if case.data == "unit":
        unit = (0.5 + 0.5 * mixed).astype(np.float32)
        unit[0, :3] = 0.0, 1.0, 0.5
        return unit
    if case.data == "bytes":
        return np.round(127.5 + 127.5 * mixed).astype(np.uint8)
    if case.data == "table":
        return (mixed * 10.0**np.arange(-2, 5) + 10.0**np.arange(-1, 6)).astype(np.float32)
    return (3 * mixed).astype(np.float32)


def make_data(case, folder):
    draw = np.random.Generator(np.random.PCG64(sum(case.name.encode())))
    rows = _values(case, draw)
    classes = (draw.integers(0, 3, case.count)).tolist()
    told, words = None, []
    if case.told == "vector":
        told = draw.standard_normal((case.count, 2)).astype(np.float32)
        np.save(folder / "told.npy", told)
        words = ["--labels", "told.npy"]
    elif case.told == "class":
        told = classes
    if case.data == "table":
        names = [f"c{j}" for j in range(rows.shape[1])]
        _write_table(folder / "train.csv", rows, names, classes)
        order = draw.permutation(rows.shape[1])
        _write_table(folder / "data.csv", rows[:, order], [names[j] for j in order], classes)
        return Data(rows, classes, told, "1", "train.csv", [], "data.csv", [])
    np.save(folder / "data.npy", rows)
    labels = None
    if not words and (case.labels or case.told == "class"):
        np.save(folder / "labels.npy", np.array(classes, np.uint8))
        words, labels = ["--labels", "labels.npy"], classes
    return Data(rows, labels, told, "1" if labels is not None else None, "data.npy", words, "data.npy", words)


def _write_table(path, rows, names, classes):
    lines = [",".join([*names, "label"])]
    lines += [",".join([*map(repr, map(float, row)), str(one)]) for row, one in zip(rows, classes)]
    path.write_text("\n".join(lines) + "\n")


GAUSSIAN, LAPLACE = ["--likelihood", "gaussian"], ["--likelihood", "laplace"]
STEEP = {"encoder.0.weight": 4.0, "decoder.0.weight": 4.0}  # reaches the curves of an activation

CASES = [
    Case("vae", []),
    Case("bernoulli-bytes", ["--activation", "tanh"], data="bytes", elbo_samples=3),
    Case("binarize-threshold", ["--binarize", "threshold"], samples=20),
    Case("binarize-stochastic", ["--binarize", "stochastic"], elbo_samples=3, seed=5),
    Case("gaussian", [*GAUSSIAN, "--activation", "gelu"], data="raw", bins=5, grown=STEEP),
    Case("gaussian-table", [*GAUSSIAN, "--standardize", "--sigma", 1], data="table", elbo_samples=2),
    Case("gaussian-bytes", [*GAUSSIAN, "--sigma", 0.1, "--activation", "gelu-tanh"], data="bytes", grown=STEEP),
    Case("gaussian-learned", [*GAUSSIAN, "--sigma", "learned", "--activation", "silu"], data="raw", grown=STEEP),
    Case("gaussian-head", [*GAUSSIAN, "--sigma", "head", "--activation", "leaky-relu"], data="table", elbo_samples=2),
    Case("laplace", [*LAPLACE, "--standardize"], data="table", active=0.3),
    Case("laplace-learned", [*LAPLACE, "--sigma", "learned"], data="raw", labels=False),
    Case("laplace-head", [*LAPLACE, "--sigma", "head", "--standardize"], data="table"),
    Case("logsigma-head", ["--logvar-head", "logsigma", "--latent-dim", 5], seed=2**62 + 11),
    Case("linear", ["--hidden", "none", "--latent-dim", 1, *GAUSSIAN], data="raw", samples=1),
    Case("deep", ["--hidden", "9,8,7,6", "--init", "glorot", "--output-bias", "data-mean"], samples=0),
    Case("deterministic", ["--latent", "deterministic", "--latent-l2", 0.1], elbo_samples=2),
    Case("deterministic-gaussian", ["--latent", "deterministic", *GAUSSIAN, "--standardize"], data="table"),
    Case("vq", ["--latent", "vq", "--codebook-size", 6]),
    Case("vq-gradient", ["--latent", "vq", "--codebook-size", 5, "--codebooks", 2, "--latent-dim", 4, "--codebook-update",
                         "gradient", *GAUSSIAN], data="raw"),
    Case("conditional", ["--conditional"], told="class", elbo_samples=2),
    Case("conditional-vectors", ["--conditional", *GAUSSIAN], data="raw", told="vector"),
    Case("conditional-linear", ["--conditional", "--hidden", "none", *LAPLACE], data="table", told="class"),
    Case("conditional-vq", ["--conditional", "--latent", "vq", "--codebook-size", 4, "--binarize", "stochastic"], told="class"),
    Case("iwae", ["--objective", "iwae", "--samples", 3, "--binarize", "stochastic"], samples=3),
    Case("beta", ["--beta", 4, "--scale", "largest", *GAUSSIAN], data="raw"),
    Case("no-scale", ["--scale", "none", *GAUSSIAN, "--sigma", 30], data="bytes"),
    Case("log-variance-clamped", [], grown={"head.weight": 60.0}),
    Case("head-saturated", [*GAUSSIAN, "--sigma", "head"], data="raw", grown={"output.weight": 30.0}),
    Case("sigma-clamped-below", [*GAUSSIAN, "--sigma", "learned"], data="raw", grown={"likelihood.log_sigma": 50.0}),
    Case("sigma-clamped-above", [*GAUSSIAN, "--sigma", "learned"], data="raw", grown={"likelihood.log_sigma": -50.0}),
    Case("sharp-bernoulli", ["--binarize", "threshold"], grown={"output.weight": 40.0, "decoder.0.weight": 5.0}),
]

# Rows beyond the 2,000 that are compared with each other, many samples, wide latents.
MORE_CASES = [
    Case("many-rows", ["--latent-dim", 2, *GAUSSIAN], data="raw", count=4501, samples=2),
    Case("many-samples", [], samples=1000, elbo_samples=100),
    Case("many-latents", ["--latent-dim", 70, "--hidden", "300,40"], count=400, elbo_samples=5),
    Case("many-codes", ["--latent", "vq", "--codebook-size", 200, "--codebooks", 6, "--latent-dim", 24], count=700),
]
