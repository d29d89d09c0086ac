"""Trained models."""

import itertools
import os
import tempfile
from ctypes import POINTER, byref, c_double, c_uint64
from typing import Any, Dict, Optional

import numpy

from .arguments import as_flag, as_integer, as_path, as_real, as_text, float_pointer, is_path
from .arrays import as_array
from .errors import RequestError
from .interface import EvaluateOptions, Evaluation, ModelInfo, RunOn
from .library import NOTE, NOTE_PLACE, Handle, invoke, the_library, warn
from .options import label_text
from .rows import dataset_from_file, dataset_of, is_plain, labels_beside, noted, room_for, size_of, taken, values_of


def _run_on(device: str, threads: int, precision: str) -> RunOn:
    on = RunOn()
    on.device, on.precision, on.message = as_text(device, "device"), as_text(precision, "precision"), NOTE
    on.user, on.threads = NOTE_PLACE, as_integer(threads, "threads")
    return on


class Vae:
    """A trained model on a device. Use `Vae.load`; its methods may be called from several threads.

    Rows `x` may be a DataFrame, whose columns are taken by the names that the model was trained with. `labels` are
    those of the rows, for a conditional model: an array, a DataFrame's column, or the path of a file.
    It can be pickled and copied: the model file travels, and is loaded again onto the device that was asked for."""

    def __init__(self, handle: Handle, on=("auto", 0, "fp32")):
        if not isinstance(handle, Handle):
            file = repr(handle) if is_path(handle) else "path"
            raise RequestError(f"Vae takes no {type(handle).__name__}: a model is read by Vae.load({file})", 2)
        self._handle = handle
        self._on = on
        self._met_by_position = False
        info = ModelInfo()
        invoke("vaecuda_model_describe", handle, byref(info))
        self.input_dim: int = info.input_dim
        """Values in a row."""
        self.latent_dim: int = info.latent_dim
        """Values in a latent."""
        self.seed: int = info.seed
        """Seed of the training run, and of what draws where none is given."""
        shape = (info.image_height, info.image_width, info.image_channels)
        self.info: Dict[str, Any] = {
            "input_dim": info.input_dim, "latent_dim": info.latent_dim, "parameters": info.parameters,
            "steps": info.steps, "seed": info.seed, "image": shape if shape[0] > 0 else None,
            "likelihood": info.likelihood.decode(), "activation": info.activation.decode(),
            "latent": info.latent.decode(), "device": info.device.decode(), "device_note": info.device_note.decode()}
        """What the model file says about itself, where the model runs, and where "auto" came to the CPU, why."""
        with handle as model:
            for kind, name_of in (("columns", the_library().vaecuda_model_column),
                                  ("label_columns", the_library().vaecuda_model_label_column)):
                names = itertools.takewhile(lambda name: name is not None,
                                            (name_of(model, column) for column in itertools.count()))
                self.info[kind] = [name.decode("utf-8", "replace") for name in names] or None
        self._labels = labels_beside(self.info["columns"])

    @classmethod
    def load(cls, path, device: str = "auto", threads: int = 0, precision: str = "fp32") -> "Vae":
        """Reads a model file (model.safetensors of a run). device: auto, cpu, cuda, cuda:N; threads: of the CPU, 0
        for one per core."""
        on = _run_on(device, threads, precision)
        return cls(Handle("model", "vaecuda_model_load", as_path(path), byref(on)), (device, on.threads, precision))

    def save(self, path) -> None:
        """Writes the model file, as a whole or not at all."""
        invoke("vaecuda_model_save", self._handle, as_path(path))

    def close(self) -> None:
        """Gives the memory back, at once or when the calls that use it have ended. The model cannot be used
        afterwards; closing it again does nothing."""
        self._handle.close()

    def __enter__(self) -> "Vae":
        return self

    def __exit__(self, *unused) -> None:
        self.close()

    def __reduce__(self):
        with tempfile.TemporaryDirectory(prefix="vaecuda-") as folder:
            path = os.path.join(folder, "model.safetensors")
            self.save(path)
            with open(path, "rb") as file:
                return _unpickled, (file.read(), self._on)

    def __repr__(self) -> str:
        return (f"Vae(input_dim={self.input_dim}, latent_dim={self.latent_dim}, likelihood={self.info['likelihood']!r}, "
                f"device={self.info['device']!r})")

    def _seed(self, seed: Optional[int]) -> int:
        return self.seed if seed is None else as_integer(seed, "seed", c_uint64)

    def _taken(self, function: str, x, labels, name: str = "x"):
        """As taken(). That an array has no names, which the library would say, is said once as of other rows."""
        columns = self.info["columns"] if name == "x" else None
        if columns and labels is None and is_plain(x) and not self._met_by_position:
            self._met_by_position = True
            warn(f"{name}: its columns are taken by position, since it has no column names")
        return taken(function, x, labels, name, self._labels, columns, self.info["label_columns"])

    def encode(self, x, logvar: bool = False, labels=None):
        """Posterior means of rows (rows, D): (rows, Z). With `logvar` the pair of means and log variances,
        which a deterministic latent does not have."""
        logvar = as_flag(logvar, "logvar")
        function, count, rows = self._taken("vaecuda_encode", x, labels)
        mean = numpy.empty((count, self.latent_dim), numpy.float32)
        other = numpy.empty_like(mean) if logvar else None
        invoke(function, self._handle, *rows, float_pointer(mean), mean.size, float_pointer(other) if logvar else None,
               mean.size if logvar else 0)
        return (mean, other) if logvar else mean

    def _decoded(self, function: str, x, labels, name: str):
        function, count, rows = self._taken(function, x, labels, name)
        result = numpy.empty((count, self.input_dim), numpy.float32)
        invoke(function, self._handle, *rows, float_pointer(result), result.size)
        return result

    def decode(self, z, labels=None):
        """Means of p(x|z) for latents (rows, Z): (rows, D), in the units of the training data."""
        return self._decoded("vaecuda_decode", z, labels, "z")

    def reconstruct(self, x, labels=None):
        """Rows encoded to their posterior means and decoded: (rows, D)."""
        return self._decoded("vaecuda_reconstruct", x, labels, "x")

    def sample(self, count: int, seed: Optional[int] = None, temperature: float = 1.0):
        """Means of p(x|z) for z drawn from N(0, temperature²): (count, D); without a seed by that of the model, as
        `vae_cuda generate` draws. Of a conditional model:
        decode(sample_latents(count), labels=...)."""
        count, seed, temperature = as_integer(count, "count"), self._seed(seed), as_real(temperature, "temperature")
        result = room_for(count, self.input_dim)
        invoke("vaecuda_sample", self._handle, count, seed, temperature, float_pointer(result), result.size)
        return result

    def sample_latents(self, count: int, seed: Optional[int] = None, temperature: float = 1.0):
        """The z that sample() decodes: (count, Z)."""
        count, seed, temperature = as_integer(count, "count"), self._seed(seed), as_real(temperature, "temperature")
        result = room_for(count, self.latent_dim)
        invoke("vaecuda_sample_latents", self._handle, count, seed, temperature, float_pointer(result), result.size)
        return result

    def interpolate(self, z1, z2, steps: int = 10, spherical: bool = False):
        """Means of p(x|z) along `steps` latents from z1 to z2 (Z values each), ends included: (steps, D)."""
        ends = [values_of(dataset_of((z if isinstance(z, numpy.ma.MaskedArray) else as_array(z, name)).reshape(1, -1), name))
                for z, name in ((z1, "z1"), (z2, "z2"))]
        if ends[0].shape != ends[1].shape:
            raise RequestError(f"z1 has {ends[0].shape[1]} values, but z2 has {ends[1].shape[1]}", 2)
        steps = as_integer(steps, "steps")
        result = room_for(steps, self.input_dim)
        invoke("vaecuda_interpolate", self._handle, float_pointer(ends[0]), float_pointer(ends[1]), ends[0].shape[1], steps,
               as_flag(spherical, "spherical"), float_pointer(result), result.size)
        return result

    def elbo(self, x, seed: Optional[int] = None, labels=None, samples: int = 1):
        """The two terms of the negative ELBO per row in nats: -log p(x|z), in the mean over `samples` z drawn from
        q(z|x), and KL(q(z|x) || N(0, 1)), (rows,) each."""
        samples = as_integer(samples, "samples")
        if samples == 1:
            function, count, rows = self._taken("vaecuda_elbo", x, labels)
        else:
            data = noted(dataset_of(x, "x", labels, self._labels, self.info["columns"], self.info["columns"],
                                    self.info["label_columns"]))
            function, count, rows = "vaecuda_elbo_samples", size_of(data)[0], (data, samples)
        terms = numpy.empty((2, count), numpy.float32)
        first, second = map(float_pointer, terms)
        invoke(function, self._handle, *rows, self._seed(seed), first, count, second, count)
        return terms[0], terms[1]

    def score(self, x, seed: Optional[int] = None, labels=None, samples: int = 1):
        """The negative ELBO per row in nats, (rows,): large for rows that are unlike the training data. `samples` as
        in elbo(): more of them take noise out, in as many times the time."""
        reconstruction, kl = self.elbo(x, seed, labels, samples)
        return reconstruction + kl

    def log_likelihood(self, x, samples: int = 500, seed: Optional[int] = None, labels=None):
        """log p(x) per row in nats, (rows,), by importance sampling: in expectation a lower bound, tighter with every
        sample (Burda et al., arXiv 1509.00519)."""
        samples = as_integer(samples, "samples")
        function, count, rows = self._taken("vaecuda_log_likelihood", x, labels)
        result = numpy.empty(count, numpy.float32)
        invoke(function, self._handle, *rows, samples, self._seed(seed), float_pointer(result), result.size)
        return result

    def evaluate(self, data, labels=None, samples: int = 0, seed: Optional[int] = None, *, elbo_samples: int = 1,
                 anomaly_label=None, active_threshold: float = 0.01, bins: int = 20, **options) -> Dict[str, Any]:
        """What the model is worth on rows: an array or DataFrame, or the path of a file or folder, for which `options`
        say how it is read; label_column="y" of a DataFrame as well. Means over rows in nats with the standard error as
        ..._error, active_units, information, latent_kl (Z,) and more; docs/evaluation.md defines them. samples: of the
        importance-sampled nll. anomaly_label: the label that marks anomalies, which roc_auc and average_precision of the
        negative ELBO are for; without it 1 or True, where the labels are just 0 and 1 or False and True. NaN is what does not
        apply."""
        how = EvaluateOptions()
        how.samples, how.seed, how.elbo_samples = as_integer(samples, "samples"), self._seed(seed), as_integer(
            elbo_samples, "elbo_samples")
        how.active_threshold, how.bins = as_real(active_threshold, "active_threshold"), as_integer(bins, "bins")
        if anomaly_label is not None:
            how.anomaly_label = as_text(label_text(anomaly_label, "anomaly_label"), "anomaly_label")
        if is_path(data):
            rows = dataset_from_file(data, labels, self.info["columns"], self.info["label_columns"], **options)
        else:
            label_column = options.pop("label_column", self._labels)
            if options:
                raise RequestError(f"{next(iter(options))}= says how a file is read, but data is in memory", 2)
            rows = dataset_of(data, "data", labels, label_column, self.info["columns"], self.info["columns"],
                              self.info["label_columns"])
        result = Evaluation()
        latent_kl = numpy.empty(self.latent_dim)
        invoke("vaecuda_evaluate_with", self._handle, noted(rows), byref(how), byref(result),
               latent_kl.ctypes.data_as(POINTER(c_double)), latent_kl.size)
        figures = {name: getattr(result, name) for name, _ in Evaluation._fields_ if name != "size"}
        figures["latent_kl"] = latent_kl
        return figures


def _unpickled(content: bytes, on) -> Vae:
    with tempfile.TemporaryDirectory(prefix="vaecuda-") as folder:
        path = os.path.join(folder, "model.safetensors")
        with open(path, "wb") as file:
            file.write(content)
        return Vae.load(path, *on)


def write_report(folder, path=None, device: str = "auto", threads: int = 0, precision: str = "fp32") -> str:
    """Writes the page of the run in `folder` again, or of one that was stopped, from its files and the rows that its
    config.toml names: to `path`, which it gives, or to report.html in the folder."""
    page = os.path.join(os.fsdecode(as_path(folder, "folder")), "report.html") if path is None else os.fsdecode(
        as_path(path))
    invoke("vaecuda_write_report", as_path(folder, "folder"), as_path(page), byref(_run_on(device, threads, precision)))
    return page
