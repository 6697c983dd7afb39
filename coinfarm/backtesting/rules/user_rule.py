"""Rules of users: Python functions that say when to enter, and one message for every error in them."""

import importlib
import inspect
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coinfarm.errors import CoinfarmError, shortened

Rule = Callable[[Mapping[str, Any]], Any]
"""Called once for each coin, with the columns of `coinfarm.backtesting.rules.column_rule.rule_columns`, each `(n,)`.

Returns an array `(n,)` of 1 (long), 0 (no entry) and -1 (short), or a mapping with such an array as `side`. The mapping may also have
`stop_pct`, `take_profit_pct` and `stake_share`, each a number or `(n,)`. A row may use its own values and those of earlier
rows, never of later ones (`coinfarm backtest --check-lookahead` checks it).
"""

_MAX_TEXT_LENGTH = 500


class RuleError(CoinfarmError):
    """A rule raised an exception, returned something invalid, or could not be imported; the message names the rule, its file and line."""


@dataclass(frozen=True, eq=False)
class StepRule:
    """A rule that is called once for each prediction, in order of time, with a `coinfarm.backtesting.rules.step_view.StepView`.

    A class is instantiated once for each coin, so that its instances can remember things; they are called like a function. Returns None (do
    nothing), a side (1, 0 or -1), a mapping with `side` and optionally `stop_pct`, `take_profit_pct` and `stake_share`, each a number, or
    `"exit"` to close the coin's open positions.
    """

    function: Callable[..., Any]

    def for_coin(self) -> Callable[..., Any]:
        """The function, or a new instance of the class. Raises `RuleError`."""
        if not inspect.isclass(self.function):
            return self.function
        instance = call_rule(self.function, self.function)
        if not callable(instance):
            raise invalid_result(self.function, "its instances must be callable: define __call__(self, view)")
        return instance  # type: ignore[no-any-return]


def load_rule(name: str, folder: Path) -> Callable[..., Any]:
    """The function or class `module:function`, imported from `folder` first. Raises `RuleError` if that is not possible."""
    module_name, _, function_name = name.partition(":")
    folder = folder.absolute()
    _forget_module(module_name, folder)
    with _reported(name, folder), _import_path(folder):
        try:
            module = importlib.import_module(module_name)
        except ModuleNotFoundError as error:
            if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
                raise
            raise RuleError(
                f"rule {name}: there is no module {error.name} in the strategy's folder, {folder}, and none is installed"
            ) from None
    function = getattr(module, function_name, None)
    if not callable(function):
        raise RuleError(f"rule {name}: {getattr(module, '__file__', module_name)} has no function {function_name}")
    return function  # type: ignore[no-any-return]


def call_rule(rule: Callable[..., Any], function: Callable[..., Any], *arguments: object) -> Any:
    """What `function`, which belongs to the rule, returns. Raises `RuleError` instead of any exception."""
    with _reported(rule):
        return function(*arguments)


def invalid_result(rule: Callable[..., Any], text: str) -> RuleError:
    """The error for something that the rule may not return."""
    file, line = _definition(rule)
    return RuleError(f"rule {rule_name(rule)}: {_place(file, line)}{text}")


def rule_name(rule: Callable[..., Any]) -> str:
    """`module:function`, as in a strategy file."""
    named = rule if hasattr(rule, "__qualname__") else type(rule)
    return f"{named.__module__}:{named.__qualname__}"


def _definition(rule: Callable[..., Any]) -> tuple[str | None, int | None]:
    """The file and the line of the function, or of a class's `__call__`."""
    function: Any = inspect.unwrap(rule) if hasattr(rule, "__qualname__") else type(rule)
    function = vars(function).get("__call__", function) if inspect.isclass(function) else function
    try:
        return inspect.getsourcefile(function), inspect.getsourcelines(function)[1]
    except (OSError, TypeError):  # defined in a session without a file, or not in Python
        return None, 0


def _place(file: str | None, line: int | None) -> str:
    return "" if file is None else f"{file}, line {line}: "


@contextmanager
def _reported(rule: Callable[..., Any] | str, folder: Path | None = None) -> Iterator[None]:
    """Turn an exception of a user's code into a `RuleError`.

    It has the last line that the exception came from, in the folder or that of the rule, or else the line of the rule's definition.
    """
    try:
        yield
    except RuleError:
        raise
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a user's code may raise anything
        file, line = (None, 0) if isinstance(rule, str) else _definition(rule)
        folder = Path(file).parent if folder is None and file is not None else folder
        text = str(error)
        if isinstance(error, SyntaxError) and error.filename is not None:
            file, line, text = error.filename, error.lineno, error.msg
        else:
            frames = traceback.extract_tb(error.__traceback__)
            if own := [frame for frame in frames if folder is not None and Path(frame.filename).is_relative_to(folder)]:
                file, line = own[-1].filename, own[-1].lineno
        name, text = rule if isinstance(rule, str) else rule_name(rule), shortened(" ".join(text.split()), _MAX_TEXT_LENGTH)
        raise RuleError(f"rule {name}: {_place(file, line)}{type(error).__name__}: {text}") from None


@contextmanager
def _import_path(folder: Path) -> Iterator[None]:
    """Import from the folder first, and write no compiled files into it."""
    had_bytecode = sys.dont_write_bytecode
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        sys.dont_write_bytecode = had_bytecode


def _forget_module(module_name: str, folder: Path) -> None:
    """So that the file in the folder is read again: it may have been edited, or have the name of one in another folder."""
    path = folder.joinpath(*module_name.split("."))
    if module_name not in sys.stdlib_module_names and (path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()):
        sys.modules.pop(module_name, None)
