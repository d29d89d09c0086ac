"""Every figure of `vae_cuda evaluate` and `score`, from a Reference and raw rows, as docs/evaluation.md and tools.md define it.

A value comes with its size: the greatest of its magnitude, 1, and the sum (or mean) of the absolute terms that make it.
"""
import math

import numpy as np
from reference_model import EVALUATE, normals

try:
    from scipy.special import logsumexp
except ImportError:
    def logsumexp(a, axis):
        top = np.max(a, axis=axis, keepdims=True)
        return np.squeeze(top, axis) + np.log(np.sum(np.exp(a - top), axis=axis))
try:
    from sklearn.metrics import average_precision_score, mutual_info_score, roc_auc_score
except ImportError:
    def roc_auc_score(truth, score):
        above = score[truth][:, None] - score[~truth][None, :]
        return np.mean((above > 0) + 0.5 * (above == 0))

    def average_precision_score(truth, score):
        found = [(truth[score >= at].sum() / truth.sum(), truth[score >= at].mean()) for at in np.unique(score)[::-1]]
        recalls = [0.0] + [recall for recall, _ in found]
        return sum((recall - before) * precision for (recall, precision), before in zip(found, recalls))

    def mutual_info_score(a, b):
        joint = np.zeros((a.max() + 1, b.max() + 1))
        np.add.at(joint, (a, b), 1 / len(a))
        alone = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
        there = joint > 0
        return np.sum(joint[there] * np.log(joint[there] / alone[there]))


class Rows:
    """What is computed of each row: arrays of values with arrays of sizes. `told`: classes or vectors of a conditional model."""

    def __init__(self, reference, raw, told=None):
        self.reference, self.count = reference, len(raw)
        self.prepared = reference.prepare(raw)
        self.condition = reference.conditions(told)
        self.places = np.arange(self.count, dtype=np.uint64)

    def _posterior(self, seed, places):
        x = self.reference.binarized(self.prepared, seed, places)
        return x, *self.reference.encode(x, self.condition)

    def _sample(self, mean, log_variance, seed, places):
        if self.reference.latent == "vq":
            return self.reference.quantize(mean)[1], None
        if log_variance is None:
            return mean, None
        noise = normals(seed, EVALUATE, places, self.reference.latents)
        return mean + np.exp(0.5 * log_variance) * noise, noise

    def code(self):
        """Means and log-variances of the posterior as `encode` has them; the decoder's input at the mean, its size, and
        the least margin between two codes."""
        x, mean, log_variance = self._posterior(0, self.places)
        at_mean, margin = mean, 1.0
        if self.reference.latent == "vq":
            _, at_mean, margin = self.reference.quantize(mean)
        return mean, log_variance, at_mean, self.reference.head_size(x, self.condition), margin

    def elbo(self, seed, samples):
        """{reconstruction, kl, negative_elbo}: (values, sizes)."""
        lost, lost_size, kl, kl_size = (np.zeros(self.count) for _ in range(4))
        for k in range(samples):
            places = self.places * np.uint64(samples) + np.uint64(k)
            x, mean, log_variance = self._posterior(seed, places)
            z, _ = self._sample(mean, log_variance, seed, places)
            value, size = self.reference.log_loss(self.reference.decode(z, self.condition), x)
            lost, lost_size = lost + value / samples, lost_size + size / samples
            if log_variance is not None:
                terms = mean**2 + np.exp(log_variance)
                kl = kl + 0.5 * np.sum(terms - 1 - log_variance, axis=1) / samples
                kl_size = kl_size + 0.5 * np.sum(terms + 1 + np.abs(log_variance), axis=1) / samples
        if self.reference.latent == "vq":
            kl = kl_size = np.full(self.count, self.reference.codebooks * math.log(self.reference.codes))
        return {"reconstruction": (lost, lost_size), "kl": (kl, kl_size), "negative_elbo": (lost + kl, lost_size + kl_size)}

    def nll(self, seed, samples):
        x, mean, log_variance = self._posterior(seed, self.places)
        weights, sizes = np.zeros((2, samples, self.count))
        for s in range(samples):
            z, noise = self._sample(mean, log_variance, seed, self.places * np.uint64(samples) + np.uint64(s))
            value, size = self.reference.log_loss(self.reference.decode(z, self.condition), x)
            ratio = 0.5 * np.sum(z**2 - noise**2 - log_variance, axis=1)
            weights[s] = -(value + ratio)
            sizes[s] = size + 0.5 * np.sum(z**2 + noise**2 + np.abs(log_variance), axis=1)
        share = np.exp(weights - logsumexp(weights, axis=0))
        return math.log(samples) - logsumexp(weights, axis=0), np.sum(share * sizes, axis=0)

    def squared_error(self, at_mean):
        mean = self.reference.mean(self.reference.decode(at_mean, self.condition))
        target = self.prepared.astype(np.float64)
        return np.mean((mean - target)**2, axis=1), np.mean(mean**2 + target**2, axis=1)

    def norm(self):
        squares = np.sum(self.prepared.astype(np.float64)**2, axis=1)
        return squares, squares


def aggregate(mean, log_variance, seed):
    """Rows, I(x; z) and KL(q(z) ‖ N(0, 1)) over the evenly spaced rows, each with its size."""
    count = min(len(mean), 2000)
    taken = np.arange(count) * len(mean) // count
    mu, spread = mean[taken], np.exp(0.5 * log_variance[taken])
    z = mu + spread * normals(seed, EVALUATE, taken, mean.shape[1])
    density = np.zeros((count, count))
    for j in range(mean.shape[1]):
        density -= 0.5 * ((z[:, None, j] - mu[None, :, j]) / spread[None, :, j])**2
    density -= np.log(spread).sum(axis=1)[None, :]
    own = np.diag(density)
    information = np.mean(own - logsumexp(density, axis=1)) + math.log(count)
    kl = np.mean(np.sum(0.5 * (mu**2 + spread**2 - 1) - np.log(spread), axis=1))
    size = np.mean(np.abs(own)) + math.log(count)
    return count, (information, size), (kl - information, size + abs(kl))


def factor(classes, codes, bins):
    """Entropy of a factor, its information about every column of `codes`, and the gap."""
    shares = np.unique(classes, return_counts=True)[1] / len(classes)
    entropy = -np.sum(shares * np.log(shares))
    information = []
    for column in codes.T:
        low, high = np.float64(column.min()), np.float64(column.max())
        if high > low:
            place = np.minimum(((column - low) * (bins / (high - low))).astype(int), bins - 1)
        else:
            place = np.zeros(len(column), int)
        information.append(float(mutual_info_score(np.asarray(classes), place)))
    ordered = sorted(information + [0.0] if len(information) == 1 else information)
    gap = (ordered[-1] - ordered[-2]) / entropy if entropy > 0 else 0.0
    return entropy, information, gap


def bits_per_dimension(reference, value, size):
    bits, bits_size = value / math.log(2), size / math.log(2)
    if reference.model["likelihood"] != "bernoulli":
        factors = np.full(reference.columns, np.float64(reference.scale))
        if reference.document["data"]["standardize"]:
            factors = factors * reference.tensors["data.inverse_deviation"]
        bits, bits_size = bits - np.sum(np.log2(factors)), bits_size + np.sum(np.abs(np.log2(factors)))
    return bits / reference.columns, bits_size / reference.columns


def estimate(values):
    """Mean and standard error."""
    return np.mean(values), np.std(values, ddof=1) / math.sqrt(len(values)) if len(values) > 1 else 0.0
