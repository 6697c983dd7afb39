"""Keras archives that would run code, read files or fill the memory are rejected. The version in service stays."""

import io
import json
import os

import numpy as np
import pytest

from coinfarm.models.bundle import Bundle
from coinfarm.models.promotion import promote
from coinfarm.models.publish import publish
from tests.attacks.models.conftest import pack


def function(module, name):
    return {"module": module, "class_name": "function", "config": name, "registered_name": name}


def layer(package, kind, **config):
    return {"module": package, "class_name": kind, "registered_name": None, "config": {"name": "pool", "trainable": True, **config}}


LOOKUP = {"max_tokens": None, "num_oov_indices": 1, "mask_token": None, "oov_token": "[UNK]", "output_mode": "int"}


LAYERS = {
    "a lambda of os.system": lambda to: layer("keras.layers", "Lambda", function=function("os", "system"), arguments={"command": to}),
    "a lambda that disables safe mode": lambda to: layer(
        "keras.layers", "Lambda", function=function("keras.config", "enable_unsafe_deserialization")
    ),
    "a lambda of bytecode": lambda to: layer(
        "keras.layers",
        "Lambda",
        function={"class_name": "__lambda__", "config": {"code": "4wAAAAAAAA==", "defaults": None, "closure": None}},
    ),
    "a Python module": lambda to: layer("subprocess", "Popen", args=["touch", to]),
    "a function inside Keras": lambda to: layer("keras.src.saving.serialization_lib", "enable_unsafe_deserialization"),
    "a SavedModel": lambda to: layer("keras.layers", "TFSMLayer", filepath=to, call_endpoint="serve"),
    "a pickled torch module": lambda to: layer("keras.layers", "TorchModuleWrapper", module="gASVBAAAAA=="),
    "a function of JAX": lambda to: layer("keras.layers", "JaxLayer", call_fn=function("os", "system")),
    "a vocabulary that is a file": lambda to: layer("keras.layers", "StringLookup", vocabulary="/etc/passwd", **LOOKUP),
    "a text's vocabulary that is a file": lambda to: layer("keras.layers", "TextVectorization", vocabulary="/etc/passwd"),
}


def with_layer(archive_parts, layer):
    """The network with its pooling layer replaced."""
    config = json.loads(archive_parts["config.json"])
    (at,) = (at for at, each in enumerate(config["config"]["layers"]) if each["config"]["name"] == "pool")
    config["config"]["layers"][at] |= layer
    return {**archive_parts, "config.json": json.dumps(config).encode()}


@pytest.mark.tensorflow
@pytest.mark.parametrize("make", [pytest.param(make, id=name) for name, make in LAYERS.items()])
@pytest.mark.parametrize("member", [False, True], ids=["model.keras", "a member"])
def test_rejects_layers_that_run_code_or_read_files(root, archive_parts, canary, make, member):
    version = root.publish(with_layer(archive_parts, make(f"touch {canary}")), member=member)
    assert version in root.last_rejection()
    assert not canary.exists()


@pytest.mark.tensorflow
@pytest.mark.parametrize("field", ["activation", "kernel_initializer", "kernel_regularizer", "kernel_constraint"])
def test_rejects_python_functions_in_layers(root, archive_parts, field):
    config = json.loads(archive_parts["config.json"])
    config["config"]["layers"][-1]["config"][field] = function("os", "system")
    root.publish({**archive_parts, "config.json": json.dumps(config).encode()})
    assert "model.keras" in root.last_rejection()


class Pickled:
    def __init__(self, canary):
        self.canary = canary

    def __reduce__(self):
        return os.mkdir, (str(self.canary),)


def pickled_weights(archive_parts, canary):
    file = io.BytesIO()
    np.savez(file, **{"layers/last/vars": np.array([Pickled(canary)], object)})
    parts = {name: content for name, content in archive_parts.items() if not name.endswith(".h5")}
    return {**parts, "model.weights.npz": file.getvalue()}


ARCHIVES = {
    "pickled weights": (pickled_weights, "without weights"),
    "a file name outside": (lambda parts, canary: {**parts, f"assets/../../../../../../../..{canary}": b"x"}, "assets/../"),
    "a config of 128 MB": (lambda parts, _: {**parts, "config.json": b" " * (1 << 27)}, "16,777,216"),
    "a deeply nested config": (lambda parts, _: {**parts, "config.json": b"[" * 100_000}, "recursion"),
}


@pytest.mark.tensorflow
@pytest.mark.parametrize(("make", "reason"), [pytest.param(*case, id=name) for name, case in ARCHIVES.items()])
def test_rejects_malicious_archives_before_unpacking(root, archive_parts, canary, limit_memory, make, reason):
    root.publish(make(archive_parts, canary))
    with limit_memory(100):
        rejection = root.last_rejection()
    assert reason in rejection
    assert not canary.exists()


@pytest.mark.tensorflow
def test_does_not_follow_links_inside_an_archive(root, archive_parts, tmp_path):
    """The target of such a link would be the content of the file."""
    (tmp_path / "linked").mkdir()
    pack({**archive_parts, "config.json": b"/etc/passwd"}, tmp_path / "linked/model.keras", links={"config.json"})
    promote(root.storage, publish(root.storage, Bundle.create(tmp_path / "linked", name="network")))
    assert "Expecting value" in root.last_rejection()
