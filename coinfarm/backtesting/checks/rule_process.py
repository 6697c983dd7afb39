"""A process that runs a user's rule on ever more rows, so that at no time does it have later ones.

Neither the arguments of the rule nor its modules, caches and global variables can contain what comes after the rows that it was given.
"""

import os
import tempfile
from collections.abc import Mapping
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from coinfarm.backtesting.rules.user_rule import RuleError, call_rule, load_rule

Columns = dict[str, NDArray[Any]]

MAX_RETURNED_ROWS = 5_000


class RuleProcess:
    """Runs `module:function` in a process of its own, in an empty folder. Use it in a `with` block."""

    def __init__(self, name: str, folder: Path) -> None:
        self._name = name
        self._empty = tempfile.TemporaryDirectory(prefix="coinfarm-rule-")
        context = get_context("spawn")
        self._connection, other = context.Pipe()
        self._process = context.Process(target=run_rule, args=(name, folder.absolute(), self._empty.name, other), daemon=True)
        self._process.start()
        other.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._connection.close()
        self._process.terminate()
        self._process.join()
        self._empty.cleanup()

    def add_rows(self, coin: str, rows: Columns) -> Columns:
        """What the rule returns for the last `MAX_RETURNED_ROWS` of all rows of the coin that were added so far.

        Raises `RuleError` if the rule fails.
        """
        try:
            self._connection.send((coin, rows))
            returned = self._connection.recv()
        except (EOFError, BrokenPipeError, ConnectionResetError):
            raise RuleError(f"rule {self._name}: its process ended while it ran on the first rows of {coin}") from None
        if isinstance(returned, str):
            raise RuleError(returned)
        return returned  # type: ignore[no-any-return]


def returned_columns(returned: object, count: int, shown: int) -> Columns:
    """What a rule returned for `count` rows, as columns: `side`, and what else it may have returned, of the last of the first `shown` rows.

    Raises `ValueError` for columns of another length.
    """
    columns = returned if isinstance(returned, Mapping) else {"side": returned}
    return {
        str(name): np.broadcast_to(np.asarray(column), (count,))[max(0, shown - MAX_RETURNED_ROWS) : shown].copy()
        for name, column in columns.items()
        if column is not None
    }


def run_rule(name: str, folder: Path, empty_folder: str, parent: Connection) -> None:
    """The main function of the process: it answers each added part with what the rule returns for all rows, until the parent ends."""
    os.chdir(empty_folder)
    rows_of: dict[str, Columns] = {}
    rule = None
    while True:
        try:
            coin, added = parent.recv()
        except (EOFError, ConnectionResetError):
            return
        known = rows_of.get(coin)
        rows = added if known is None else {key: np.concatenate([known[key], column]) for key, column in added.items()}
        rows_of[coin] = rows
        returned: Columns | str
        try:
            rule = rule or load_rule(name, folder)
            count = len(rows["close_time"])
            returned = returned_columns(call_rule(rule, rule, {key: column.copy() for key, column in rows.items()}), count, count)
        except RuleError as error:
            returned = str(error)
        except ValueError:
            returned = f"rule {name} returned something of another length than the {count:,} rows that it was given"
        parent.send(returned)
