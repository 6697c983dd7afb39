"""The import contracts of pyproject.toml, what `image_render` may import, and what an import may cost."""

import itertools
import json
import re
import shutil
import subprocess
import sys
import tomllib

import grimp
import pytest

from tests.support.repository import ROOT

PACKAGES = ("image_render", "coinfarm", "handler")
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
LINT_IMPORTS = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(cache_dir=None))"

LAYERS, PILLOW, BOTO3, KERAS, OPENVINO, EXCHANGES, PREDICTOR = (contract["name"] for contract in CONTRACTS)
ORDER = [re.split(r" [|:] ", layer) for layer in CONTRACTS[0]["layers"]]
VIOLATIONS = [
    *((LAYERS, below[0], above[0]) for above, below in itertools.pairwise(ORDER)),
    (LAYERS, "coinfarm.candle_store", "coinfarm.models"),  # siblings
    (PILLOW, "image_render.render", "PIL"),
    (PILLOW, "coinfarm.serving.chart", "PIL"),
    (BOTO3, "coinfarm.models", "boto3"),
    (BOTO3, "handler", "botocore"),
    (KERAS, "coinfarm.prediction", "tensorflow"),
    (KERAS, "coinfarm.models", "keras"),
    (KERAS, "coinfarm.engines.openvino", "jax"),
    (OPENVINO, "coinfarm.serving", "openvino"),
    (EXCHANGES, "coinfarm.candle_store.download", "ccxt"),
    (EXCHANGES, "coinfarm.live.rest_feed", "ccxt"),
    (PREDICTOR, "handler.api", "coinfarm.engines.keras"),
    (PREDICTOR, "handler.worker", "image_render.render"),
    (PREDICTOR, "handler.app", "coinfarm.evaluation.metrics"),
]


def run_python(code, folder=ROOT):
    return subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False)


def test_contracts_hold_without_exceptions():
    linted = run_python(LINT_IMPORTS)
    assert f"{len(CONTRACTS)} kept, 0 broken" in linted.stdout, linted.stdout
    assert linted.returncode == 0
    assert not any("ignore_imports" in contract for contract in CONTRACTS)


def source_of(module, folder):
    path = folder / module.replace(".", "/")
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def test_violations_break_their_contracts(tmp_path):
    """In a copy of the code with all of `VIOLATIONS`, each inside a function."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__", "reference_model"))
    for _, importer, imported in VIOLATIONS:
        source = source_of(importer, tmp_path)
        source.write_text(f"{source.read_text()}\n\ndef lazily():\n    import {imported}\n")
    linted = run_python(LINT_IMPORTS, tmp_path)
    assert linted.returncode == 1, linted.stdout + linted.stderr
    assert f"0 kept, {len(CONTRACTS)} broken" in linted.stdout
    missed = [violation for violation in VIOLATIONS if f"{violation[1]} -> {violation[2]} " not in linted.stdout]
    assert missed == []


def test_layers_name_every_package_and_loose_module():
    layers = next(contract["layers"] for contract in CONTRACTS if contract["type"] == "layers")
    named = [module.strip() for layer in layers for module in layer.replace("|", ":").split(":")]
    inside = [path for path in (ROOT / "coinfarm").iterdir() if (path / "__init__.py").exists() or path.suffix == ".py"]
    assert sorted(named) == sorted(["image_render", "handler", *(f"coinfarm.{path.stem}" for path in inside if path.stem != "__init__")])


def test_image_render_imports_only_numpy_and_its_preview_pillow():
    graph = grimp.build_graph("image_render", include_external_packages=True, cache_dir=None)
    own = {module for module in graph.modules if module.split(".")[0] == "image_render"}
    external = {(importer, imported) for importer in own for imported in graph.find_modules_directly_imported_by(importer) - own}
    third_party = {(importer, imported) for importer, imported in external if imported not in sys.stdlib_module_names}
    assert {imported for _, imported in third_party} == {"numpy", "PIL"}
    assert all(importer.startswith("image_render.preview.") for importer, imported in third_party if imported == "PIL")


LARGE = {"tensorflow", "keras", "jax", "jinja2", "openvino", "nncf", "pandas", "pyarrow", "matplotlib"}


@pytest.mark.parametrize("module", ["handler.app", "coinfarm.prediction.predictor", "coinfarm.cli", "coinfarm.training.train"])
def test_import_loads_no_large_library(module):
    """Large libraries are imported when they are used, so that cold starts and `coinfarm --help` stay fast."""
    imported = run_python(f"import json, sys, {module}; print(json.dumps(sorted(sys.modules)))")
    assert imported.returncode == 0, imported.stderr
    assert LARGE & set(json.loads(imported.stdout)) == set()


IMPORT_EVERYTHING = """
import importlib, pkgutil, socket, threading

def refuse(*_, **__):
    raise AssertionError("an import opens a connection or starts a thread")

socket.socket.connect = socket.getaddrinfo = threading.Thread.start = refuse
for package in ("image_render", "coinfarm", "handler"):
    for module in pkgutil.walk_packages(importlib.import_module(package).__path__, package + "."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
import boto3
assert boto3.DEFAULT_SESSION is None
"""


def test_imports_have_no_side_effects():
    """No module opens a connection, starts a thread, creates a client or prints."""
    imported = run_python("import warnings; warnings.simplefilter('error')\n" + IMPORT_EVERYTHING)
    assert (imported.returncode, imported.stdout, imported.stderr) == (0, "", "")
