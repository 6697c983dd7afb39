"""`coinfarm --version`."""

import importlib.metadata

from coinfarm.models.pointer import read_pointer
from coinfarm.serving.settings import reference_model_uri
from coinfarm.storage import open_storage
from tests.support.cli_runner import coinfarm


def test_prints_the_versions_of_coinfarm_python_engines_and_reference_model():
    shown = coinfarm("--version")
    ours, _, engines, model = shown.stdout.splitlines()
    pointer = read_pointer(open_storage(reference_model_uri()))
    assert shown.exit_code == 0
    assert ours == f"coinfarm {importlib.metadata.version('coinfarm')}"
    assert f"OpenVINO {importlib.metadata.version('openvino')}" in engines
    assert model == f"reference model {pointer[0].version}"


def test_omits_engines_that_are_not_installed(monkeypatch):
    def version(name):
        if name != "tensorflow":
            raise importlib.metadata.PackageNotFoundError(name)
        return "2.21.0"

    monkeypatch.setattr("importlib.metadata.version", version)
    assert coinfarm("--version").stdout.splitlines()[2] == "engines: TensorFlow 2.21.0"
