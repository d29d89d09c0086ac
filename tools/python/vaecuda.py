"""Variational autoencoders with MLP encoder and decoder: libvaecuda for Python.

Over the library's C interface; it needs NumPy and nothing built, and the folder _vaecuda beside it.

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

import importlib.util
import os
import sys


def _load_parts() -> None:
    """The package _vaecuda that lies beside this file, and no other, wherever this file is loaded from."""
    if "_vaecuda" in sys.modules:
        return
    folder = os.path.join(os.path.dirname(os.path.realpath(__file__)), "_vaecuda")
    found = importlib.util.spec_from_file_location("_vaecuda", os.path.join(folder, "__init__.py"),
                                                   submodule_search_locations=[folder])
    package = importlib.util.module_from_spec(found)
    try:
        found.loader.exec_module(package)
    except FileNotFoundError as error:
        raise ImportError(f"{__file__} needs the folder _vaecuda beside it: {error}") from None
    sys.modules["_vaecuda"] = package


_load_parts()

from _vaecuda.errors import (DeviceError, DivergedError, Error, FileError, OutOfMemoryError,  # noqa: E402
                             RequestError, VaecudaWarning)
from _vaecuda.library import build_info, version  # noqa: E402
from _vaecuda.model import Vae, _unpickled, write_report  # noqa: E402
from _vaecuda.rows import load_rows  # noqa: E402
from _vaecuda.training import Training, train  # noqa: E402

__all__ = ["Vae", "train", "load_rows", "write_report", "version", "build_info", "Training", "Error", "RequestError",
           "FileError", "OutOfMemoryError", "DeviceError", "DivergedError", "VaecudaWarning"]

for _public in (*map(globals().get, __all__), _unpickled):  # what messages and pickles call them
    _public.__module__ = "vaecuda"

if __name__ == "__main__":
    print(f"vaecuda {version()}, {build_info()}", file=sys.stdout)
