"""Arrays in memory as the library takes them, which reads them where they lie."""

from ctypes import c_char_p, c_int64

import numpy

from .arguments import as_text
from .errors import RequestError
from .interface import TEXT, TYPES, Array


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


ROWS = "rows are numbers"
LABELS = "labels are all whole numbers or all texts, one for each row"


def is_sparse(values) -> bool:
    """True of a matrix or an array of scipy.sparse."""
    return hasattr(values, "tocsr") and hasattr(values, "toarray")


def as_array(values, where: str):
    """Anything as an array. A bytes text is UTF-8."""
    if is_sparse(values):
        raise RequestError(f"{where} is a sparse matrix ({type(values).__module__.split('.')[0]}.sparse), but a dense array is "
                           f"expected: give {where}.toarray()", 2)
    try:
        array = numpy.asarray(values)
    except Exception as error:  # rows of unlike length; a tensor of another device or with a gradient
        raise RequestError(f"{where}: {error}", 2) from None
    return numpy.char.decode(array, "utf-8", "backslashreplace") if array.dtype.kind == "S" and array.ndim else array


def view_of(values, where: str, name: str = "", mask=None, wanted: str = ROWS) -> Array:
    """An array as the library takes it, which reads it where it lies. `where` and `wanted` are for messages of this
    file, `name` for those of the library."""
    if isinstance(values, numpy.ma.MaskedArray):
        mask, values = numpy.ma.getmaskarray(values), values.data
    array = as_array(values, where)
    if array.ndim == 0:
        shape = "rows are arrays (rows, columns)" if wanted == ROWS else wanted
        raise RequestError(f"{where} is a {type(values).__name__} of shape (), but {shape}", 2)
    texts = None
    kind = array.dtype.kind
    if kind in "UT" or (kind == "O" and all(isinstance(value, str) or _is_missing(value) for value in array.flat)):
        texts = (c_char_p * max(1, array.size))(*[None if _is_missing(value) else as_text(value, f"a value of {where}")
                                                  for value in array.ravel().tolist()])
        array, code = numpy.frombuffer(texts, numpy.uintp)[:array.size].reshape(array.shape), TEXT
    else:
        if kind == "O":
            _refuse_objects(array, where, wanted)
        if kind == "f" and array.dtype.itemsize not in (4, 8):
            array = array.astype(numpy.float32 if array.dtype.itemsize == 2 else numpy.float64)
        code = TYPES.get(f"{kind}{array.dtype.itemsize}")
        if code is None:
            raise RequestError(f"{where} holds {array.dtype}, but {wanted}", 2)
    view = Array()
    view.data, view.type, view.axes, view.name = array.ctypes.data, code, array.ndim, as_text(name, "a name")
    view.shape, view.strides = (c_int64 * array.ndim)(*array.shape), (c_int64 * array.ndim)(*array.strides)
    view.swapped = int(not array.dtype.isnative)
    if mask is not None:
        mask = numpy.ascontiguousarray(mask, dtype=numpy.uint8)
        view.mask = mask.ctypes.data
    view.kept = array, texts, mask  # alive as long as the view
    return view


def as_classes(array, missing=None):
    """Labels as the library takes them. Truth values are the classes False and True, as pandas writes them into a file."""
    given = array
    if not hasattr(array, "dtype"):
        array = as_array(array, "labels")
    kind = array.dtype.kind
    if kind == "O" and any(isinstance(value, (bool, numpy.bool_)) for value in array.flat) and all(
            _is_missing(value) or isinstance(value, (bool, numpy.bool_)) for value in array.flat):
        missing = numpy.array([_is_missing(value) for value in array.flat]).reshape(array.shape)
        kind = "b"
    if kind != "b":
        return given, missing
    if isinstance(array, numpy.ma.MaskedArray):
        missing, array = numpy.ma.getmaskarray(array), array.data
    texts = numpy.where(array == True, "True", "False").astype(object)  # noqa: E712, of Python objects as well
    if missing is not None:
        texts[numpy.asarray(missing, dtype=bool)] = None
    return texts, None


def column_of(values, where: str, wanted: str = ROWS):
    """A column of a DataFrame, or an array of pandas or Arrow, as an array of NumPy, and which of its values are
    missing where that does not say so."""
    if type(values).__module__.split(".")[0] == "pyarrow":
        values = values.to_pandas()
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
