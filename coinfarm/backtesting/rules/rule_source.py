"""The source of a rule, which identifies what was tried."""

import inspect
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

_FOLDERS_OF_PACKAGES = ("site-packages", "dist-packages")
_NOT_OF_USERS = sys.stdlib_module_names | {"coinfarm", "image_render"}


def rule_source(rule: Callable[..., Any]) -> str:
    """The name of the rule, the source of its module, and that of the modules in the same folder that it uses.

    It does not depend on the names of folders and of the rule's own file.
    """
    name, module = getattr(rule, "__qualname__", ""), inspect.getmodule(rule)
    try:
        if module is None or getattr(module, "__file__", None) is None:
            return f"{name}\n{inspect.getsource(rule)}"
        own, *used = _with_used(module, Path(inspect.getfile(module)).parent, set())
        return "\n".join([name, own, *sorted(used)])
    except (OSError, TypeError):  # defined in a session without a file
        return f"{name}\n{getattr(rule, '__code__', rule)!r}"


def _with_used(module: ModuleType, folder: Path, seen: set[str]) -> Iterator[str]:
    """The sources of the module and of those in the folder whose names it has, itself first."""
    seen.add(module.__name__)
    text = Path(inspect.getfile(module)).read_text(encoding="utf-8")
    yield text
    for value in list(vars(module).values()):
        used = value if isinstance(value, ModuleType) else sys.modules.get(getattr(value, "__module__", None) or "")
        if used is not None and used.__name__ not in seen and _is_in(used, folder):
            yield from _with_used(used, folder, seen)


def _is_in(module: ModuleType, folder: Path) -> bool:
    """Whether the module is a user's source file in the folder, and not of a package that is installed there."""
    path = Path(getattr(module, "__file__", None) or "")
    if path.suffix != ".py" or not path.is_relative_to(folder) or module.__name__.partition(".")[0] in _NOT_OF_USERS:
        return False
    return not any(part in _FOLDERS_OF_PACKAGES or part.startswith(".") for part in path.relative_to(folder).parts)
