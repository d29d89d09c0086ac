"""Rows with their labels as the library's data sets."""

import ctypes
from ctypes import POINTER, byref, c_char_p, c_int64, c_size_t
from typing import Optional

import numpy

from .arguments import as_path, as_text, float_pointer, is_path
from .arrays import LABELS, as_array, as_classes, column_of, is_sparse, view_of
from .errors import OutOfMemoryError, RequestError
from .interface import Array
from .library import WARNING, Handle, invoke, shown, warn
from .options import label_column_text, set_option
from .tables import WHOLE, columns_of


def label_place(titles, label_column: str) -> Optional[int]:
    """Which column of a table the library takes labels from."""
    if label_column == "none":
        return None
    if label_column:
        return titles.index(label_column) if label_column in titles else (
            int(label_column) if WHOLE.fullmatch(label_column) else None)
    usual = [i for i, title in enumerate(titles) if title.lower() in ("label", "class", "target")]
    return None if not usual else usual[-1] if usual[-1] == len(titles) - 1 else usual[0]


def labels_beside(names) -> str:
    """The label column of rows for a model of these columns: a column of labels by its name is a value where the model was
    trained on it."""
    return "none" if {"label", "class", "target"} & {name.lower() for name in names or ()} else ""


def _passed_over(columns, wanted, label: Optional[int]):
    """The columns, where they and those that are wanted have names, with nothing in the place of the others, which may hold
    anything: the library says which they are, and which of the wanted are missing."""
    if not wanted or not all(title for title, _ in columns):
        return columns
    return [(title, column if title in wanted or i == label else numpy.broadcast_to(numpy.uint8(0), len(column)))
            for i, (title, column) in enumerate(columns)]


def dataset_of(values, name: str, labels=None, label_column=None, met=None, wanted=None, told=None) -> Handle:
    """Rows in memory as the library's data set. met: names of columns that they meet; wanted: those of a model or of a
    run's rows, whose other columns are not read; told: the same of the numbers of label vectors."""
    if isinstance(values, Handle):
        return values
    label_column = label_column_text(label_column)
    if is_sparse(values):
        if label_column not in ("", "none"):
            raise RequestError(f"label_column is {label_column!r}, but {name} is a sparse matrix, whose columns are values: give "
                               "the labels as labels=", 2)
        data = _sparse_rows(values, name)
        if labels is not None:
            _label(data, labels, told)
        return data
    columns = columns_of(values, name, met)
    if columns == []:
        raise RequestError(f"{name} has no columns", 2)
    if columns is None and label_column not in ("", "none"):
        array = values if isinstance(values, numpy.ma.MaskedArray) else as_array(values, name)
        if array.ndim != 2 or not WHOLE.fullmatch(label_column):
            raise RequestError(f"label_column is {label_column!r}, but {name} is an array, whose columns have no names: "
                               "give an index from 0, or the labels as labels=, and the rows without their column", 2)
        columns = [("", array[:, i]) for i in range(array.shape[1])]
    if columns is None:
        view = view_of(values, name, name)
        if view.axes < 2:
            raise RequestError(f"{name} has the shape {tuple(view.shape[:view.axes])}, but rows have two axes, "
                               f"(rows, columns); one row is {name}[None, :]", 2)
        data = Handle("dataset", "vaecuda_dataset_from_array", byref(view))
    else:
        views = []
        label = label_place([title for title, _ in columns], label_column)
        for i, (title, column) in enumerate(_passed_over(columns, wanted, label)):
            where = f"{name}: column {title or i!r}"
            array, missing = column_of(column, where)
            if i == label:
                array, missing = as_classes(array, missing)
            views.append(view_of(array, where, title, missing))
        pointers = (POINTER(Array) * max(1, len(views)))(*map(ctypes.pointer, views))
        data = Handle("dataset", "vaecuda_dataset_from_columns", pointers, len(views), as_text(label_column, "label_column"))
    if labels is not None:
        if label_column not in ("", "none"):
            raise RequestError(f"labels are asked for twice, by labels= and label_column={label_column!r}: choose one", 2)
        _label(data, labels, told)
    return data


def _sparse_rows(values, name: str) -> Handle:
    """The rows of a SciPy matrix, which stay sparse."""
    if values.ndim != 2:
        raise RequestError(f"{name} has the shape {tuple(values.shape)}, but rows have two axes, (rows, columns)", 2)
    rows = values.tocsr()
    if not rows.has_canonical_format:  # repeated values are sums in SciPy
        rows = rows.copy()
        rows.sum_duplicates()
    begins, columns = (view_of(array, name, name) for array in (rows.indptr, rows.indices))
    return Handle("dataset", "vaecuda_dataset_from_csr", byref(begins), byref(columns), byref(view_of(rows.data, name, name)),
                  rows.shape[1])


def _texts(names):
    """Names as the library takes them, and their number; of none at all NULL."""
    return ((c_char_p * len(names))(*[as_text(name, "a column's name") for name in names]), len(names)) if names else (None, 0)


def _label(data: Handle, labels, told=None) -> None:
    """Gives rows their labels: those of a file, an array, a DataFrame's column, or the rows of a table as vectors."""
    if is_path(labels):
        invoke("vaecuda_dataset_load_labels", data, as_path(labels), *_texts(told))
        return
    columns = columns_of(labels, "labels")
    if columns is not None and len(columns) > 1:
        _label_by_vectors(data, _passed_over(columns, told, None))
        return
    labels = columns[0][1] if columns else labels
    array, missing = (labels, None)
    if hasattr(labels, "to_numpy") and not hasattr(labels, "columns"):
        array, missing = column_of(labels, "labels", LABELS)
    array, missing = as_classes(array, missing)
    invoke("vaecuda_dataset_set_labels", data, byref(view_of(array, "labels", "labels", missing, LABELS)))


def _label_by_vectors(data: Handle, columns) -> None:
    """Gives rows the rows of a table as label vectors, whose numbers keep the names of the columns."""
    parts = [column_of(column, f"labels: column {name or i!r}") for i, (name, column) in enumerate(columns)]
    arrays = [as_array(array, "labels") for array, _ in parts]
    for i, array in enumerate(arrays):
        if array.dtype.kind not in "fiub":
            raise RequestError(f"labels: column {columns[i][0] or i!r} holds {array.dtype}, but label vectors are numbers", 2)
    masks = [numpy.zeros(len(array), bool) if missing is None else missing for array, (_, missing) in zip(arrays, parts)]
    view = view_of(numpy.column_stack(arrays), "labels", "labels", numpy.column_stack(masks))
    invoke("vaecuda_dataset_set_labels", data, byref(view))
    names = [name for name, _ in columns]
    if any(names):
        invoke("vaecuda_dataset_set_label_columns", data, *_texts(names))


def dataset_from_file(path, labels=None, wanted=None, told=None, **options) -> Handle:
    """The rows of a file. wanted, told: as of dataset_of."""
    settings = Handle("config", "vaecuda_config_create")
    from_file = labels is None or (is_path(labels) and not told)
    options["label_column"] = label_column_text(options.get("label_column")) or None
    for option, value in {"data": path, "labels": labels if from_file else None, **options}.items():
        if value is not None:
            set_option(settings, option, value)
    data = (Handle("dataset", "vaecuda_dataset_from_config_for", settings, *_texts(wanted)) if wanted else
            Handle("dataset", "vaecuda_dataset_from_config", settings))
    if not from_file:
        _label(data, labels, told)
    return data


def noted(data: Handle) -> Handle:
    """Warns of what reading the rows showed."""
    length = c_size_t()
    invoke("vaecuda_dataset_notes", data, None, 0, byref(length))
    text = ctypes.create_string_buffer(length.value + 1)
    invoke("vaecuda_dataset_notes", data, text, len(text), None)
    for line in shown(text.value).split("\n"):
        if line.startswith(WARNING):
            warn(line[len(WARNING):])
    return data


def size_of(data: Handle):
    rows, columns = c_int64(), c_int64()
    invoke("vaecuda_dataset_size", data, byref(rows), byref(columns))
    return rows.value, columns.value


def values_of(data: Handle):
    values = numpy.empty(size_of(data), numpy.float32)
    invoke("vaecuda_dataset_values", data, 0, len(values), float_pointer(values), values.size)
    return values


def is_plain(x) -> bool:
    """True of an array whose floats lie as the library's functions for rows without names read them."""
    return type(x) is numpy.ndarray and x.dtype == numpy.float32 and x.ndim == 2 and x.flags.c_contiguous


def taken(function: str, x, labels=None, name: str = "x", label_column: str = "", met=None, told=None):
    """The function of the library that takes these rows, their number, and its arguments for them: floats as they lie
    in memory, or a data set."""
    if labels is None and is_plain(x):
        return function, len(x), (float_pointer(x), *x.shape)
    data = noted(dataset_of(x, name, labels, label_column, met, met, told))
    return f"{function}_dataset", size_of(data)[0], (data,)


def room_for(count: int, width: int):
    """Room for `count` rows; for a count below 0, which the library refuses, none."""
    try:
        return numpy.empty((max(count, 0), width), numpy.float32)
    except ValueError:  # more bytes than there are addresses
        raise OutOfMemoryError(f"{count} rows of {width} values are more than any memory holds", 4) from None


def load_rows(path, labels=None, **options):
    """The rows of a file that the library can read (IDX, .npy, CSV, folders, "shapes"): float32 (rows, columns).
    options: those of vae_cuda_train that say how a file is read, such as label_column="y"."""
    if not is_path(path):
        raise RequestError(f"path is a {type(path).__name__}, but the path of a file or folder is expected", 2)
    return values_of(noted(dataset_from_file(path, labels, **options)))
