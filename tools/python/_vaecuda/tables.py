"""Tables in memory: their columns, and what these are called."""

import re
from typing import Optional

import numpy

from .library import warn

WHOLE = re.compile("0|[1-9][0-9]{0,8}")


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
    places = sorted((i for i, title in enumerate(titles) if WHOLE.fullmatch(title)), key=lambda i: int(titles[i]))
    return places if [titles[i] for i in places] == [str(i) for i in range(len(places))] else None


def columns_of(values, where: str = "rows", met=None):
    """Names and columns of a table; None for anything else. Names that merely count the columns, as pandas gives them,
    are positions: the columns are put in their order, and have no names, but where the table meets others by such names,
    `met`."""
    table = _table(values)
    if table is None:
        return None
    titles, columns = table
    places = _count_of(titles) or []
    shuffled = places != sorted(places)
    if len(places) == len(titles) and not (met and (shuffled or all(map(WHOLE.fullmatch, met)))):
        titles = [""] * len(titles)
    pairs = list(zip(titles, columns))
    if shuffled and not met:
        warn(f"{where}: its columns are named 0 to {len(places) - 1} and stand in another order; they are taken in the "
             "order of these numbers")
        for place, i in zip(sorted(places), places):
            pairs[place] = (titles[i], columns[i])
    return pairs


def names_of(values) -> list:
    """What the columns of a table are called; none of anything else, or where the names merely count the columns."""
    titles = (_table(values) or ([],))[0]
    return [] if len(_count_of(titles) or []) == len(titles) else titles


def names_met(tables) -> list:
    """Whole numbers that are names in one of the tables, not positions alone, by which the others have to meet it."""
    found = [table[0] for table in map(_table, tables) if table is not None]
    return [title for titles in found if len(_count_of(titles) or []) < len(titles)
            for title in titles if WHOLE.fullmatch(title)]
