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
are flattened; or DataFrames, whose columns meet those of a model by name. Results are float32. Errors are the
exceptions below, with the library's message; what it warns of is a VaecudaWarning.
"""

import contextlib
import ctypes
import ctypes.util
import functools
import glob
import itertools
import operator
import os
import queue
import re
import shutil
import sys
import tempfile
import threading
import types
import warnings
import weakref
from ctypes import POINTER, Structure, byref, c_char_p, c_double, c_float, c_int, c_int64, c_size_t, c_uint64, c_void_p
from typing import Any, Callable, Dict, NamedTuple, Optional

import numpy

__all__ = ["Vae", "train", "load_rows", "version", "build_info", "Training", "Error", "RequestError", "FileError",
           "OutOfMemoryError", "DeviceError", "DivergedError", "VaecudaWarning"]


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


class VaecudaWarning(UserWarning):
    """What may be wrong with a result although nothing failed, with the remedy."""


_STOPPED = 75
_WARNING = "warning: "
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
    _fields_ = [("size", c_size_t), ("device", c_char_p), ("threads", c_int64), ("precision", c_char_p),
                ("user", c_void_p), ("message", _MESSAGE)]


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
            "marginal_kl", "mutual_information_gap")] + [
        ("anomalies", c_int64), ("roc_auc", c_double), ("average_precision", c_double)]


class _EvaluateOptions(_Sized):
    _fields_ = [("size", c_size_t), ("samples", c_int64), ("seed", c_uint64), ("elbo_samples", c_int64),
                ("active_threshold", c_double), ("bins", c_int64), ("anomaly_label", c_char_p)]


class _Array(_Sized):
    _fields_ = [("size", c_size_t), ("data", c_void_p), ("type", c_int), ("axes", c_int64), ("shape", POINTER(c_int64)),
                ("strides", POINTER(c_int64)), ("swapped", c_int), ("mask", c_void_p), ("mask_strides", POINTER(c_int64)),
                ("name", c_char_p)]


_TYPES = {"b1": 0, "u1": 1, "i1": 2, "u2": 3, "i2": 4, "u4": 5, "i4": 6, "u8": 7, "i8": 8, "f4": 9, "f8": 10}
_TEXT = 11

_FLOATS = POINTER(c_float)
_HANDLE = c_void_p
_FUNCTIONS = {
    "vaecuda_dataset_from_array": [POINTER(_Array), POINTER(_HANDLE)],
    "vaecuda_dataset_from_columns": [POINTER(POINTER(_Array)), c_int64, c_char_p, POINTER(_HANDLE)],
    "vaecuda_dataset_from_config": [_HANDLE, POINTER(_HANDLE)],
    "vaecuda_dataset_set_labels": [_HANDLE, POINTER(_Array)],
    "vaecuda_dataset_load_labels": [_HANDLE, c_char_p],
    "vaecuda_dataset_notes": [_HANDLE, c_char_p, c_size_t, POINTER(c_size_t)],
    "vaecuda_dataset_size": [_HANDLE, POINTER(c_int64), POINTER(c_int64)],
    "vaecuda_dataset_values": [_HANDLE, c_int64, c_int64, _FLOATS, c_size_t],
    "vaecuda_config_create": [POINTER(_HANDLE)],
    "vaecuda_config_set": [_HANDLE, c_char_p, c_char_p],
    "vaecuda_config_preset": [_HANDLE, c_char_p],
    "vaecuda_config_load": [_HANDLE, c_char_p],
    "vaecuda_config_get": [_HANDLE, c_char_p, c_char_p, c_size_t, POINTER(c_size_t)],
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
    "vaecuda_log_likelihood": [_HANDLE, _FLOATS, c_int64, c_int64, c_int64, c_uint64, _FLOATS, c_size_t],
    "vaecuda_encode_dataset": [_HANDLE, _HANDLE, _FLOATS, c_size_t, _FLOATS, c_size_t],
    "vaecuda_decode_dataset": [_HANDLE, _HANDLE, _FLOATS, c_size_t],
    "vaecuda_reconstruct_dataset": [_HANDLE, _HANDLE, _FLOATS, c_size_t],
    "vaecuda_elbo_dataset": [_HANDLE, _HANDLE, c_uint64, _FLOATS, c_size_t, _FLOATS, c_size_t],
    "vaecuda_log_likelihood_dataset": [_HANDLE, _HANDLE, c_int64, c_uint64, _FLOATS, c_size_t],
    "vaecuda_elbo_samples": [_HANDLE, _HANDLE, c_int64, c_uint64, _FLOATS, c_size_t, _FLOATS, c_size_t],
    "vaecuda_evaluate_with": [_HANDLE, _HANDLE, POINTER(_EvaluateOptions), POINTER(_Evaluation), POINTER(c_double), c_size_t],
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
        library.vaecuda_model_column.argtypes, library.vaecuda_model_column.restype = [_HANDLE, c_int64], c_char_p
        for name in ("vaecuda_dataset_free", "vaecuda_config_free", "vaecuda_model_free"):
            getattr(library, name).argtypes, getattr(library, name).restype = [_HANDLE], None
        return library
    raise Error("libvaecuda.so was not found; install vaecuda, or name the file in the environment variable "
                "VAECUDA_LIBRARY" + "".join(f"\n  {line}" for line in tried))


def _warn(text: str) -> None:
    """A warning at the line outside this file that led here."""
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and frame.f_code.co_filename == __file__:
        level, frame = level + 1, frame.f_back
    warnings.warn(text, VaecudaWarning, stacklevel=level)


_said = threading.local()  # lines that the library says during a call of this thread


# What a terminal obeys instead of showing it, but for line ends: C0 and C1, marks of direction, separators of lines.
_OBEYED = re.compile("[\\x00-\\x09\\x0b-\\x1f\\x7f-\\x9f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u206f\\ufeff\\ufff9-\\ufffb"
                     "\\U000e0000-\\U000e007f]")


def _shown(message: bytes) -> str:
    """A message of the library, which may hold names from files, as a terminal may show it."""
    return _OBEYED.sub(lambda found: ascii(found.group())[1:-1], message.decode("utf-8", "backslashreplace"))


def _note(_, line: bytes) -> None:
    _said.__dict__.setdefault("lines", []).append(_shown(line))


_NOTE = _MESSAGE(_note)


_RANGES = {c_int64: (-(1 << 63), (1 << 63) - 1), c_uint64: (0, (1 << 64) - 1)}


def _integer(value, name: str, kind=c_int64) -> int:
    """A number as C takes it. ctypes would keep the lower bits of one that is too large for the type, or negative."""
    least, most = _RANGES[kind]
    try:
        number = operator.index(value)
    except TypeError:
        raise RequestError(f"{name} is {value!r}, but a whole number is expected", 2) from None
    if not least <= number <= most:
        said = number if number.bit_length() < 200 else f"a number of {number.bit_length()} bits"
        raise RequestError(f"{name} is {said}; expected a whole number from {least} to {most}", 2)
    return number


def _flag(value, name: str) -> int:
    """True or False as C takes it."""
    if isinstance(value, (bool, numpy.bool_)) or (isinstance(value, (int, numpy.integer)) and value in (0, 1)):
        return int(value)
    raise RequestError(f"{name} is {value!r}, but True or False is expected", 2)


def _real(value, name: str) -> float:
    """A number as C takes it, of any type that has one."""
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        raise RequestError(f"{name} is {value!r}, but a number is expected", 2) from None


def _text(value, name: str) -> bytes:
    """A text as C takes it, for which a zero byte is the end."""
    if not isinstance(value, (str, bytes)):
        raise RequestError(f"{name} is {value!r}, but a text is expected", 2)
    try:
        encoded = os.fsencode(value)
    except UnicodeEncodeError as error:
        raise RequestError(f"{name} is {value!r}: {error}", 2) from None
    if b"\0" in encoded:
        raise RequestError(f"{name} is {value!r}: a text for the library cannot hold the character of code 0", 2)
    return encoded


def _call(name: str, *arguments) -> int:
    """Calls a function of the library; a status that is an error becomes an exception. What a model says of the rows
    that it is given becomes a warning."""
    for argument in arguments:
        if isinstance(argument, bytes):
            _text(argument, "a text")
    with contextlib.ExitStack() as used:
        status = getattr(_library(), name)(
            *[used.enter_context(argument) if isinstance(argument, _Owned) else argument for argument in arguments])
    lines = _said.__dict__.pop("lines", ())
    if status not in (0, _STOPPED):
        message = _shown(_library().vaecuda_last_error())
        raise _ERRORS.get(status, Error)(message, status)
    for line in lines:
        _warn(line[len(_WARNING):] if line.startswith(_WARNING) else line)
    return status


def version() -> str:
    """The library's version."""
    return _library().vaecuda_version().decode()


def build_info() -> str:
    """Compiler, BLAS and CUDA support of the library."""
    return _library().vaecuda_build_info().decode()


class _Owned:
    """A handle, given back when it is closed or no longer used, but not while a call uses it. At the interpreter's end
    it is left to the system: threads may still be at work then."""

    def __init__(self, kind: str, maker: str, *arguments):
        value = _HANDLE()
        _call(maker, *arguments, byref(value))
        self._kind, self._value, self._lock, self._uses, self._closed = kind, value, threading.Lock(), 0, False
        self._free = weakref.finalize(self, getattr(_library(), f"vaecuda_{kind}_free"), value)
        self._free.atexit = False

    def __enter__(self):
        with self._lock:
            if self._closed:
                raise RequestError(f"the {self._kind} was closed", 2)
            self._uses += 1
        return self._value

    def __exit__(self, *unused) -> None:
        with self._lock:
            self._uses -= 1
            if self._closed and self._uses == 0:
                self._free()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            if self._uses == 0:
                self._free()  # which does nothing a second time


def _path(path, name: str = "path") -> bytes:
    try:
        return _text(os.fspath(path), name)
    except TypeError:
        raise RequestError(f"{name} is {path!r}, but the path of a file or folder is expected", 2) from None


def _is_path(value) -> bool:
    return isinstance(value, (str, bytes, os.PathLike))


def _pointer(array):
    return array.ctypes.data_as(_FLOATS)


def _is_missing(value) -> bool:
    return value is None or (isinstance(value, float) and value != value) or type(value).__name__ in ("NAType", "NaTType")


def _refuse_objects(array, where: str, wanted: str):
    """Python objects are no numbers; says which is none, where one is."""
    for place, value in numpy.ndenumerate(array):
        if _is_missing(value) or not isinstance(value, (int, float, numpy.number, numpy.bool_)):
            at = f"row {place[0]}" + "".join(f", column {column}" for column in place[1:])
            what = "is missing" if _is_missing(value) else f"is {value!r}"
            raise RequestError(f"{where}: {at} (counted from 0) {what}, but {wanted}", 2)
    raise RequestError(f"{where} holds Python objects (dtype object), but {wanted}: convert it, as by "
                       ".astype('float64')", 2)


_ROWS = "rows are numbers"
_LABELS = "labels are all whole numbers or all texts, one for each row"


def _array(values, where: str):
    """Anything as an array. A bytes text is UTF-8."""
    if hasattr(values, "toarray"):
        raise RequestError(f"{where} is a sparse matrix ({type(values).__module__.split('.')[0]}.sparse), but rows are "
                           f"dense arrays: give {where}.toarray()", 2)
    try:
        array = numpy.asarray(values)
    except Exception as error:  # rows of unlike length; a tensor of another device or with a gradient
        raise RequestError(f"{where}: {error}", 2) from None
    return numpy.char.decode(array, "utf-8", "backslashreplace") if array.dtype.kind == "S" and array.ndim else array


def _view(values, where: str, name: str = "", mask=None, wanted: str = _ROWS) -> _Array:
    """An array as the library takes it, which reads it where it lies. `where` and `wanted` are for messages of this
    file, `name` for those of the library."""
    if isinstance(values, numpy.ma.MaskedArray):
        mask, values = numpy.ma.getmaskarray(values), values.data
    array = _array(values, where)
    if array.ndim == 0:
        shape = "rows are arrays (rows, columns)" if wanted == _ROWS else wanted
        raise RequestError(f"{where} is a {type(values).__name__} of shape (), but {shape}", 2)
    texts = None
    kind = array.dtype.kind
    if kind in "UT" or (kind == "O" and all(isinstance(value, str) or _is_missing(value) for value in array.flat)):
        texts = (c_char_p * max(1, array.size))(*[None if _is_missing(value) else _text(value, f"a value of {where}")
                                                  for value in array.ravel().tolist()])
        array, code = numpy.frombuffer(texts, numpy.uintp)[:array.size].reshape(array.shape), _TEXT
    else:
        if kind == "O":
            _refuse_objects(array, where, wanted)
        if kind == "f" and array.dtype.itemsize not in (4, 8):
            array = array.astype(numpy.float32 if array.dtype.itemsize == 2 else numpy.float64)
        code = _TYPES.get(f"{kind}{array.dtype.itemsize}")
        if code is None:
            raise RequestError(f"{where} holds {array.dtype}, but {wanted}", 2)
    view = _Array()
    view.data, view.type, view.axes, view.name = array.ctypes.data, code, array.ndim, _text(name, "a name")
    view.shape, view.strides = (c_int64 * array.ndim)(*array.shape), (c_int64 * array.ndim)(*array.strides)
    view.swapped = int(not array.dtype.isnative)
    if mask is not None:
        mask = numpy.ascontiguousarray(mask, dtype=numpy.uint8)
        view.mask = mask.ctypes.data
    view.kept = array, texts, mask  # alive as long as the view
    return view


def _column(values, where: str, wanted: str = _ROWS):
    """A column of a DataFrame, or an array of pandas, as an array of NumPy, and which of its values are missing where
    that does not say so."""
    dtype = getattr(values, "dtype", None)
    if isinstance(dtype, numpy.dtype) or not hasattr(values, "isna"):
        return (values.to_numpy() if hasattr(values, "to_numpy") else values), None
    missing = numpy.asarray(values.isna(), dtype=bool)
    plain = getattr(dtype, "subtype" if str(dtype).startswith("Sparse") else "numpy_dtype", None)
    if isinstance(plain, numpy.dtype) and plain.kind in "fiub":
        return values.to_numpy(dtype=plain, na_value=plain.type(0)), missing
    if str(dtype) in ("category", "str") or "string" in str(dtype):
        texts = [None if gone else str(value) for value, gone in zip(values.tolist(), missing.tolist())]
        return numpy.array(texts, dtype=object), None
    raise RequestError(f"{where} holds {dtype}, but {wanted}", 2)


_WHOLE = re.compile("0|[1-9][0-9]{0,8}")


def _title(name) -> str:
    """A column's name as a text; pandas makes 1.0 of 1 where tables are joined."""
    return str(int(name)) if isinstance(name, (float, numpy.floating)) and name == name // 1 else str(name)


def _table(values):
    """Names and columns of a table: a DataFrame or a structured array; None for anything else."""
    if hasattr(values, "column_names") and hasattr(values, "to_pandas"):  # an Arrow table
        values = values.to_pandas()
    if isinstance(values, numpy.ndarray) and values.dtype.names is not None:
        return list(values.dtype.names), [values[name] for name in values.dtype.names]
    if hasattr(values, "iloc") and hasattr(values, "columns"):
        names = list(values.columns)
        return list(map(_title, names)), [values.iloc[:, i] for i in range(len(names))]
    if hasattr(values, "get_columns"):  # polars
        columns = list(values.get_columns())
        return [column.name for column in columns], columns
    return None


def _count_of(titles) -> Optional[list]:
    """Places of the names that are numbers, in the order of the numbers, where these are 0, 1, ... without a gap."""
    places = sorted((i for i, title in enumerate(titles) if _WHOLE.fullmatch(title)), key=lambda i: int(titles[i]))
    return places if [titles[i] for i in places] == [str(i) for i in range(len(places))] else None


def _columns(values, where: str = "rows", met=None):
    """Names and columns of a table; None for anything else. Names that merely count the columns, as pandas gives them,
    are positions: the columns are put in their order, and have no names, but where the table meets others by such names,
    `met`."""
    table = _table(values)
    if table is None:
        return None
    titles, columns = table
    places = _count_of(titles) or []
    shuffled = places != sorted(places)
    if len(places) == len(titles) and not (met and (shuffled or all(map(_WHOLE.fullmatch, met)))):
        titles = [""] * len(titles)
    pairs = list(zip(titles, columns))
    if shuffled and not met:
        _warn(f"{where}: its columns are named 0 to {len(places) - 1} and stand in another order; they are taken in the "
              "order of these numbers")
        for place, i in zip(sorted(places), places):
            pairs[place] = (titles[i], columns[i])
    return pairs


def _names_met(tables) -> list:
    """Whole numbers that are names in one of the tables, not positions alone, by which the others have to meet it."""
    found = [table[0] for table in map(_table, tables) if table is not None]
    return [title for titles in found if len(_count_of(titles) or []) < len(titles)
            for title in titles if _WHOLE.fullmatch(title)]


def _label_column(value) -> str:
    """The column that holds labels, by name or index, as the library takes it; "" for the usual one."""
    if value is None or isinstance(value, str):
        return value or ""
    return str(_integer(value, "label_column"))


def _dataset(values, name: str, labels=None, label_column=None, met=None) -> _Owned:
    """Rows in memory as the library's data set. met: names of columns that they meet."""
    if isinstance(values, _Owned):
        return values
    label_column = _label_column(label_column)
    columns = _columns(values, name, met)
    if columns == []:
        raise RequestError(f"{name} has no columns", 2)
    if columns is None and label_column not in ("", "none"):
        array = values if isinstance(values, numpy.ma.MaskedArray) else _array(values, name)
        if array.ndim != 2 or not _WHOLE.fullmatch(label_column):
            raise RequestError(f"label_column is {label_column!r}, but {name} is an array, whose columns have no names: "
                               "give an index from 0, or the labels as labels=, and the rows without their column", 2)
        columns = [("", array[:, i]) for i in range(array.shape[1])]
    if columns is None:
        view = _view(values, name, name)
        if view.axes < 2:
            raise RequestError(f"{name} has the shape {tuple(view.shape[:view.axes])}, but rows have two axes, "
                               f"(rows, columns); one row is {name}[None, :]", 2)
        data = _Owned("dataset", "vaecuda_dataset_from_array", byref(view))
    else:
        views = []
        for i, (title, column) in enumerate(columns):
            where = f"{name}: column {title or i!r}"
            array, missing = _column(column, where)
            views.append(_view(array, where, title, missing))
        pointers = (POINTER(_Array) * max(1, len(views)))(*map(ctypes.pointer, views))
        data = _Owned("dataset", "vaecuda_dataset_from_columns", pointers, len(views), _text(label_column, "label_column"))
    if labels is not None:
        if label_column not in ("", "none"):
            raise RequestError(f"labels are asked for twice, by labels= and label_column={label_column!r}: choose one", 2)
        _label(data, labels)
    return data


def _label(data: _Owned, labels) -> None:
    """Gives rows their labels: those of a file, or an array or a DataFrame's column."""
    if _is_path(labels):
        _call("vaecuda_dataset_load_labels", data, _path(labels))
        return
    array, missing = (labels, None)
    if hasattr(labels, "to_numpy") and not hasattr(labels, "columns"):
        array, missing = _column(labels, "labels", _LABELS)
    _call("vaecuda_dataset_set_labels", data, byref(_view(array, "labels", "labels", missing, _LABELS)))


def _load(path, labels=None, **options) -> _Owned:
    """The rows of a file."""
    settings = _Owned("config", "vaecuda_config_create")
    from_file = labels is None or _is_path(labels)
    options["label_column"] = _label_column(options.get("label_column")) or None
    for option, value in {"data": path, "labels": labels if from_file else None, **options}.items():
        if value is not None:
            _set(settings, option, value)
    data = _Owned("dataset", "vaecuda_dataset_from_config", settings)
    if not from_file:
        _label(data, labels)
    return data


def _noted(data: _Owned) -> _Owned:
    """Warns of what reading the rows showed."""
    length = c_size_t()
    _call("vaecuda_dataset_notes", data, None, 0, byref(length))
    text = ctypes.create_string_buffer(length.value + 1)
    _call("vaecuda_dataset_notes", data, text, len(text), None)
    for line in _shown(text.value).split("\n"):
        if line.startswith(_WARNING):
            _warn(line[len(_WARNING):])
    return data


def _size(data: _Owned):
    rows, columns = c_int64(), c_int64()
    _call("vaecuda_dataset_size", data, byref(rows), byref(columns))
    return rows.value, columns.value


def _values(data: _Owned):
    values = numpy.empty(_size(data), numpy.float32)
    _call("vaecuda_dataset_values", data, 0, len(values), _pointer(values), values.size)
    return values


def _taken(function: str, x, labels=None, name: str = "x", label_column: str = "", met=None):
    """The function of the library that takes these rows, their number, and its arguments for them: floats as they lie
    in memory, or a data set."""
    if labels is None and type(x) is numpy.ndarray and x.dtype == numpy.float32 and x.ndim == 2 and x.flags.c_contiguous:
        return function, len(x), (_pointer(x), *x.shape)
    data = _noted(_dataset(x, name, labels, label_column, met))
    return f"{function}_dataset", _size(data)[0], (data,)


def _rows_for(count: int, width: int):
    """Room for `count` rows; for a count below 0, which the library refuses, none."""
    try:
        return numpy.empty((max(count, 0), width), numpy.float32)
    except ValueError:  # more bytes than there are addresses
        raise OutOfMemoryError(f"{count} rows of {width} values are more than any memory holds", 4) from None


class Vae:
    """A trained model on a device. Use `Vae.load`; its methods may be called from several threads.

    Rows `x` may be a DataFrame, whose columns are taken by the names that the model was trained with. `labels` are
    those of the rows, for a conditional model: an array, a DataFrame's column, or the path of a file.
    It can be pickled and copied: the model file travels, and is loaded again onto the device that was asked for."""

    def __init__(self, handle: _Owned, on=("auto", 0, "fp32")):
        self._handle = handle
        self._on = on
        info = _ModelInfo()
        _call("vaecuda_model_describe", handle, byref(info))
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
        with handle as model:
            names = itertools.takewhile(lambda name: name is not None, (
                _library().vaecuda_model_column(model, column) for column in range(info.input_dim)))
            self.info["columns"] = [name.decode("utf-8", "replace") for name in names] or None
        # A column of labels by its name is a value where the model was trained on it.
        self._labels = "none" if {"label", "class", "target"} & {
            name.lower() for name in self.info["columns"] or ()} else ""

    @classmethod
    def load(cls, path, device: str = "auto", threads: int = 0, precision: str = "fp32") -> "Vae":
        """Reads a model file (model.safetensors of a run). device: auto, cpu, cuda, cuda:N; threads: of the CPU, 0
        for one per core."""
        on = _RunOn()
        on.device, on.precision, on.message = _text(device, "device"), _text(precision, "precision"), _NOTE
        on.threads = _integer(threads, "threads")
        return cls(_Owned("model", "vaecuda_model_load", _path(path), byref(on)), (device, on.threads, precision))

    def save(self, path) -> None:
        """Writes the model file, as a whole or not at all."""
        _call("vaecuda_model_save", self._handle, _path(path))

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
        return self.seed if seed is None else _integer(seed, "seed", c_uint64)

    def encode(self, x, logvar: bool = False, labels=None):
        """Posterior means of rows (rows, D): (rows, Z). With `logvar` the pair of means and log variances,
        which a deterministic latent does not have."""
        logvar = _flag(logvar, "logvar")
        function, count, rows = _taken("vaecuda_encode", x, labels, "x", self._labels, self.info["columns"])
        mean = numpy.empty((count, self.latent_dim), numpy.float32)
        other = numpy.empty_like(mean) if logvar else None
        _call(function, self._handle, *rows, _pointer(mean), mean.size, _pointer(other) if logvar else None,
              mean.size if logvar else 0)
        return (mean, other) if logvar else mean

    def _decoded(self, function: str, x, labels, name: str):
        function, count, rows = _taken(function, x, labels, name, self._labels, self.info["columns"] if name == "x" else None)
        result = numpy.empty((count, self.input_dim), numpy.float32)
        _call(function, self._handle, *rows, _pointer(result), result.size)
        return result

    def decode(self, z, labels=None):
        """Means of p(x|z) for latents (rows, Z): (rows, D), in the units of the training data."""
        return self._decoded("vaecuda_decode", z, labels, "z")

    def reconstruct(self, x, labels=None):
        """Rows encoded to their posterior means and decoded: (rows, D)."""
        return self._decoded("vaecuda_reconstruct", x, labels, "x")

    def sample(self, count: int, seed: int = 0, temperature: float = 1.0):
        """Means of p(x|z) for z drawn from N(0, temperature²): (count, D). Of a conditional model:
        decode(sample_latents(count), labels=...)."""
        count, seed, temperature = _integer(count, "count"), self._seed(seed), _real(temperature, "temperature")
        result = _rows_for(count, self.input_dim)
        _call("vaecuda_sample", self._handle, count, seed, temperature, _pointer(result), result.size)
        return result

    def sample_latents(self, count: int, seed: int = 0, temperature: float = 1.0):
        """The z that sample() decodes: (count, Z)."""
        count, seed, temperature = _integer(count, "count"), self._seed(seed), _real(temperature, "temperature")
        result = _rows_for(count, self.latent_dim)
        _call("vaecuda_sample_latents", self._handle, count, seed, temperature, _pointer(result), result.size)
        return result

    def interpolate(self, z1, z2, steps: int = 10, spherical: bool = False):
        """Means of p(x|z) along `steps` latents from z1 to z2 (Z values each), ends included: (steps, D)."""
        ends = [_values(_dataset((z if isinstance(z, numpy.ma.MaskedArray) else _array(z, name)).reshape(1, -1), name))
                for z, name in ((z1, "z1"), (z2, "z2"))]
        if ends[0].shape != ends[1].shape:
            raise RequestError(f"z1 has {ends[0].shape[1]} values, but z2 has {ends[1].shape[1]}", 2)
        steps = _integer(steps, "steps")
        result = _rows_for(steps, self.input_dim)
        _call("vaecuda_interpolate", self._handle, _pointer(ends[0]), _pointer(ends[1]), ends[0].shape[1], steps,
              _flag(spherical, "spherical"), _pointer(result), result.size)
        return result

    def elbo(self, x, seed: Optional[int] = None, labels=None, samples: int = 1):
        """The two terms of the negative ELBO per row in nats: -log p(x|z), in the mean over `samples` z drawn from
        q(z|x), and KL(q(z|x) || N(0, 1)), (rows,) each."""
        samples = _integer(samples, "samples")
        if samples == 1:
            function, count, rows = _taken("vaecuda_elbo", x, labels, "x", self._labels, self.info["columns"])
        else:
            data = _noted(_dataset(x, "x", labels, self._labels, self.info["columns"]))
            function, count, rows = "vaecuda_elbo_samples", _size(data)[0], (data, samples)
        terms = numpy.empty((2, count), numpy.float32)
        first, second = map(_pointer, terms)
        _call(function, self._handle, *rows, self._seed(seed), first, count, second, count)
        return terms[0], terms[1]

    def score(self, x, seed: Optional[int] = None, labels=None, samples: int = 1):
        """The negative ELBO per row in nats, (rows,): large for rows that are unlike the training data. `samples` as
        in elbo(): more of them take noise out, in as many times the time."""
        reconstruction, kl = self.elbo(x, seed, labels, samples)
        return reconstruction + kl

    def log_likelihood(self, x, samples: int = 500, seed: Optional[int] = None, labels=None):
        """log p(x) per row in nats, (rows,), by importance sampling: in expectation a lower bound, tighter with every
        sample (Burda et al., arXiv 1509.00519)."""
        samples = _integer(samples, "samples")
        function, count, rows = _taken("vaecuda_log_likelihood", x, labels, "x", self._labels,
                                       self.info["columns"])
        result = numpy.empty(count, numpy.float32)
        _call(function, self._handle, *rows, samples, self._seed(seed), _pointer(result), result.size)
        return result

    def evaluate(self, data, labels=None, samples: int = 0, seed: Optional[int] = None, *, elbo_samples: int = 1,
                 anomaly_label=None, active_threshold: float = 0.01, bins: int = 20, **options) -> Dict[str, Any]:
        """What the model is worth on rows: an array or DataFrame, or the path of a file or folder, for which `options`
        say how it is read; label_column="y" of a DataFrame as well. Means over rows in nats with the standard error as
        ..._error, active_units, information, latent_kl (Z,) and more; docs/evaluation.md defines them. samples: of the
        importance-sampled nll. anomaly_label: the label that marks anomalies, which roc_auc and average_precision of the
        negative ELBO are for; without it 1, where the labels are just 0 and 1. NaN is what does not apply."""
        how = _EvaluateOptions()
        how.samples, how.seed, how.elbo_samples = _integer(samples, "samples"), self._seed(seed), _integer(
            elbo_samples, "elbo_samples")
        how.active_threshold, how.bins = _real(active_threshold, "active_threshold"), _integer(bins, "bins")
        if anomaly_label is not None:
            how.anomaly_label = _text(_option_text(anomaly_label, "anomaly_label"), "anomaly_label")
        if _is_path(data):
            rows = _load(data, labels, **options)
        else:
            label_column = options.pop("label_column", self._labels)
            if options:
                raise RequestError(f"{next(iter(options))}= says how a file is read, but data is in memory", 2)
            rows = _dataset(data, "data", labels, label_column, self.info["columns"])
        result = _Evaluation()
        latent_kl = numpy.empty(self.latent_dim)
        _call("vaecuda_evaluate_with", self._handle, _noted(rows), byref(how), byref(result),
              latent_kl.ctypes.data_as(POINTER(c_double)), latent_kl.size)
        figures = {name: getattr(result, name) for name, _ in _Evaluation._fields_ if name != "size"}
        figures["latent_kl"] = latent_kl
        return figures


def _unpickled(content: bytes, on) -> Vae:
    with tempfile.TemporaryDirectory(prefix="vaecuda-") as folder:
        path = os.path.join(folder, "model.safetensors")
        with open(path, "wb") as file:
            file.write(content)
        return Vae.load(path, *on)


def load_rows(path, labels=None, **options):
    """The rows of a file that the library can read (IDX, .npy, CSV, folders, "shapes"): float32 (rows, columns).
    options: those of vae_cuda_train that say how a file is read, such as label_column="y"."""
    if not _is_path(path):
        raise RequestError(f"path is a {type(path).__name__}, but the path of a file or folder is expected", 2)
    return _values(_noted(_load(path, labels, **options)))


def _option_text(value, option: str) -> str:
    """A value of an option as a configuration writes it."""
    if isinstance(value, (str, bytes, os.PathLike)):
        return os.fsdecode(value)
    if hasattr(value, "tolist"):  # of NumPy or pandas
        value = value.tolist()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple, range, types.GeneratorType)):
        return ",".join(_option_text(part, option) for part in value) or "none"
    try:
        return repr(value) if isinstance(value, float) else str(value)
    except ValueError as error:  # a whole number of more digits than Python writes
        raise RequestError(f"{option}: {error}", 2) from None


def _set(settings: _Owned, option: str, value) -> None:
    if value is None:
        raise RequestError(f"{option} is None: leave the option out for its default", 2)
    _call("vaecuda_config_set", settings, _text(f"--{option}", "an option"), _text(_option_text(value, option), option))


def _get(settings: _Owned, option: str) -> str:
    length = c_size_t()
    _call("vaecuda_config_get", settings, f"--{option}".encode(), None, 0, byref(length))
    text = ctypes.create_string_buffer(length.value + 1)
    _call("vaecuda_config_get", settings, f"--{option}".encode(), text, len(text), None)
    return os.fsdecode(text.value)


def _in_thread(work, failures: list, warned):
    """Runs `work` in another thread, since a signal interrupts Python's code alone, not that of a library. What the
    waiting thread is interrupted by goes to `failures`, where `work` looks; what comes by the queue `warned`, a text and
    a list for the error that filters may make of it, is warned of in the waiting thread, whose filters and line they
    concern."""
    results = []

    def call():
        try:
            results.append(work())
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    while thread.is_alive() or not warned.empty():
        refused = failures
        try:
            text, refused = warned.get(timeout=0.2 if thread.is_alive() else 0.0)
            _warn(text)
        except queue.Empty:
            pass
        except VaecudaWarning as error:
            refused.append(error)
        except BaseException as error:
            failures.append(error)
    return results[0] if results else None


def _name_run(error: BaseException, folder: str, stopped: bool) -> None:
    """Says with an error where the run is that it has ended."""
    text = (f"the run is in {folder}: vaecuda.Vae.load({os.path.join(folder, 'model.safetensors')!r}) is its model" +
            (f", vaecuda.train(..., resume={folder!r}) goes on with it" if stopped else ""))
    error.folder = folder
    if isinstance(error, KeyboardInterrupt) and not error.args:
        error.args = (text,)
    elif hasattr(error, "add_note"):
        error.add_note(text)


class Training(NamedTuple):
    """A finished run."""

    model: Vae
    summary: Dict[str, Any]
    """steps, epochs, seconds, rows_per_second, losses (NaN where there were no rows), stopped, ..."""
    folder: Optional[str]
    """Where the run lies; None where no folder was asked for."""


def _rows_of_run(settings: _Owned, rows: Dict[str, Any], labels: Dict[str, Any], options: Dict[str, Any]) -> list:
    """The data sets of a run, None where there are none or the configuration says which file it is. Where one is in
    memory all are."""
    for name, its in labels.items():
        if its is not None and rows[name] is None:
            raise RequestError(f"labels are given for {name}, but no rows", 2)
    given = [value for value in rows.values() if value is not None]
    label_column = _label_column(options.pop("label_column", None))
    if all(map(_is_path, given)) and labels["valid"] is None and labels["test"] is None and (
            labels["data"] is None or _is_path(labels["data"])):
        for name, value in {**rows, "labels": labels["data"], "label_column": label_column or None}.items():
            if value is not None:
                _set(settings, name, value)
        return [None, None, None]
    met = _names_met(value for value in given if not _is_path(value))
    return [None if value is None else
            _load(value, labels[name], label_column=label_column) if _is_path(value) else
            _dataset(value, name, labels[name], label_column, met) for name, value in rows.items()]


def train(data=None, valid=None, test=None, out=None, *, labels=None, valid_labels=None, test_labels=None, preset=None,
          config=None, resume=None, message: Optional[Callable[[str], None]] = None,
          progress: Optional[Callable[[Dict[str, Any]], None]] = None, stop: Optional[Callable[[], bool]] = None,
          **options) -> Training:
    """Trains a model.

    data: an array (rows, D), or (rows, height, width[, channels]) for pictures; or a DataFrame; or the path of a file or
    folder; or None where `config` says it. valid, test: held-out rows.
    labels, valid_labels, test_labels: of the rows, for conditional=True, normal_label= and figures by label: an array, a
    DataFrame's column, or the path of a file. label_column: the column of a DataFrame or CSV file that holds them.
    out: the folder of the run; without it the run's files are removed once the model is loaded, and kept where train()
    ends by an exception after a checkpoint.
    preset: a recipe by its name. config: a TOML file with options. options: those of `vae_cuda_train --help`, with
    underscores: latent_dim=10, hidden=[400, 200], lr=1e-3, likelihood="gaussian", standardize=True. Each goes over what
    stands before it.
    resume: the folder of a run that was stopped or killed, or is to become longer (epochs=...); it goes on from its last
    checkpoint, and the folder becomes what one run would have made it. Everything comes from that run, so `out`,
    `preset` and `config` are refused, as is an option that would change its result; rows in memory have to be given
    again.
    message, progress: called with a line, and with a dict, a few times a second. stop: asked as often; True ends the
    run after saving. Ctrl-C and an exception of these functions do the same and are raised then; the exception has the
    run's folder as its attribute `folder`, and says how to load the model and to go on. The run, and so what it calls,
    has a thread of its own. What may be wrong is a VaecudaWarning besides. Where filters make errors of those, one that
    comes before the first step ends the run, a later one is raised, with `folder`, when the run has ended.
    """
    for name, function in {"message": message, "progress": progress, "stop": stop}.items():
        if function is not None and not callable(function):
            raise RequestError(f"{name} is {function!r}, but a function is expected", 2)
    if resume is not None and not (out is None and config is None and preset is None):
        raise RequestError("out, preset and config contradict resume: everything comes from the run that is resumed", 2)
    settings = _Owned("config", "vaecuda_config_create")
    if resume is not None:
        _call("vaecuda_config_load_run", settings, _path(resume, "resume"))
    if preset is not None:
        _call("vaecuda_config_preset", settings, _text(preset, "preset"))
    if config is not None:
        _call("vaecuda_config_load", settings, _path(config, "config"))
    sets = _rows_of_run(settings, {"data": data, "valid": valid, "test": test},
                        {"data": labels, "valid": valid_labels, "test": test_labels}, options)
    for option, value in options.items():
        _set(settings, option, value)

    failures, doubts = [], []
    warned = queue.SimpleQueue()
    begun = threading.Event()

    def guarded(function, fallback):
        """A callback. What it raises ends the run, and is raised again after it; ctypes would print and forget it."""
        def call(*arguments):
            try:
                return fallback if failures else function(*arguments)
            except BaseException as error:
                failures.append(error)
                return fallback
        return call

    def say(_, line: bytes) -> None:
        text = _shown(line)
        if text.startswith(_WARNING):
            warned.put((text[len(_WARNING):], doubts if begun.is_set() else failures))
        if message is not None:
            message(text)

    def follow(_, now) -> None:
        begun.set()
        if progress is not None:
            progress({name: getattr(now.contents, name) for name, _ in _Progress._fields_})

    observer = _Observer()
    observer.message = _MESSAGE(guarded(say, None))
    observer.progress = _PROGRESS(guarded(follow, None))
    observer.stop = _STOP(guarded(lambda _: int(stop is not None and bool(stop())), 1))

    summary = _Summary()
    function = "vaecuda_train" if resume is None else "vaecuda_train_resume"
    folder = os.fsdecode(_path(out if resume is None else resume, "out")) if out is not None or resume is not None else None
    temporary = tempfile.mkdtemp(prefix="vaecuda-") if folder is None else None
    status, kept = None, False
    folder = temporary if folder is None else folder
    try:
        if resume is None:
            _set(settings, "out", folder)
        status = _in_thread(lambda: _call(function, settings, *sets, byref(observer), byref(summary)), failures, warned)
        if failures:
            raise failures[0]
        device, threads = _get(settings, "device"), int(_get(settings, "threads"))
        model = Vae.load(os.path.join(folder, "model.safetensors"), device, threads)
        if doubts:
            raise doubts[0]
    except BaseException as error:
        # A folder of the caller's holds this run where its call has returned, else perhaps an older one.
        kept = begun.is_set() and (temporary is not None or status is not None) and os.path.exists(
            os.path.join(folder, "model.safetensors"))
        if kept:
            _name_run(error, folder, status == _STOPPED)
        raise
    finally:
        if temporary is not None and not kept:
            shutil.rmtree(temporary, ignore_errors=True)
    figures = {name: getattr(summary, name) for name, _ in _Summary._fields_ if name != "size"}
    figures["stopped_early"] = bool(figures["stopped_early"])
    figures["stopped"] = status == _STOPPED
    return Training(model, figures, None if temporary else folder)


if __name__ == "__main__":
    print(f"vaecuda {version()}, {build_info()}", file=sys.stdout)
