"""Variational autoencoders with MLP encoder and decoder: libvaecuda for Python.

One file over the library's C interface; it needs NumPy and nothing built.

    import vaecuda
    run = vaecuda.train("shapes", latent_dim=10, epochs=5)      # or a (rows, columns) array
    z = run.model.encode(x)                                      # (rows, latent_dim)
    run.model.save("model.safetensors")
    model = vaecuda.Vae.load("model.safetensors")

The library is looked for in this order: the file that the environment variable VAECUDA_LIBRARY names; beside this
file; in the installation or build that this file belongs to; where the system looks for libraries.

Rows are arrays of shape (rows, D) in the units of the training data (bytes as 0 to 255); more axes, as pictures have,
are flattened. Results are float32. Errors are the exceptions below, with the library's message.
"""

import ctypes
import ctypes.util
import functools
import glob
import os
import shutil
import sys
import tempfile
import threading
from ctypes import POINTER, Structure, byref, c_char_p, c_double, c_float, c_int, c_int64, c_size_t, c_uint8, c_uint64
from ctypes import c_void_p
from typing import Any, Callable, Dict, NamedTuple, Optional

import numpy

__all__ = ["Vae", "train", "load_rows", "version", "build_info", "Training", "Error", "RequestError", "FileError",
           "OutOfMemoryError", "DeviceError", "DivergedError"]


class Error(RuntimeError):
    """Any failure that the library reports. `status` is its number, the exit code of the programs."""

    def __init__(self, message: str, status: int = 1):
        super().__init__(message)
        self.status = status


class RequestError(Error, ValueError):
    """A request that makes no sense: an unknown option, a value out of range, rows of the wrong width."""


class FileError(Error):
    """Data or a model file that cannot be used."""


class OutOfMemoryError(Error, MemoryError):
    """Host or device memory that could not be had."""


class DeviceError(Error):
    """No such device, or one that cannot do what was asked."""


class DivergedError(Error):
    """Training met a value that is not finite."""


_STOPPED = 75
_ERRORS = {2: RequestError, 3: FileError, 4: OutOfMemoryError, 5: DeviceError, 6: DivergedError}


# The structures of vaecuda.h. `size` says how much of one this file knows.
class _Sized(Structure):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if not args:
            self.size = ctypes.sizeof(self)


class _Progress(Structure):
    _fields_ = [("step", c_int64), ("total_steps", c_int64), ("epoch", c_int64), ("total_epochs", c_int64),
                ("seconds", c_double), ("rows_per_second", c_double), ("lr", c_double), ("loss", c_double),
                ("reconstruction", c_double), ("kl", c_double), ("valid_loss", c_double), ("epoch_end", c_int),
                ("improved", c_int)]


_MESSAGE = ctypes.CFUNCTYPE(None, c_void_p, c_char_p)
_PROGRESS = ctypes.CFUNCTYPE(None, c_void_p, POINTER(_Progress))
_STOP = ctypes.CFUNCTYPE(c_int, c_void_p)


class _Observer(_Sized):
    _fields_ = [("size", c_size_t), ("user", c_void_p), ("message", _MESSAGE), ("progress", _PROGRESS), ("stop", _STOP)]


class _Summary(_Sized):
    _fields_ = [("size", c_size_t), ("steps", c_int64), ("epochs", c_int64), ("best_epoch", c_int64),
                ("parameters", c_int64), ("seconds", c_double), ("rows_per_second", c_double), ("train_loss", c_double),
                ("valid_loss", c_double), ("test_loss", c_double), ("stopped_early", c_int)]


class _RunOn(_Sized):
    _fields_ = [("size", c_size_t), ("device", c_char_p), ("threads", c_int64), ("precision", c_char_p)]


class _ModelInfo(_Sized):
    _fields_ = [("size", c_size_t), ("input_dim", c_int64), ("latent_dim", c_int64), ("parameters", c_int64),
                ("steps", c_int64), ("seed", c_uint64), ("image_height", c_int64), ("image_width", c_int64),
                ("image_channels", c_int64), ("likelihood", c_char_p), ("activation", c_char_p), ("latent", c_char_p),
                ("device", c_char_p), ("device_note", c_char_p)]


class _Evaluation(_Sized):
    _fields_ = [("size", c_size_t), ("rows", c_int64), ("active_units", c_int64)] + [
        (name, c_double) for name in (
            "negative_elbo", "negative_elbo_error", "reconstruction", "reconstruction_error", "kl", "kl_error", "nll",
            "nll_error", "squared_error", "squared_error_error", "negative_elbo_bits", "nll_bits", "information",
            "marginal_kl", "mutual_information_gap")]


_FLOATS = POINTER(c_float)
_HANDLE = c_void_p
_FUNCTIONS = {
    "vaecuda_dataset_load": [c_char_p, c_char_p, POINTER(_HANDLE)],
    "vaecuda_dataset_from_floats": [_FLOATS, c_int64, c_int64, POINTER(_HANDLE)],
    "vaecuda_dataset_from_bytes": [POINTER(c_uint8), c_int64, c_int64, POINTER(_HANDLE)],
    "vaecuda_dataset_set_image": [_HANDLE, c_int64, c_int64, c_int64],
    "vaecuda_dataset_size": [_HANDLE, POINTER(c_int64), POINTER(c_int64)],
    "vaecuda_dataset_values": [_HANDLE, c_int64, c_int64, _FLOATS, c_size_t],
    "vaecuda_config_create": [POINTER(_HANDLE)],
    "vaecuda_config_set": [_HANDLE, c_char_p, c_char_p],
    "vaecuda_config_load": [_HANDLE, c_char_p],
    "vaecuda_config_load_run": [_HANDLE, c_char_p],
    "vaecuda_train": [_HANDLE, _HANDLE, _HANDLE, _HANDLE, POINTER(_Observer), POINTER(_Summary)],
    "vaecuda_train_resume": [_HANDLE, _HANDLE, _HANDLE, _HANDLE, POINTER(_Observer), POINTER(_Summary)],
    "vaecuda_model_load": [c_char_p, POINTER(_RunOn), POINTER(_HANDLE)],
    "vaecuda_model_save": [_HANDLE, c_char_p],
    "vaecuda_model_describe": [_HANDLE, POINTER(_ModelInfo)],
    "vaecuda_encode": [_HANDLE, _FLOATS, c_int64, c_int64, _FLOATS, c_size_t, _FLOATS, c_size_t],
    "vaecuda_decode": [_HANDLE, _FLOATS, c_int64, c_int64, _FLOATS, c_size_t],
    "vaecuda_reconstruct": [_HANDLE, _FLOATS, c_int64, c_int64, _FLOATS, c_size_t],
    "vaecuda_sample": [_HANDLE, c_int64, c_uint64, c_double, _FLOATS, c_size_t],
    "vaecuda_sample_latents": [_HANDLE, c_int64, c_uint64, c_double, _FLOATS, c_size_t],
    "vaecuda_interpolate": [_HANDLE, _FLOATS, _FLOATS, c_int64, c_int64, c_int, _FLOATS, c_size_t],
    "vaecuda_elbo": [_HANDLE, _FLOATS, c_int64, c_int64, c_uint64, _FLOATS, c_size_t, _FLOATS, c_size_t],
    "vaecuda_score": [_HANDLE, _FLOATS, c_int64, c_int64, c_uint64, _FLOATS, c_size_t],
    "vaecuda_log_likelihood": [_HANDLE, _FLOATS, c_int64, c_int64, c_int64, c_uint64, _FLOATS, c_size_t],
    "vaecuda_evaluate": [_HANDLE, _HANDLE, c_int64, c_uint64, POINTER(_Evaluation), POINTER(c_double), c_size_t],
}


def _candidates():
    """Files that may be the library, best first."""
    named = os.environ.get("VAECUDA_LIBRARY")
    if named:
        yield named
        return  # who names a file does not want another
    here = os.path.dirname(os.path.realpath(__file__))
    folders = [here]
    for up in ("../../..", "../.."):  # <prefix>/share/vaecuda/python; <source tree>/tools/python
        prefix = os.path.normpath(os.path.join(here, up))
        folders += [os.path.join(prefix, "lib"), os.path.join(prefix, "lib64")]
        folders += sorted(glob.glob(os.path.join(glob.escape(prefix), "lib", "*-linux-gnu*")))
        folders += sorted(glob.glob(os.path.join(glob.escape(prefix), "build*", "lib")))
        folders += sorted(glob.glob(os.path.join(glob.escape(prefix), "build", "*", "lib")))
    for folder in folders:
        yield from sorted(glob.glob(os.path.join(glob.escape(folder), "libvaecuda.so*")))
    system = ctypes.util.find_library("vaecuda")
    if system:
        yield system


@functools.lru_cache(maxsize=None)
def _library() -> ctypes.CDLL:
    tried = []
    for file in _candidates():
        try:
            library = ctypes.CDLL(file)
            for name, arguments in _FUNCTIONS.items():
                function = getattr(library, name)
                function.argtypes, function.restype = arguments, c_int
        except (OSError, AttributeError) as error:
            tried.append(f"{file}: {error}")
            continue
        for name in ("vaecuda_version", "vaecuda_build_info", "vaecuda_last_error"):
            getattr(library, name).restype = c_char_p
        for name in ("vaecuda_dataset_free", "vaecuda_config_free", "vaecuda_model_free"):
            getattr(library, name).argtypes, getattr(library, name).restype = [_HANDLE], None
        return library
    raise Error("libvaecuda.so was not found; install vaecuda, or name the file in the environment variable "
                "VAECUDA_LIBRARY" + "".join(f"\n  {line}" for line in tried))


def _call(name: str, *arguments) -> int:
    """Calls a function of the library; a status that is an error becomes an exception."""
    status = getattr(_library(), name)(*arguments)
    if status not in (0, _STOPPED):
        message = _library().vaecuda_last_error().decode("utf-8", "replace")
        raise _ERRORS.get(status, Error)(message, status)
    return status


def version() -> str:
    """The library's version."""
    return _library().vaecuda_version().decode()


def build_info() -> str:
    """Compiler, BLAS and CUDA support of the library."""
    return _library().vaecuda_build_info().decode()


class _Owned:
    """A handle that is given back when it is no longer used."""

    def __init__(self, kind: str, maker: str, *arguments):
        self.value = _HANDLE()
        self._free = None
        _call(maker, *arguments, byref(self.value))
        self._free = getattr(_library(), f"vaecuda_{kind}_free")

    def close(self):
        if self._free is not None and self.value:
            self._free(self.value)
            self.value = _HANDLE()

    def __del__(self):
        self.close()


def _path(path) -> bytes:
    return os.fsencode(os.fspath(path))


def _pointer(array):
    return array.ctypes.data_as(_FLOATS)


def _rows(values, name: str = "x"):
    """A float32 array (rows, columns) of what a caller gives."""
    array = numpy.asarray(values)
    if array.ndim < 2:
        raise RequestError(f"{name} has the shape {array.shape}, but rows have two axes, (rows, columns); "
                           "one row is x[None, :]", 2)
    if array.dtype.kind not in "fiub":
        raise RequestError(f"{name} holds {array.dtype}, but rows are numbers", 2)
    width = int(numpy.prod(array.shape[1:], dtype=numpy.int64))
    return numpy.ascontiguousarray(array.reshape(array.shape[0], width), dtype=numpy.float32)


class Vae:
    """A trained model on a device. Use `Vae.load`; its methods may be called from several threads."""

    def __init__(self, handle: _Owned):
        self._handle = handle
        info = _ModelInfo()
        _call("vaecuda_model_describe", handle.value, byref(info))
        self.input_dim: int = info.input_dim
        """Values in a row."""
        self.latent_dim: int = info.latent_dim
        """Values in a latent."""
        self.seed: int = info.seed
        """Seed of the training run, and of elbo() and score() where none is given."""
        shape = (info.image_height, info.image_width, info.image_channels)
        self.info: Dict[str, Any] = {
            "input_dim": info.input_dim, "latent_dim": info.latent_dim, "parameters": info.parameters,
            "steps": info.steps, "seed": info.seed, "image": shape if shape[0] > 0 else None,
            "likelihood": info.likelihood.decode(), "activation": info.activation.decode(),
            "latent": info.latent.decode(), "device": info.device.decode(), "device_note": info.device_note.decode()}
        """What the model file says about itself, where the model runs, and where "auto" came to the CPU, why."""

    @classmethod
    def load(cls, path, device: str = "auto", threads: int = 0, precision: str = "fp32") -> "Vae":
        """Reads a model file (model.safetensors of a run). device: auto, cpu, cuda, cuda:N; threads: of the CPU, 0
        for one per core."""
        on = _RunOn()
        on.device, on.threads, on.precision = device.encode(), threads, precision.encode()
        return cls(_Owned("model", "vaecuda_model_load", _path(path), byref(on)))

    def save(self, path) -> None:
        """Writes the model file, as a whole or not at all."""
        _call("vaecuda_model_save", self._handle.value, _path(path))

    def close(self) -> None:
        """Gives the memory back at once. The model cannot be used afterwards."""
        self._handle.close()

    def __enter__(self) -> "Vae":
        return self

    def __exit__(self, *unused) -> None:
        self.close()

    def __repr__(self) -> str:
        return (f"Vae(input_dim={self.input_dim}, latent_dim={self.latent_dim}, likelihood={self.info['likelihood']!r}, "
                f"device={self.info['device']!r})")

    def _through(self, function: str, rows, width: int):
        result = numpy.empty((len(rows), width), numpy.float32)
        _call(function, self._handle.value, _pointer(rows), *rows.shape, _pointer(result), result.size)
        return result

    def encode(self, x, logvar: bool = False):
        """Posterior means of rows (rows, D): (rows, Z). With `logvar` the pair of means and log variances,
        which a deterministic latent does not have."""
        rows = _rows(x)
        mean = numpy.empty((len(rows), self.latent_dim), numpy.float32)
        other = numpy.empty_like(mean) if logvar else None
        _call("vaecuda_encode", self._handle.value, _pointer(rows), *rows.shape, _pointer(mean), mean.size,
              _pointer(other) if logvar else None, mean.size if logvar else 0)
        return (mean, other) if logvar else mean

    def decode(self, z):
        """Means of p(x|z) for latents (rows, Z): (rows, D), in the units of the training data."""
        return self._through("vaecuda_decode", _rows(z, "z"), self.input_dim)

    def reconstruct(self, x):
        """Rows encoded to their posterior means and decoded: (rows, D)."""
        return self._through("vaecuda_reconstruct", _rows(x), self.input_dim)

    def sample(self, count: int, seed: int = 0, temperature: float = 1.0):
        """Means of p(x|z) for z drawn from N(0, temperature²): (count, D)."""
        result = numpy.empty((max(count, 0), self.input_dim), numpy.float32)
        _call("vaecuda_sample", self._handle.value, count, seed, temperature, _pointer(result), result.size)
        return result

    def sample_latents(self, count: int, seed: int = 0, temperature: float = 1.0):
        """The z that sample() decodes: (count, Z)."""
        result = numpy.empty((max(count, 0), self.latent_dim), numpy.float32)
        _call("vaecuda_sample_latents", self._handle.value, count, seed, temperature, _pointer(result), result.size)
        return result

    def interpolate(self, z1, z2, steps: int = 10, spherical: bool = False):
        """Means of p(x|z) along `steps` latents from z1 to z2 (Z values each), ends included: (steps, D)."""
        ends = [_rows(numpy.asarray(z).reshape(1, -1), name) for z, name in ((z1, "z1"), (z2, "z2"))]
        if ends[0].shape != ends[1].shape:
            raise RequestError(f"z1 has {ends[0].shape[1]} values, but z2 has {ends[1].shape[1]}", 2)
        result = numpy.empty((max(steps, 0), self.input_dim), numpy.float32)
        _call("vaecuda_interpolate", self._handle.value, _pointer(ends[0]), _pointer(ends[1]), ends[0].shape[1], steps,
              int(spherical), _pointer(result), result.size)
        return result

    def elbo(self, x, seed: Optional[int] = None):
        """The two terms of the negative ELBO per row in nats, for one z drawn from q(z|x): -log p(x|z) and
        KL(q(z|x) || N(0, 1)), (rows,) each."""
        rows = _rows(x)
        terms = numpy.empty((2, len(rows)), numpy.float32)
        _call("vaecuda_elbo", self._handle.value, _pointer(rows), *rows.shape, self.seed if seed is None else seed,
              _pointer(terms[0]), len(rows), _pointer(terms[1]), len(rows))
        return terms[0], terms[1]

    def score(self, x, seed: Optional[int] = None):
        """The negative ELBO per row in nats, (rows,): large for rows that are unlike the training data."""
        rows = _rows(x)
        result = numpy.empty(len(rows), numpy.float32)
        _call("vaecuda_score", self._handle.value, _pointer(rows), *rows.shape, self.seed if seed is None else seed,
              _pointer(result), result.size)
        return result

    def log_likelihood(self, x, samples: int = 500, seed: Optional[int] = None):
        """log p(x) per row in nats, (rows,), by importance sampling: in expectation a lower bound, tighter with every
        sample (Burda et al., arXiv 1509.00519)."""
        rows = _rows(x)
        result = numpy.empty(len(rows), numpy.float32)
        _call("vaecuda_log_likelihood", self._handle.value, _pointer(rows), *rows.shape, samples,
              self.seed if seed is None else seed, _pointer(result), result.size)
        return result

    def evaluate(self, data, labels=None, samples: int = 0, seed: Optional[int] = None) -> Dict[str, Any]:
        """What the model is worth on rows: an array, or the path of a file or folder, with a file of labels. Means
        over rows in nats with the standard error as ..._error, active_units, information, latent_kl (Z,) and more;
        docs/evaluation.md defines them. samples: of the importance-sampled nll. NaN is what does not apply."""
        if isinstance(data, (str, os.PathLike)):
            handle = _Owned("dataset", "vaecuda_dataset_load", _path(data), None if labels is None else _path(labels))
        elif labels is not None:
            raise RequestError("labels is the path of a file, and belongs to rows from a file", 2)
        else:
            handle = _dataset(data, "data")
        result = _Evaluation()
        latent_kl = numpy.empty(self.latent_dim)
        _call("vaecuda_evaluate", self._handle.value, handle.value, samples, self.seed if seed is None else seed,
              byref(result), latent_kl.ctypes.data_as(POINTER(c_double)), latent_kl.size)
        figures = {name: getattr(result, name) for name, _ in _Evaluation._fields_ if name != "size"}
        figures["latent_kl"] = latent_kl
        return figures


def load_rows(path, labels=None):
    """The rows of a file that the library can read (IDX, .npy, CSV, folders, "shapes"): float32 (rows, columns)."""
    data = _Owned("dataset", "vaecuda_dataset_load", _path(path), None if labels is None else _path(labels))
    return _values(data)


def _values(data: _Owned):
    rows, columns = c_int64(), c_int64()
    _call("vaecuda_dataset_size", data.value, byref(rows), byref(columns))
    values = numpy.empty((rows.value, columns.value), numpy.float32)
    _call("vaecuda_dataset_values", data.value, 0, rows.value, _pointer(values), values.size)
    return values


def _dataset(values, name: str) -> _Owned:
    """A data set of an array. Bytes stay bytes, since their scale is another than that of floats."""
    array = numpy.asarray(values)
    if array.dtype == numpy.uint8 and array.ndim >= 2:
        rows = numpy.ascontiguousarray(array.reshape(array.shape[0], -1))
        data = _Owned("dataset", "vaecuda_dataset_from_bytes", rows.ctypes.data_as(POINTER(c_uint8)), *rows.shape)
    else:
        rows = _rows(array, name)
        data = _Owned("dataset", "vaecuda_dataset_from_floats", _pointer(rows), *rows.shape)
    if array.ndim in (3, 4):
        _call("vaecuda_dataset_set_image", data.value, *array.shape[1:3], array.shape[3] if array.ndim == 4 else 1)
    return data


def _option_text(value) -> str:
    if isinstance(value, (bool, numpy.bool_)):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return ",".join(_option_text(part) for part in value) or "none"
    if isinstance(value, (float, numpy.floating)):
        return repr(float(value))
    return str(value)


def _in_thread(work, failures: list):
    """Runs `work` in another thread, since a signal interrupts Python's code alone, not that of a library. What the
    waiting thread is interrupted by goes to `failures`, where `work` looks."""
    results = []

    def call():
        try:
            results.append(work())
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    while thread.is_alive():
        try:
            thread.join()
        except BaseException as error:
            failures.append(error)
    return results[0] if results else None


class Training(NamedTuple):
    """A finished run."""

    model: Vae
    summary: Dict[str, Any]
    """steps, epochs, seconds, rows_per_second, losses (NaN where there were no rows), stopped, ..."""
    folder: Optional[str]
    """Where the run lies; None where no folder was asked for."""


def train(data=None, valid=None, test=None, out=None, *, config=None, resume=None, message: Optional[Callable[[str], None]] = None,
          progress: Optional[Callable[[Dict[str, Any]], None]] = None, stop: Optional[Callable[[], bool]] = None,
          **options) -> Training:
    """Trains a model.

    data: an array (rows, D), or (rows, height, width[, channels]) for pictures, uint8 or float; or the path of a file
    or folder; or None where `config` says it. valid, test: held-out rows, of the same kind as `data`.
    out: the folder of the run; without it the run's files are removed once the model is loaded.
    config: a TOML file with options. options: those of `vae_cuda_train --help`, with underscores: latent_dim=10,
    hidden=[400, 200], lr=1e-3, likelihood="gaussian", standardize=True.
    resume: the folder of a run that was stopped or killed, or is to become longer (epochs=...); it goes on from its last
    checkpoint, and the folder becomes what one run would have made it. Everything comes from that run, so `out` and
    `config` are refused, as is an option that would change its result; rows in memory have to be given again.
    message, progress: called with a line, and with a dict, a few times a second. stop: asked as often; True ends the
    run after saving. Ctrl-C does the same and then raises KeyboardInterrupt. The run, and so what it calls, has a
    thread of its own.
    """
    if resume is not None and (out is not None or config is not None):
        raise RequestError("out and config contradict resume: everything comes from the run that is resumed", 2)
    settings = _Owned("config", "vaecuda_config_create")

    def put(option: str, value) -> None:
        _call("vaecuda_config_set", settings.value, f"--{option}".encode(), _option_text(value).encode())

    if resume is not None:
        _call("vaecuda_config_load_run", settings.value, _path(resume))
    if config is not None:
        _call("vaecuda_config_load", settings.value, _path(config))
    for option, value in options.items():
        put(option, value)
    rows = {"data": data, "valid": valid, "test": test}
    in_memory = {}
    for name, value in rows.items():
        if isinstance(value, (str, os.PathLike)):
            put(name, os.fspath(value))
        elif value is not None:
            in_memory[name] = _dataset(value, name)

    failures = []

    def guarded(function, fallback):
        """A callback. What it raises ends the run, and is raised again after it; ctypes would print and forget it."""
        def call(*arguments):
            try:
                return fallback if failures else function(*arguments)
            except BaseException as error:
                failures.append(error)
                return fallback
        return call

    observer = _Observer()
    if message is not None:
        observer.message = _MESSAGE(guarded(lambda _, line: message(line.decode("utf-8", "replace")), None))
    if progress is not None:
        observer.progress = _PROGRESS(guarded(
            lambda _, now: progress({name: getattr(now.contents, name) for name, _ in _Progress._fields_}), None))
    observer.stop = _STOP(guarded(lambda _: int(stop is not None and bool(stop())), 1))

    summary = _Summary()
    function = "vaecuda_train" if resume is None else "vaecuda_train_resume"
    temporary = tempfile.mkdtemp(prefix="vaecuda-") if out is None and resume is None else None
    try:
        folder = temporary or os.fspath(out if resume is None else resume)
        if resume is None:
            put("out", folder)
        handles = [in_memory[name].value if name in in_memory else None for name in rows]
        status = _in_thread(
            lambda: _call(function, settings.value, *handles, byref(observer), byref(summary)), failures)
        if failures:
            raise failures[0]
        model = Vae.load(os.path.join(folder, "model.safetensors"), device=options.get("device", "auto"))
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)
    figures = {name: getattr(summary, name) for name, _ in _Summary._fields_ if name != "size"}
    figures["stopped_early"] = bool(figures["stopped_early"])
    figures["stopped"] = status == _STOPPED
    return Training(model, figures, None if temporary else folder)


if __name__ == "__main__":
    print(f"vaecuda {version()}, {build_info()}", file=sys.stdout)
