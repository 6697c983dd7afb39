"""`coinfarm --version`."""

import importlib.metadata
import subprocess
import sys

import pytest
from click.testing import CliRunner

from coinfarm.cli import main
from coinfarm.models.pointer import read_pointer
from coinfarm.serving.settings import reference_model_uri
from coinfarm.storage import open_storage


def test_prints_the_versions_of_coinfarm_python_engines_and_reference_model() -> None:
    shown = CliRunner().invoke(main, ["--version"])
    ours, _, engines, model = shown.stdout.splitlines()
    pointer = read_pointer(open_storage(reference_model_uri()))
    assert pointer is not None
    assert shown.exit_code == 0
    assert ours == f"coinfarm {importlib.metadata.version('coinfarm')}"
    assert f"OpenVINO {importlib.metadata.version('openvino')}" in engines
    assert model == f"reference model {pointer[0].version}"


def test_omits_engines_that_are_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(name: str) -> str:
        if name != "tensorflow":
            raise importlib.metadata.PackageNotFoundError(name)
        return "2.21.0"

    monkeypatch.setattr("importlib.metadata.version", version)
    assert CliRunner().invoke(main, ["--version"]).stdout.splitlines()[2] == "engines: TensorFlow 2.21.0"


def test_loads_no_engine() -> None:
    code = "import sys\nfrom coinfarm.cli import main\nmain(['--version'], standalone_mode=False)\nprint(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"numpy", "pydantic", "boto3", "openvino", "keras", "tensorflow"} & set(loaded)
