"""The library: where it is, its calls, what it says, and its handles."""

import contextlib
import ctypes
import ctypes.util
import functools
import glob
import operator
import os
import re
import sys
import threading
import warnings
import weakref
from ctypes import byref, c_char_p, c_int, c_int64

from .arguments import as_text
from .errors import ERRORS, Error, RequestError, VaecudaWarning
from .interface import FUNCTIONS, HANDLE, MESSAGE, STOPPED

WARNING = "warning: "


def _candidates():
    """Files that may be the library, best first."""
    named = os.environ.get("VAECUDA_LIBRARY")
    if named:
        yield named
        return  # who names a file does not want another
    here = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))  # where vaecuda.py is
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
def the_library() -> ctypes.CDLL:
    tried = []
    for file in _candidates():
        try:
            library = ctypes.CDLL(file)
            for name, arguments in FUNCTIONS.items():
                function = getattr(library, name)
                function.argtypes, function.restype = arguments, c_int
        except (OSError, AttributeError) as error:
            tried.append(f"{file}: {error}")
            continue
        for name in ("vaecuda_version", "vaecuda_build_info", "vaecuda_last_error"):
            getattr(library, name).restype = c_char_p
        for name in ("vaecuda_model_column", "vaecuda_model_label_column"):
            getattr(library, name).argtypes, getattr(library, name).restype = [HANDLE, c_int64], c_char_p
        for name in ("vaecuda_dataset_free", "vaecuda_config_free", "vaecuda_model_free"):
            getattr(library, name).argtypes, getattr(library, name).restype = [HANDLE], None
        return library
    raise Error("libvaecuda.so was not found; install vaecuda, or name the file in the environment variable "
                "VAECUDA_LIBRARY" + "".join(f"\n  {line}" for line in tried))


def warn(text: str) -> None:
    """A warning at the line outside these files that led here."""
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and os.path.dirname(frame.f_code.co_filename) == os.path.dirname(__file__):
        level, frame = level + 1, frame.f_back
    warnings.warn(text, VaecudaWarning, stacklevel=level)


# What a terminal obeys instead of showing it, but for line ends: C0 and C1, marks of direction, separators of lines.
_OBEYED = re.compile("[\\x00-\\x09\\x0b-\\x1f\\x7f-\\x9f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u206f\\ufeff\\ufff9-\\ufffb"
                     "\\U000e0000-\\U000e007f]")


def shown(message: bytes) -> str:
    """A message of the library, which may hold names from files, as a terminal may show it."""
    return _OBEYED.sub(lambda found: ascii(found.group())[1:-1], message.decode("utf-8", "backslashreplace"))


class _Said(threading.local):
    """Lines that the library says during a call of this thread. Calling it, as the library does, inserts one, and runs
    code of C alone: Python's own may be interrupted by a signal before its first `try`, and ctypes would print what the
    signal's handler raises there, and forget it."""

    def __init__(self):
        self.lines = []

    __call__ = property(operator.attrgetter("lines.insert"))


_said = _Said()
NOTE = MESSAGE(_said)  # for vaecuda_run_on.message
NOTE_PLACE = sys.maxsize  # for its `user`, which says where the list takes the line: last


def invoke(name: str, *arguments) -> int:
    """Calls a function of the library; a status that is an error becomes an exception. What a model says of the rows
    that it is given becomes a warning."""
    for argument in arguments:
        if isinstance(argument, bytes):
            as_text(argument, "a text")
    lines = _said.lines = []
    with contextlib.ExitStack() as used:
        status = getattr(the_library(), name)(
            *[used.enter_context(argument) if isinstance(argument, Handle) else argument for argument in arguments])
    if status not in (0, STOPPED):
        message = shown(the_library().vaecuda_last_error())
        raise ERRORS.get(status, Error)(message, status)
    for line in map(shown, lines):
        warn(line[len(WARNING):] if line.startswith(WARNING) else line)
    return status


def version() -> str:
    """The library's version."""
    return the_library().vaecuda_version().decode()


def build_info() -> str:
    """Compiler, BLAS and CUDA support of the library."""
    return the_library().vaecuda_build_info().decode()


class Handle:
    """A handle, given back when it is closed or no longer used, but not while a call uses it. At the interpreter's end
    it is left to the system: threads may still be at work then."""

    def __init__(self, kind: str, maker: str, *arguments):
        value = HANDLE()  # NULL until it is made, which may be freed
        self._kind, self._value, self._lock, self._uses, self._closed = kind, value, threading.Lock(), 0, False
        self._free = weakref.finalize(self, getattr(the_library(), f"vaecuda_{kind}_free"), value)
        self._free.atexit = False
        invoke(maker, *arguments, byref(value))  # Ctrl-C is raised after the handle was made

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
