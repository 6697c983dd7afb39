import json
from pathlib import Path
from typing import Any

import pytest

from coinfarm.compilation.forms import F32
from coinfarm.errors import Conflict, ModelError, NotFound
from coinfarm.models.compiled_form import CompiledForms, Parity
from coinfarm.models.manifest import Output
from coinfarm.models.pointer import POINTER_KEY, promotions, rollback
from coinfarm.models.promotion import PromotionRejected, promote
from coinfarm.models.publish import publish, record_evaluation
from coinfarm.outputs import OUTPUT_NAMES, output_names
from coinfarm.storage import Storage
from coinfarm.storage.folder import FolderStorage
from tests.support.compiled_models import compiled_bundle
from tests.support.evaluation_documents import evaluation_json
from tests.support.fake_models import publish_model


@pytest.fixture
def incumbent(storage: Storage, tmp_path: Path) -> str:
    """A version in service, without an evaluation."""
    version = publish_model(storage, tmp_path / "incumbent", "1")
    promote(storage, version)
    return version


@pytest.fixture
def candidate(storage: Storage, incumbent: str, tmp_path: Path) -> str:
    """A version that is published and not promoted."""
    return publish_model(storage, tmp_path / "candidate", "2")


def _record(storage: Storage, version: str, *r2: float, **fields: Any) -> None:
    record_evaluation(storage, version, evaluation_json(version, *r2, **fields))


def _serving(storage: Storage) -> Any:
    return json.loads(storage.read(POINTER_KEY).data)["version"]


@pytest.mark.parametrize(
    ("ours", "theirs", "promoted"),
    [
        pytest.param((0.1, 0.1, 0.0), (0.1, 0.1, 0.0), True, id="equal"),
        pytest.param((0.1, 0.1, -0.0027), (0.1, 0.1, 0.0), True, id="within the tolerance"),
        pytest.param((0.1, 0.1, -0.0033), (0.1, 0.1, 0.0), False, id="just worse"),
        pytest.param((0.2, 0.1, -0.2), (0.1, 0.1, 0.0), False, id="better in one output, worse in the mean"),
        pytest.param((-5.0,), (-6.0,), True, id="both negative"),
    ],
)
def test_compares_the_mean_r2_of_the_outputs(
    ours: tuple[float, ...], theirs: tuple[float, ...], promoted: bool, storage: Storage, incumbent: str, candidate: str
) -> None:
    _record(storage, incumbent, *theirs)
    _record(storage, candidate, *ours)
    if promoted:
        promote(storage, candidate)
    else:
        with pytest.raises(PromotionRejected, match=r"BTCUSD from 2019-05-01 up to 2019-07-01 with stride 10"):
            promote(storage, candidate)
    assert _serving(storage) == (candidate if promoted else incumbent)


def test_rejects_a_version_without_an_evaluation_under_the_same_conditions(storage: Storage, incumbent: str, candidate: str) -> None:
    _record(storage, incumbent, 0.1)
    _record(storage, candidate, 0.9, stride=30)
    command = f"coinfarm evaluate .*--version {candidate} .*--from 2019-05-01 --to 2019-07-01 --stride 10 --record"
    with pytest.raises(PromotionRejected, match=command):
        promote(storage, candidate)
    _record(storage, candidate, 0.2)
    promote(storage, candidate)


def test_does_not_compare_evaluations_of_different_frames(storage: Storage, incumbent: str, candidate: str) -> None:
    """In-sample windows are left out, so a model that was trained on more days is evaluated on fewer frames."""
    _record(storage, incumbent, 0.1)
    _record(storage, candidate, 0.9, frames=13_000)
    with pytest.raises(PromotionRejected, match=r"13,000.*26,174"):
        promote(storage, candidate)


def test_compares_every_common_period(storage: Storage, incumbent: str, candidate: str) -> None:
    july = {"from": "2019-07-01", "to": "2019-08-01"}
    for version, may, later in ((incumbent, 0.1, 0.1), (candidate, 0.3, 0.05)):
        _record(storage, version, may)
        _record(storage, version, later, **july)
    with pytest.raises(PromotionRejected, match=r"0.0500 on BTCUSD from 2019-07-01"):
        promote(storage, candidate)


def test_a_forced_promotion_stores_its_reason_and_the_failed_checks(
    storage: Storage, incumbent: str, candidate: str, tmp_path: Path
) -> None:
    _record(storage, incumbent, 0.1)
    _record(storage, candidate, 0.05)
    promote(storage, candidate, force_reason="it is ten times as fast")
    stored = json.loads(storage.read(POINTER_KEY).data)["forced"]
    assert stored["reason"] == "it is ten times as fast"
    assert "0.0500" in stored["overruled"][0]
    promote(storage, publish_model(storage, tmp_path / "third", "3"), force_reason="evaluated elsewhere")
    third, second, first = promotions(storage)
    assert second.forced is not None
    assert second.forced.model_dump(by_alias=True, mode="json") == stored
    assert third.forced is not None
    assert first.forced is None


def test_a_rollback_does_not_compare_scores(storage: Storage, incumbent: str, candidate: str) -> None:
    promote(storage, candidate, force_reason="a test")
    _record(storage, candidate, 0.2)
    _record(storage, incumbent, 0.1)
    assert rollback(storage).version == incumbent


@pytest.mark.parametrize(
    ("correlation", "rms_difference_share", "is_close"),
    [(0.999, 0.04, True), (0.9989, 0.04, False), (0.999, 0.0401, False)],
    ids=["just close enough", "correlation too low", "difference too large"],
)
def test_compares_compiled_forms_with_keras(
    correlation: float, rms_difference_share: float, is_close: bool, storage: Storage, tmp_path: Path
) -> None:
    bundle = compiled_bundle(tmp_path / "bundle", F32)
    parity = dict.fromkeys(OUTPUT_NAMES, Parity(correlation=correlation, rms_difference_share=rms_difference_share))
    measured = bundle.manifest.engines.forms[0].model_copy(update={"parity": parity})
    version = publish(storage, bundle.with_engines(CompiledForms(forms=(measured,))))
    if not is_close:
        with pytest.raises(PromotionRejected, match=r"f32 .*maxRisePct .*correlation 0\.99"):
            promote(storage, version)
        assert not storage.exists(POINTER_KEY)
    forced = promote(storage, version, force_reason=None if is_close else "a trial").forced
    assert (forced is None) is is_close


@pytest.mark.parametrize("content", ["3", "2 and more", None], ids=["changed", "lengthened", "removed"])
def test_never_promotes_a_damaged_version(content: str | None, storage: Storage, incumbent: str, candidate: str, tmp_path: Path) -> None:
    path = tmp_path / "root/versions" / candidate / "model.keras"
    path.unlink()
    if content is not None:
        path.write_text(content)
    with pytest.raises(ModelError, match=f"root/versions/{candidate}/model.keras"):
        promote(storage, candidate, force_reason="a test")
    assert _serving(storage) == incumbent


def test_never_promotes_an_unpublished_version(storage: Storage) -> None:
    with pytest.raises(NotFound, match="20260101-00000000"):
        promote(storage, "20260101-00000000")
    assert not storage.exists(POINTER_KEY)


def test_rejects_if_another_version_is_in_service_than_expected(storage: Storage, tmp_path: Path) -> None:
    first, second = (publish_model(storage, tmp_path / content, content) for content in "12")
    with pytest.raises(Conflict, match=f"not {first}"):
        promote(storage, second, expected=first)
    promote(storage, first)
    with pytest.raises(Conflict, match=f"{first}"):
        promote(storage, second, expected=second)
    promote(storage, second, expected=first)
    assert _serving(storage) == second


def test_a_pointer_moved_during_the_checks_is_a_conflict(tmp_path: Path, incumbent: str, candidate: str) -> None:
    """The version in service by then may be better than the one that was compared with."""
    third = publish_model(FolderStorage(tmp_path / "root"), tmp_path / "third", "3")

    class Raced(FolderStorage):
        def download(self, key: str, path: Path, max_bytes: int) -> None:
            super().download(key, path, max_bytes)
            promote(FolderStorage(tmp_path / "root"), third)

    with pytest.raises(Conflict, match=POINTER_KEY):
        promote(Raced(tmp_path / "root"), candidate)
    assert _serving(FolderStorage(tmp_path / "root")) == third


def test_compares_evaluations_of_the_same_horizon_only(storage: Storage, incumbent: str, tmp_path: Path) -> None:
    outputs = tuple(Output(name=name) for name in output_names((30,)))
    several = publish_model(storage, tmp_path / "several", "3", outputs=outputs, horizon_candles=12)
    other = publish_model(storage, tmp_path / "other", "4", horizon_candles=12)
    _record(storage, incumbent, 0.1, horizonCandles=30)
    for candidate in (several, other):
        _record(storage, candidate, 0.0, horizonCandles=12)
    with pytest.raises(PromotionRejected, match=r"12 candles.* 30: "):
        promote(storage, other)
    with pytest.raises(PromotionRejected, match=r"--horizon 30"):
        promote(storage, several)
    _record(storage, several, 0.1, horizonCandles=30)
    assert promote(storage, several).version == several
