"""Arguments as C takes them, refused by name where C would cut or wrap them."""

import operator
import os
from ctypes import c_int64, c_uint64

import numpy

from .errors import RequestError
from .interface import FLOATS

_RANGES = {c_int64: (-(1 << 63), (1 << 63) - 1), c_uint64: (0, (1 << 64) - 1)}


def as_integer(value, name: str, kind=c_int64) -> int:
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


def as_flag(value, name: str) -> int:
    """True or False as C takes it."""
    if isinstance(value, (bool, numpy.bool_)) or (isinstance(value, (int, numpy.integer)) and value in (0, 1)):
        return int(value)
    raise RequestError(f"{name} is {value!r}, but True or False is expected", 2)


def as_real(value, name: str) -> float:
    """A number as C takes it, of any type that has one."""
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        raise RequestError(f"{name} is {value!r}, but a number is expected", 2) from None


def as_text(value, name: str) -> bytes:
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


def as_path(path, name: str = "path") -> bytes:
    try:
        return as_text(os.fspath(path), name)
    except TypeError:
        raise RequestError(f"{name} is {path!r}, but the path of a file or folder is expected", 2) from None


def is_path(value) -> bool:
    return isinstance(value, (str, bytes, os.PathLike))


def float_pointer(array):
    return array.ctypes.data_as(FLOATS)
