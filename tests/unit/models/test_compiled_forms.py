"""Compiled forms in the manifest."""

import json
from pathlib import Path
from typing import Any

import pytest

from coinfarm.compilation.forms import BF16, F32, INT8
from coinfarm.errors import ModelError
from coinfarm.models.bundle import Bundle
from coinfarm.models.compiled_form import Engines, MeasuredForm, Parity
from coinfarm.models.manifest import Manifest
from coinfarm.models.publish import publish
from coinfarm.models.store import ModelStore
from coinfarm.outputs import OUTPUT_NAMES
from coinfarm.storage import open_storage
from tests.support.compiled_models import compiled_bundle

EXACT = {name: Parity(correlation=1, rms_difference_share=0) for name in OUTPUT_NAMES}


def test_what_was_measured_is_read_again_as_it_was_written(tmp_path: Path) -> None:
    bundle = compiled_bundle(tmp_path / "bundle", BF16, F32)
    assert Bundle.open(bundle.folder).manifest == bundle.manifest
    assert [form.name for form in bundle.manifest.engines.forms] == ["bf16", "f32"]


def test_the_manifest_lists_the_files_of_every_form(tmp_path: Path) -> None:
    manifest = compiled_bundle(tmp_path / "bundle", INT8, F32).manifest
    assert sorted(manifest.files) == [
        "compiled/int8.bin",
        "compiled/int8.xml",
        "compiled/wide.bin",
        "compiled/wide.xml",
        "model.keras",
    ]


def test_the_version_is_that_of_the_keras_model(tmp_path: Path) -> None:
    bundle = compiled_bundle(tmp_path / "bundle", F32)
    assert bundle.with_engines(Engines()).manifest.version == bundle.manifest.version


def test_forms_that_are_replaced_leave_no_file_in_the_manifest(tmp_path: Path) -> None:
    bundle = compiled_bundle(tmp_path / "bundle", INT8, F32)
    assert list(bundle.with_engines(Engines()).manifest.files) == ["model.keras"]


def test_compiled_files_are_published_and_fetched_with_the_model(tmp_path: Path) -> None:
    storage = open_storage(str(tmp_path / "root"))
    bundle = compiled_bundle(tmp_path / "bundle", INT8)
    version = publish(storage, bundle)
    (tmp_path / "fetched").mkdir()
    fetched = ModelStore(storage).fetch(version, tmp_path / "fetched")
    assert (fetched.folder / INT8.file).read_bytes() == (bundle.folder / INT8.file).read_bytes()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({"name": "int4"}, "name: Input should be 'f32', 'bf16', 'int8' or 'int8-bf16'", id="an unknown form"),
        pytest.param({"file": "../wide.xml"}, "file: String should match pattern", id="a file elsewhere"),
        pytest.param({"file": "compiled/other.xml"}, "files must hold the graph and the weights", id="a file that is not listed"),
        pytest.param({"framesPerS": 0}, "framesPerS: Input should be greater than 0", id="no speed"),
        pytest.param({"parity": {}}, "must give the parity of each output", id="no parity"),
        pytest.param(
            {"parity": {"maxRisePct": {"correlation": 2}}}, "correlation: Input should be less than", id="a parity that cannot be"
        ),
    ],
)
def test_a_form_that_cannot_be_is_refused(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    document = compiled_bundle(tmp_path / "bundle", F32).manifest.model_dump(by_alias=True, mode="json", exclude_none=True)
    document["engines"]["forms"][0].update(change)
    with pytest.raises(ModelError, match=message):
        Manifest.parse(json.dumps(document).encode(), "here")


def test_a_processor_needs_one_flag_of_each_group() -> None:
    form = MeasuredForm(**{**dict(F32), "needs": (("a", "b"), ("c",))}, parity=EXACT, frames_per_s=1)
    assert form.runs_on(frozenset("bc"))
    assert not form.runs_on(frozenset("ab"))
