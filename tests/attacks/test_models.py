"""Models that want more than to predict: refused, without a line of their code run, while the version in service goes on."""

import io
import json
import os
import re
import shutil
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import h5py
import numpy as np
import pytest

from coinfarm.engines.loading import load_engine
from coinfarm.models.bundle import Bundle
from coinfarm.models.manifest import Member
from coinfarm.models.pointer import POINTER_KEY
from coinfarm.models.promotion import promote
from coinfarm.models.publish import publish
from coinfarm.models.version import bundle_key
from coinfarm.outputs import OUTPUT_NAMES
from coinfarm.prediction.model_manager import ModelManager
from coinfarm.serving.settings import reference_model_uri
from coinfarm.storage import Storage, open_storage

Parts = dict[str, bytes]
FRAMES = np.zeros((2, 200, 150, 3), np.uint8)


@pytest.fixture(autouse=True)
def container() -> None:
    """None of a unit test's handler: these tests are about real models."""


@pytest.fixture(scope="module")
def good(keras: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Parts:
    """The files in the archive of a small network."""
    frame = keras.Input((200, 150, 3))
    pooled = keras.layers.GlobalAveragePooling2D(name="pool")(frame)
    path = tmp_path_factory.mktemp("good") / "model.keras"
    keras.Model(frame, keras.layers.Dense(3, name="last")(pooled)).save(path)
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(parts: Parts, file: Path) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


class Root:
    """A model root whose version in service is the good network, and a manager that serves it."""

    def __init__(self, folder: Path, good: Parts) -> None:
        self.folder = folder
        self.storage = open_storage(str(folder / "root"))
        self.refusals: list[str] = []
        self.manager = ModelManager(
            self.storage.uri(),
            lambda bundle: load_engine(bundle, "auto", 10),
            cache_dir=folder / "cache",
            refresh_s=0,
            on_refusal=self.refusals.append,
        )
        self.publish(good)
        self.serving = self.manager.serving()

    def publish(self, parts: Parts, *, member: bool = False) -> str:
        """Publish and promote, as somebody with a publisher's rights would."""
        folder = self.folder / f"bundle-{len(list(self.folder.iterdir()))}"
        folder.mkdir()
        packed(parts, folder / "model.keras")
        details: dict[str, Any] = {}
        if member:
            (folder / "model.keras").rename(folder / "one.keras")
            details["members"] = (Member(file="one.keras", outputs=OUTPUT_NAMES),)
        version = publish(self.storage, Bundle.seal(folder, name="network", **details))
        promote(self.storage, version)
        return version

    def refuses(self) -> str:
        """The one that was promoted last is refused, for the reason returned, and the first goes on."""
        before = len(self.refusals)
        assert self.manager.serving() is self.serving
        assert self.serving.engine.predict(FRAMES).shape == (2, 3)
        assert len(self.refusals) == before + 1
        assert len(self.refusals[-1]) < 2000
        return self.refusals[-1]


@pytest.fixture
def root(tmp_path: Path, good: Parts) -> Root:
    return Root(tmp_path, good)


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    """What code that runs would make."""
    return tmp_path / "canary"


def function(module: str, name: str) -> dict[str, Any]:
    return {"module": module, "class_name": "function", "config": name, "registered_name": name}


def layer(package: str, kind: str, **config: Any) -> dict[str, Any]:
    return {"module": package, "class_name": kind, "registered_name": None, "config": {"name": "pool", "trainable": True, **config}}


LOOKUP = {"max_tokens": None, "num_oov_indices": 1, "mask_token": None, "oov_token": "[UNK]", "output_mode": "int"}
LAYERS: dict[str, Callable[[str], dict[str, Any]]] = {
    "a lambda of os.system": lambda to: layer("keras.layers", "Lambda", function=function("os", "system"), arguments={"command": to}),
    "a lambda of eval": lambda to: layer("keras.layers", "Lambda", function=function("builtins", "eval")),
    "a lambda that fetches a file": lambda to: layer(
        "keras.layers", "Lambda", function=function("keras.utils", "get_file"), arguments={"origin": "file:///etc/passwd"}
    ),
    "a lambda that loads another model": lambda to: layer("keras.layers", "Lambda", function=function("keras.models", "load_model")),
    "a lambda that switches the safety off": lambda to: layer(
        "keras.layers", "Lambda", function=function("keras.config", "enable_unsafe_deserialization")
    ),
    "a lambda of bytecode": lambda to: layer(
        "keras.layers",
        "Lambda",
        function={"class_name": "__lambda__", "config": {"code": "4wAAAAAAAA==", "defaults": None, "closure": None}},
    ),
    "a module of Python's": lambda to: layer("subprocess", "Popen", args=["touch", to]),
    "a function inside Keras": lambda to: layer("keras.src.saving.serialization_lib", "enable_unsafe_deserialization"),
    "a class inside Keras that is no layer": lambda to: layer("keras.src.utils.file_utils", "get_file"),
    "a SavedModel beside it": lambda to: layer("keras.layers", "TFSMLayer", filepath=to, call_endpoint="serve"),
    "a pickled torch module": lambda to: layer("keras.layers", "TorchModuleWrapper", module="gASVBAAAAA=="),
    "a function of JAX": lambda to: layer("keras.layers", "JaxLayer", call_fn=function("os", "system")),
    "a vocabulary that is a file": lambda to: layer("keras.layers", "StringLookup", vocabulary="/etc/passwd", **LOOKUP),
    "a text's vocabulary that is a file": lambda to: layer("keras.layers", "TextVectorization", vocabulary="/etc/passwd"),
}


def with_layer(good: Parts, made: dict[str, Any]) -> Parts:
    """The network with its pooling layer replaced."""
    config = json.loads(good["config.json"])
    (at,) = (at for at, each in enumerate(config["config"]["layers"]) if each["config"]["name"] == "pool")
    config["config"]["layers"][at] |= made
    return {**good, "config.json": json.dumps(config).encode()}


@pytest.mark.tensorflow
@pytest.mark.parametrize("make", [pytest.param(make, id=name) for name, make in LAYERS.items()])
@pytest.mark.parametrize("member", [False, True], ids=["model.keras", "a member"])
def test_a_layer_that_would_run_code_or_read_files_is_refused(
    root: Root, good: Parts, canary: Path, make: Callable[[str], dict[str, Any]], member: bool
) -> None:
    version = root.publish(with_layer(good, make(f"touch {canary}")), member=member)
    assert f"of model {version} cannot be loaded: " in root.refuses()
    assert not canary.exists()


@pytest.mark.tensorflow
@pytest.mark.parametrize("field", ["activation", "kernel_initializer", "kernel_regularizer", "kernel_constraint"])
def test_a_part_of_a_layer_that_is_a_function_of_pythons_is_refused(root: Root, good: Parts, field: str) -> None:
    config = json.loads(good["config.json"])
    config["config"]["layers"][-1]["config"][field] = function("os", "system")
    root.publish({**good, "config.json": json.dumps(config).encode()})
    assert "cannot be loaded" in root.refuses()


class Pickled:
    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.canary),)


def pickled_weights(good: Parts, canary: Path) -> Parts:
    file = io.BytesIO()
    np.savez(file, **{"layers/last/vars": np.array([Pickled(canary)], object)})
    return {"config.json": good["config.json"], "metadata.json": good["metadata.json"], "model.weights.npz": file.getvalue()}


def traversing(good: Parts, canary: Path) -> Parts:
    return {**good, f"assets/../../../../../../../..{canary}": b"x"}


def config_bomb(good: Parts, _: Path) -> Parts:
    return {**good, "config.json": b" " * (1 << 27)}


def nested(good: Parts, _: Path) -> Parts:
    return {**good, "config.json": b"[" * 100_000}


ARCHIVES = {
    "weights that are a pickle": (pickled_weights, "model.weights.npz of .* bytes is not what a network's archive holds"),
    "a file whose name leads out": (traversing, "assets/../.* is not what a network's archive holds"),
    "a config of 128 MB": (config_bomb, "config.json of 134,217,728 bytes is not what a network's archive holds"),
    "a config that is nested without end": (nested, "recursion"),
}


@pytest.mark.tensorflow
@pytest.mark.parametrize(("make", "reason"), [pytest.param(*case, id=name) for name, case in ARCHIVES.items()])
def test_an_archive_that_is_a_trap_is_refused_before_it_is_unpacked(
    root: Root, good: Parts, canary: Path, little_memory: Any, make: Callable[[Parts, Path], Parts], reason: str
) -> None:
    root.publish(make(good, canary))
    with little_memory(100):
        said = root.refuses()
    assert re.search(f"cannot be loaded: .*{reason}", said)
    assert not canary.exists()


KERNEL = "layers/last/vars/0"


def external_storage(file: Any, secret: Path) -> None:
    file.create_dataset(KERNEL, (3, 3), "f4", external=[(str(secret), 0, 36)])


def external_link(file: Any, secret: Path) -> None:
    file[KERNEL] = h5py.ExternalLink(str(secret), "x")


def virtual(file: Any, secret: Path) -> None:
    layout = h5py.VirtualLayout((3, 3), "f4")
    layout[:] = h5py.VirtualSource(str(secret), "x", (3, 3))
    file.create_virtual_dataset(KERNEL, layout)


def circle(file: Any, _: Path) -> None:
    file[KERNEL] = h5py.SoftLink(f"/{KERNEL}")


def made_of_nothing(file: Any, _: Path) -> None:
    file.create_dataset(KERNEL, (20_000, 20_000), "f4", chunks=(1000, 1000), compression="gzip")


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    "make", [external_storage, external_link, virtual, circle, made_of_nothing], ids=lambda make: make.__name__.replace("_", " ")
)
def test_weights_that_lie_elsewhere_or_nowhere_are_refused(
    root: Root, good: Parts, tmp_path: Path, little_memory: Any, make: Callable[[Any, Path], None]
) -> None:
    secret, weights = tmp_path / "secret", tmp_path / "weights.h5"
    secret.write_bytes(np.full(9, 42, np.float32).tobytes())
    weights.write_bytes(good["model.weights.h5"])
    with h5py.File(weights, "a") as file:
        path = next(name for name in _datasets(file) if file[name].shape == (3, 3))
        del file[path]
        make(_At(file, path), secret)
    root.publish({**good, "model.weights.h5": weights.read_bytes()})
    with little_memory(100):
        assert "cannot be loaded" in root.refuses()


class _At:
    """An HDF5 file in which `KERNEL` means the place of the kernel."""

    def __init__(self, file: Any, path: str) -> None:
        self._file, self._path = file, path

    def create_dataset(self, _: str, *arguments: Any, **options: Any) -> None:
        self._file.create_dataset(self._path, *arguments, **options)

    def create_virtual_dataset(self, _: str, layout: Any) -> None:
        self._file.create_virtual_dataset(self._path, layout)

    def __setitem__(self, _: str, link: Any) -> None:
        self._file[self._path] = h5py.SoftLink(f"/{self._path}") if isinstance(link, h5py.SoftLink) else link


def _datasets(file: Any) -> list[str]:
    names: list[str] = []
    file.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
    return names


REFERENCE = Path(reference_model_uri())


@pytest.fixture
def reference(tmp_path: Path) -> Storage:
    """A copy of the reference model's root."""
    shutil.copytree(REFERENCE, tmp_path / "reference")
    return open_storage(str(tmp_path / "reference"))


def serving(storage: Storage, folder: Path, refusals: list[str]) -> ModelManager:
    return ModelManager(
        storage.uri(), lambda bundle: load_engine(bundle, "auto", 10), cache_dir=folder / "cache", refresh_s=0, on_refusal=refusals.append
    )


def _flipped(data: bytes) -> bytes:
    """One bit of one byte in the middle is another."""
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


@pytest.mark.parametrize("file", ["model.keras", "compiled/int8.bin", "compiled/int8.xml"])
def test_one_changed_byte_of_a_weight_is_refused_and_the_version_in_service_goes_on(
    reference: Storage, tmp_path: Path, good_bundle: Bundle, file: str
) -> None:
    refusals: list[str] = []
    pointer = reference.read(POINTER_KEY).data
    version = json.loads(pointer)["version"]
    key = bundle_key(version, file)
    reference.write(key, _flipped(reference.read(key).data))
    first = publish(reference, good_bundle)
    reference.write(POINTER_KEY, json.dumps({"version": first}).encode())
    manager = serving(reference, tmp_path, refusals)
    model = manager.serving()
    reference.write(POINTER_KEY, pointer)
    assert manager.serving() is model
    assert model.version == first
    assert len(refusals) == 1
    assert f"{file} is not the file that its manifest describes" in refusals[0]


@pytest.fixture(scope="module")
def good_bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """Another version of the reference model, whose compiled form needs no TensorFlow."""
    folder = tmp_path_factory.mktemp("other") / "bundle"
    shutil.copytree(next((REFERENCE / "versions").iterdir()), folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["version"] = f"20990101-{manifest['version'].partition('-')[2]}"
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return Bundle.open(folder)


def test_a_weight_that_was_changed_on_the_disk_is_fetched_again(reference: Storage, tmp_path: Path) -> None:
    before = serving(reference, tmp_path, []).serving().engine.predict(FRAMES)
    (weights,) = (tmp_path / "cache").glob("*/*/compiled/int8.bin")
    weights.write_bytes(_flipped(weights.read_bytes()))
    np.testing.assert_array_equal(serving(reference, tmp_path, []).serving().engine.predict(FRAMES), before)


NAMES = ["../../../evil", "/etc/passwd", "compiled/../../evil", "..", "a\\b", "a//b", ".hidden", "a\nb", "a" * 201, "con\x00"]


@pytest.mark.parametrize("name", NAMES)
def test_a_manifest_that_names_a_file_elsewhere_is_refused_before_anything_is_fetched(
    reference: Storage, tmp_path: Path, name: str
) -> None:
    refusals: list[str] = []
    manager = serving(reference, tmp_path, refusals)
    model = manager.serving()
    manifest = json.loads(reference.read(bundle_key(model.version)).data)
    manifest["version"] = other = f"20990101-{model.version.partition('-')[2]}"
    manifest["files"][name] = {"sha256": "0" * 64, "bytes": 1}
    reference.write(bundle_key(other), json.dumps(manifest).encode())
    reference.write(POINTER_KEY, json.dumps({"version": other}).encode())
    files = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    assert manager.serving() is model
    assert "is not valid: files." in refusals[0]
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == files


@pytest.mark.parametrize("version", ["../../evil", "/etc", "20990101-0000000", "20990101-00000000/..", "", "bare-0000000g"])
def test_a_pointer_to_what_is_no_version_is_refused(reference: Storage, tmp_path: Path, version: str) -> None:
    refusals: list[str] = []
    manager = serving(reference, tmp_path, refusals)
    model = manager.serving()
    reference.write(POINTER_KEY, json.dumps({"version": version}).encode())
    assert manager.serving() is model
    assert "current.json is not valid: version" in refusals[0]


def test_a_link_in_the_place_of_a_models_file_is_refused(reference: Storage, tmp_path: Path) -> None:
    version = json.loads(reference.read(POINTER_KEY).data)["version"]
    file = tmp_path / f"reference/versions/{version}/model.keras"
    shutil.move(file, tmp_path / "elsewhere")
    file.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Exception, match="is a link to a file outside"):
        serving(reference, tmp_path, []).serving()


@pytest.mark.tensorflow
def test_a_link_inside_the_archive_is_no_link(root: Root, good: Parts, tmp_path: Path) -> None:
    """Its target would be the file's content."""
    folder = tmp_path / "linked"
    folder.mkdir()
    with zipfile.ZipFile(folder / "model.keras", "w") as archive:
        for name, content in good.items():
            member = zipfile.ZipInfo(name)
            member.external_attr = (stat.S_IFLNK | 0o777) << 16 if name == "config.json" else 0
            archive.writestr(member, b"/etc/passwd" if name == "config.json" else content)
    promote(root.storage, publish(root.storage, Bundle.seal(folder, name="network")))
    assert "cannot be loaded: Expecting value" in root.refuses()
