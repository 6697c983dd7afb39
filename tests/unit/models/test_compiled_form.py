import json
from pathlib import Path
from typing import Any

import pytest

from coinfarm.compilation.forms import F32, INT8
from coinfarm.errors import ModelError
from coinfarm.models.bundle import Bundle
from coinfarm.models.compiled_form import CompiledForms, MeasuredForm, Parity
from coinfarm.models.manifest import Manifest
from coinfarm.outputs import OUTPUT_NAMES
from tests.support.compiled_models import compiled_bundle

EXACT = {name: Parity(correlation=1, rms_difference_share=0) for name in OUTPUT_NAMES}


def test_the_manifest_has_the_files_of_its_forms_in_the_same_version(tmp_path: Path) -> None:
    bundle = compiled_bundle(tmp_path / "bundle", INT8, F32)
    assert Bundle.open(bundle.folder).manifest == bundle.manifest
    assert [form.name for form in bundle.manifest.engines.forms] == ["int8", "f32"]
    assert set(bundle.manifest.files) == {*INT8.files, *F32.files, "model.keras"}
    without = bundle.with_engines(CompiledForms()).manifest
    assert list(without.files) == ["model.keras"]
    assert without.version == bundle.manifest.version


@pytest.mark.parametrize(
    ("change", "named"),
    [
        pytest.param({"name": "int4"}, "engines.forms.0.name", id="unknown form"),
        pytest.param({"file": "../wide.xml"}, "engines.forms.0.file", id="file outside the bundle"),
        pytest.param({"file": "compiled/other.xml"}, "files", id="file that is not listed"),
        pytest.param({"tables": "../columns.npz"}, "engines.forms.0.tables", id="tables outside the bundle"),
        pytest.param({"tables": "compiled/columns.npz"}, "files", id="tables that are not listed"),
        pytest.param({"framesPerS": 0}, "engines.forms.0.framesPerS", id="speed of zero"),
        pytest.param({"parity": {}}, "parity", id="no parity"),
        pytest.param({"parity": {"maxRisePct": {"correlation": 2}}}, "parity.maxRisePct.correlation", id="correlation above 1"),
    ],
)
def test_rejects_an_invalid_form(change: dict[str, Any], named: str, tmp_path: Path) -> None:
    document = compiled_bundle(tmp_path / "bundle", F32).manifest.model_dump(by_alias=True, mode="json", exclude_none=True)
    document["engines"]["forms"][0].update(change)
    with pytest.raises(ModelError, match=named):
        Manifest.parse(json.dumps(document).encode(), "here")


def test_a_processor_needs_one_flag_of_each_group() -> None:
    form = MeasuredForm(**{**dict(F32), "needs": (("a", "b"), ("c",))}, parity=EXACT, frames_per_s=1)
    assert form.runs_on(frozenset("bc"))
    assert not form.runs_on(frozenset("ab"))
