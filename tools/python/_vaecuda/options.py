"""Values of options as a configuration writes them."""

import ctypes
import os
import types
from ctypes import byref, c_size_t

from .arguments import as_integer, as_text
from .errors import RequestError
from .library import Handle, invoke


def label_column_text(value) -> str:
    """The column that holds labels, by name or index, as the library takes it; "" for the usual one."""
    if value is None or isinstance(value, str):
        return value or ""
    return str(as_integer(value, "label_column"))


def option_text(value, option: str) -> str:
    """A value of an option as a configuration writes it."""
    if isinstance(value, (str, bytes, os.PathLike)):
        return os.fsdecode(value)
    if hasattr(value, "tolist"):  # of NumPy or pandas
        value = value.tolist()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple, range, types.GeneratorType)):
        return ",".join(option_text(part, option) for part in value) or "none"
    try:
        return repr(value) if isinstance(value, float) else str(value)
    except ValueError as error:  # a whole number of more digits than Python writes
        raise RequestError(f"{option}: {error}", 2) from None


def label_text(value, option: str) -> str:
    """A label as rows have it, where a truth value is a class called False or True."""
    value = value.tolist() if hasattr(value, "tolist") else value
    return str(value) if isinstance(value, bool) else option_text(value, option)


def set_option(settings: Handle, option: str, value) -> None:
    if value is None:
        raise RequestError(f"{option} is None: leave the option out for its default", 2)
    text = label_text if option in ("normal_label", "normal-label") else option_text
    invoke("vaecuda_config_set", settings, as_text(f"--{option}", "an option"), as_text(text(value, option), option))


def get_option(settings: Handle, option: str) -> str:
    length = c_size_t()
    invoke("vaecuda_config_get", settings, f"--{option}".encode(), None, 0, byref(length))
    text = ctypes.create_string_buffer(length.value + 1)
    invoke("vaecuda_config_get", settings, f"--{option}".encode(), text, len(text), None)
    return os.fsdecode(text.value)
