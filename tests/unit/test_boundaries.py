"""The walls between the packages: import-linter's contracts, what image_render may know, and what an import may cost."""

import json
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import grimp
import pytest

from tests.support.repository import ROOT

PACKAGES = ("image_render", "coinfarm", "handler")
CONTRACTS = [contract["name"] for contract in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]]
LINT_IMPORTS = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(cache_dir=None))"

VIOLATIONS = [
    pytest.param("Imports go down the layers", "image_render.windows", "coinfarm.candles", id="image_render -> coinfarm"),
    pytest.param("Imports go down the layers", "image_render.spec", "handler.problems", id="image_render -> handler"),
    pytest.param("Imports go down the layers", "coinfarm.storage.folder", "handler.api", id="coinfarm -> handler"),
    pytest.param("Only the preview draws with Pillow", "image_render.draw", "PIL", id="Pillow to draw frames"),
    pytest.param("Only the preview draws with Pillow", "coinfarm.serving.chart", "PIL", id="Pillow in the core"),
    pytest.param("Only storage and aws import boto3", "coinfarm.models.store", "boto3", id="boto3 in the core"),
    pytest.param("Only storage and aws import boto3", "handler.message_batch", "botocore", id="botocore in an entrance"),
    pytest.param(
        "Keras is met in its engines and in training", "coinfarm.prediction.predictor", "tensorflow", id="TensorFlow in the predictor"
    ),
    pytest.param("Keras is met in its engines and in training", "coinfarm.models.bundle", "keras", id="Keras in a bundle"),
    pytest.param("Keras is met in its engines and in training", "coinfarm.engines.openvino", "jax", id="JAX in another engine"),
    pytest.param("OpenVINO is met in its engine and in compilation", "coinfarm.serving.service", "openvino", id="OpenVINO in the service"),
    pytest.param(
        "Imports go down the layers",
        "coinfarm.engines.openvino",
        "coinfarm.compilation.forms",
        id="the compiler in an engine",
    ),
    pytest.param("Imports go down the layers", "coinfarm.models.bundle", "coinfarm.training.loop", id="training in a bundle"),
    pytest.param(
        "The entrances reach a model through the predictor", "handler.api", "coinfarm.engines.keras", id="an engine in an entrance"
    ),
    pytest.param(
        "The entrances reach a model through the predictor", "handler.message_batch", "image_render.draw", id="drawing in an entrance"
    ),
    pytest.param(
        "The entrances reach a model through the predictor", "handler.app", "coinfarm.evaluation.metrics", id="evaluation in an entrance"
    ),
    pytest.param("Exchanges are met in one place", "coinfarm.candle_store.download", "ccxt", id="ccxt in the download"),
]


def run_python(code: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False)


def test_the_contracts_are_kept() -> None:
    linted = run_python(LINT_IMPORTS)
    assert f"{len(CONTRACTS)} kept, 0 broken" in linted.stdout, linted.stdout
    assert linted.returncode == 0


@pytest.fixture(scope="module")
def report_on_violations(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What import-linter says of a copy in which each of `VIOLATIONS` was committed, inside a function."""
    copy = tmp_path_factory.mktemp("copy")
    shutil.copy(ROOT / "pyproject.toml", copy)
    for package in PACKAGES:
        shutil.copytree(ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__", "reference_model"))
    for _, importer, imported in (violation.values for violation in VIOLATIONS):
        with (copy / importer.replace(".", "/")).with_suffix(".py").open("a") as module:
            module.write(f"\n\ndef lazily():\n    import {imported}\n")
    linted = run_python(LINT_IMPORTS, copy)
    assert linted.returncode == 1, linted.stdout + linted.stderr
    return linted.stdout


@pytest.mark.parametrize(("contract", "importer", "imported"), VIOLATIONS)
def test_a_violation_breaks_its_contract(report_on_violations: str, contract: str, importer: str, imported: str) -> None:
    assert f"{contract} BROKEN" in report_on_violations
    assert f"{importer} -> {imported}" in report_on_violations


def test_every_contract_is_seen_to_bite() -> None:
    assert {violation.values[0] for violation in VIOLATIONS} == set(CONTRACTS)


def test_image_render_knows_numpy_alone_and_its_preview_pillow() -> None:
    graph = grimp.build_graph("image_render", include_external_packages=True, cache_dir=None)
    ours = {module for module in graph.modules if module.split(".")[0] == "image_render"}
    foreign = {(importer, imported) for importer in ours for imported in graph.find_modules_directly_imported_by(importer) - ours}
    beyond_python = {(importer, imported) for importer, imported in foreign if imported not in sys.stdlib_module_names}
    assert {imported for _, imported in beyond_python} == {"numpy", "PIL"}
    assert {importer for importer, imported in beyond_python if imported == "PIL"} == {"image_render.preview"}


HEAVY = {"tensorflow", "keras", "jax", "openvino", "nncf", "pandas", "pyarrow", "matplotlib"}


@pytest.mark.parametrize("module", ["handler.app", "coinfarm.prediction.predictor", "coinfarm.cli", "coinfarm.training.train"])
def test_an_import_loads_nothing_heavy(module: str) -> None:
    """A cold start pays for what it uses, and `coinfarm --help` for nothing."""
    imported = run_python(f"import json, sys, {module}; print(json.dumps(sorted(sys.modules)))")
    assert imported.returncode == 0, imported.stderr
    assert HEAVY & set(json.loads(imported.stdout)) == set()


IMPORT_EVERYTHING = """
import importlib, pkgutil, socket, threading

def refuse(*_, **__):
    raise AssertionError("something acts at import")

socket.socket.connect = socket.getaddrinfo = threading.Thread.start = refuse
for package in ("image_render", "coinfarm", "handler"):
    for module in pkgutil.walk_packages(importlib.import_module(package).__path__, package + "."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
import boto3
assert boto3.DEFAULT_SESSION is None
"""


def test_nothing_acts_at_import() -> None:
    """No module speaks to a network, starts a thread, makes a client or prints."""
    imported = run_python("import warnings; warnings.simplefilter('error')\n" + IMPORT_EVERYTHING)
    assert (imported.returncode, imported.stdout, imported.stderr) == (0, "", "")
