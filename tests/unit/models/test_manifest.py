import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from coinfarm.errors import ModelError, NotFound
from coinfarm.models.bundle import Bundle
from coinfarm.models.manifest import LayerSummary, Manifest, Member, Output
from coinfarm.models.version import bundle_key, fingerprint_of
from coinfarm.outputs import OUTPUT_NAMES, output_names
from tests.support.fake_models import TRAINING, create_bundle


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    outputs = (
        Output(name="endChangePct", unit="window_range"),
        Output(name="maxRisePct", return_map=(0.0, 0.5, 2.0)),
        Output(name="maxDeclinePct"),
    )
    layer = LayerSummary(name="conv1", kind="Conv2D", output_shape=(100, 50, 32), parameters=2400, multiply_adds=12_000_000)
    metrics = {"test": {"maxRisePct": {"correlation": 0.4}}}
    return create_bundle(tmp_path / "bundle", outputs=outputs, training=TRAINING, metrics=metrics, architecture=(layer,))


def test_a_manifest_is_read_as_it_was_written(bundle: Bundle) -> None:
    data = bundle.manifest.to_json()
    assert Manifest.parse(data, "here") == bundle.manifest
    document = json.loads(data)
    assert document["outputs"][1] == {"name": "maxRisePct", "unit": "percent", "returnMap": [0.0, 0.5, 2.0]}
    assert document["architecture"][0]["multiplyAdds"] == 12_000_000
    assert document["training"]["cutoffMs"] == {"BTCUSD": 1_546_300_800_000, "ETHUSD": 1_546_387_200_000}
    assert document["members"] == [{"file": "model.keras", "outputs": ["endChangePct", "maxRisePct", "maxDeclinePct"]}]


def _with(path: str, value: Any) -> Any:
    """A change to a manifest: the field at the path becomes `value`."""

    def change(document: Any) -> None:
        *parents, last = path.split("/")
        for part in parents:
            document = document[int(part) if part.isdigit() else part]
        document[last] = value

    return change


@pytest.mark.parametrize(
    ("change", "named"),
    [
        pytest.param(_with("colour", "red"), "colour", id="unknown field"),
        pytest.param(_with("version", "20260131-00000000"), "20260131-00000000", id="version of another model"),
        pytest.param(_with("outputs/0/name", "volume"), "outputs.0.name", id="unknown output"),
        pytest.param(_with("outputs/0/name", "maxRisePct"), "outputs", id="output twice"),
        pytest.param(_with("outputs/0/name", "endChangePctH0"), "outputs.0.name", id="horizon of no candles"),
        pytest.param(_with("outputs/0/name", "endChangePctH9"), "outputs", id="incomplete horizon"),
        pytest.param(_with("outputs/0/returnMap", [1.0]), "outputs.0.returnMap", id="return map of one class"),
        pytest.param(_with("members/0/outputs", ["maxRisePct"]), "outputs", id="member without outputs"),
        pytest.param(_with("members/0/file", "model.h5"), "members.0.file", id="format that can contain code"),
        pytest.param(_with("members/0/file", "other.keras"), "other.keras", id="member that is not listed"),
        pytest.param(_with("files/..~x", {"sha256": "0" * 64, "bytes": 1}), "files", id="invalid file name"),
        pytest.param(_with("files/model.keras/bytes", 10**12), "files.model.keras.bytes", id="file too large"),
        pytest.param(_with("files/model.keras/sha256", "abc"), "files.model.keras.sha256", id="invalid digest"),
        pytest.param(_with("training/cutoffMs", {}), "training.cutoffMs", id="no cutoff"),
    ],
)
def test_names_the_field_of_an_invalid_manifest(change: Any, named: str, bundle: Bundle) -> None:
    document = json.loads(bundle.manifest.to_json())
    change(document)
    with pytest.raises(ModelError, match=f"place/manifest.json .*{named}"):
        Manifest.parse(json.dumps(document).encode(), "place/manifest.json")


@pytest.mark.parametrize("file", ["../up.keras", "/etc/passwd", "a/../../b", "a\\b", ".hidden", "a//b", "manifest.json", "a\nb"])
def test_rejects_a_file_outside_the_bundle(file: str, bundle: Bundle) -> None:
    document = json.loads(bundle.manifest.to_json())
    document["files"][file] = {"sha256": "0" * 64, "bytes": 1}
    with pytest.raises(ModelError, match="files"):
        Manifest.parse(json.dumps(document).encode(), "here")


@pytest.mark.parametrize("data", [b"", b"[]", b"\xff", b"[" * 100_000])
def test_names_a_file_that_is_no_json_object(data: bytes) -> None:
    with pytest.raises(ModelError, match="here"):
        Manifest.parse(data, "here")


def test_the_fingerprint_of_one_member_is_the_start_of_its_sha256() -> None:
    assert fingerprint_of(["ab" * 32]) == "abababab"
    assert fingerprint_of(["ab" * 32, "cd" * 32]) == hashlib.sha256(b"ab" * 32 + b"cd" * 32).hexdigest()[:8]


def test_the_outputs_of_members_are_concatenated(tmp_path: Path) -> None:
    (tmp_path / "rise.keras").write_text("1")
    (tmp_path / "rest.keras").write_text("2")
    outputs = tuple(Output(name=name) for name in ("maxRisePct", "maxDeclinePct", "endChangePct"))
    rise = Member(file="rise.keras", outputs=("maxRisePct",))
    rest = Member(file="rest.keras", outputs=("maxDeclinePct", "endChangePct"))
    manifest = Bundle.create(tmp_path, name="two", outputs=outputs, members=(rise, rest)).manifest
    assert manifest.version.endswith(fingerprint_of([manifest.files["rise.keras"].sha256, manifest.files["rest.keras"].sha256]))
    with pytest.raises(ModelError, match="outputs"):
        Bundle.create(tmp_path, name="two", outputs=outputs, members=(rest, rise))


@pytest.mark.parametrize("version", ["latest", "", "20260131-ABCDEF01", "../../etc", "20260131-0a1b2c3d\n", "２０260131-0a1b2c3d"])
def test_rejects_an_invalid_version(version: str) -> None:
    with pytest.raises(NotFound, match=re.escape(repr(version))):
        bundle_key(version)


def test_the_outputs_name_the_horizons_after_the_first(tmp_path: Path, bundle: Bundle) -> None:
    assert (bundle.manifest.horizons, bundle.manifest.output_names) == ((30,), OUTPUT_NAMES)
    names = output_names((100, 5))
    outputs = tuple(Output(name=name) for name in names[::-1])
    several = create_bundle(tmp_path / "several", outputs=outputs, horizon_candles=10).manifest
    assert sorted(several.horizons) == [5, 10, 100]
    assert several.horizons[0] == several.horizon_candles
    assert several.output_names == output_names(several.horizons[1:])
    with pytest.raises(ModelError, match="first horizon"):
        create_bundle(tmp_path / "twice", outputs=outputs, horizon_candles=5)
