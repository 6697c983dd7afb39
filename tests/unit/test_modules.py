"""The sizes, names and places of the Python modules."""

from collections import defaultdict
from pathlib import PurePath

from tests.support.repository import ROOT, repository_files

MAX_LINES = 250
MAX_LOOSE_MODULES = 8
MODULES = [PurePath(name) for name in repository_files() if name.endswith(".py")]
SAME_NAME = {
    "store": "a candle store and a model store: the packages tell them apart",
    "api": "the Python API of the package, and the routes of the HTTP API",
}
"""Module names that may occur twice, and why."""


def test_no_module_is_longer_than_the_limit():
    lines = {module.as_posix(): len((ROOT / module).read_text().splitlines()) for module in MODULES}
    assert {module: count for module, count in lines.items() if count > MAX_LINES} == {}


def test_module_names_are_unique():
    """A module of the command line may have the name of what it runs."""
    paths = defaultdict(list)
    for module in MODULES:
        if module.parts[0] in ("coinfarm", "handler") and module.parts[:2] != ("coinfarm", "cli") and module.stem != "__init__":
            paths[module.stem].append(module.as_posix())
    assert {name for name, found in paths.items() if len(found) > 1} == {*SAME_NAME}, paths


def test_few_modules_are_in_no_package():
    loose = [module.stem for module in MODULES if module.parts[:-1] == ("coinfarm",) and module.stem != "__init__"]
    assert len(loose) <= MAX_LOOSE_MODULES, loose
