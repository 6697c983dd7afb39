import json
from pathlib import Path
from typing import Any

import pytest

from coinfarm.compilation.forms import F32
from coinfarm.errors import CoinfarmError, Conflict, ModelError, NotFound
from coinfarm.models.bundle import Bundle
from coinfarm.models.compiled_form import Engines, MeasuredForm, Parity
from coinfarm.models.evaluations import record_evaluation
from coinfarm.models.pointer import POINTER_KEY, ForcedPromotion, history, rollback
from coinfarm.models.promotion import PromotionRefused, promote
from coinfarm.models.publish import publish
from coinfarm.models.version import bundle_key
from coinfarm.outputs import OUTPUT_NAMES
from coinfarm.storage import Storage, open_storage
from coinfarm.storage.folder import FolderStorage
from tests.support.evaluation_documents import evaluation_json
from tests.support.fake_models import publish_model, seal


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return open_storage(str(tmp_path / "root"))


@pytest.fixture
def incumbent(storage: Storage, tmp_path: Path) -> str:
    """A version that serves, and that nobody has judged."""
    version = publish_model(storage, tmp_path / "incumbent", "1")
    promote(storage, version)
    return version


@pytest.fixture
def candidate(storage: Storage, incumbent: str, tmp_path: Path) -> str:
    """A version beside it."""
    return publish_model(storage, tmp_path / "candidate", "2")


def _record(storage: Storage, version: str, *r2: float, **terms: Any) -> None:
    record_evaluation(storage, version, evaluation_json(version, *r2, **terms))


def _serving(storage: Storage) -> Any:
    return json.loads(storage.read(POINTER_KEY).data)["version"]


def test_where_nobody_judged_anything_a_whole_version_is_promoted(storage: Storage, candidate: str) -> None:
    promote(storage, candidate, note="the second")
    assert _serving(storage) == candidate


@pytest.mark.parametrize(
    ("ours", "theirs", "promoted"),
    [
        pytest.param((0.2, 0.1, 0.0), (0.1, 0.1, 0.0), True, id="better"),
        pytest.param((0.1, 0.1, 0.0), (0.1, 0.1, 0.0), True, id="as good"),
        pytest.param((0.1, 0.1, -0.0027), (0.1, 0.1, 0.0), True, id="the same within what two processors differ by"),
        pytest.param((0.1, 0.1, -0.0033), (0.1, 0.1, 0.0), False, id="a little worse"),
        pytest.param((0.2, 0.1, -0.2), (0.1, 0.1, 0.0), False, id="better in one output, worse on the whole"),
        pytest.param((-5.0,), (-6.0,), True, id="less bad"),
    ],
)
def test_the_mean_r2_over_the_outputs_decides(
    ours: tuple[float, ...], theirs: tuple[float, ...], promoted: bool, storage: Storage, incumbent: str, candidate: str
) -> None:
    _record(storage, incumbent, *theirs)
    _record(storage, candidate, *ours)
    if promoted:
        promote(storage, candidate)
    else:
        with pytest.raises(PromotionRefused, match=r"it scores .* on BTCUSD from 2019-05-01 up to 2019-07-01 with stride 10, worse than"):
            promote(storage, candidate)
    assert _serving(storage) == (candidate if promoted else incumbent)


def test_a_version_that_was_not_judged_as_the_incumbent_was_is_refused(storage: Storage, incumbent: str, candidate: str) -> None:
    _record(storage, incumbent, 0.1)
    _record(storage, candidate, 0.9, stride=30)
    with pytest.raises(
        PromotionRefused, match=f"was not judged as {incumbent} was.*: run coinfarm evaluate .*--version {candidate} .*--stride 10 --record"
    ):
        promote(storage, candidate)
    _record(storage, candidate, 0.2)
    promote(storage, candidate)


def test_versions_judged_on_different_frames_are_not_compared(storage: Storage, incumbent: str, candidate: str) -> None:
    """Rows that a model has learnt from are left out, so one that learnt longer is judged on fewer."""
    _record(storage, incumbent, 0.1)
    _record(storage, candidate, 0.9, frames=13_000)
    with pytest.raises(PromotionRefused, match=r"judged on 13,000 frames.*on 26,174, since they did not learn from the same days"):
        promote(storage, candidate)


def test_a_version_must_be_no_worse_on_any_of_the_periods(storage: Storage, incumbent: str, candidate: str) -> None:
    july = {"from": "2019-07-01", "to": "2019-08-01"}
    for version, may, later in ((incumbent, 0.1, 0.1), (candidate, 0.3, 0.05)):
        _record(storage, version, may)
        _record(storage, version, later, **july)
    with pytest.raises(PromotionRefused, match=r"it scores 0.0500 on BTCUSD from 2019-07-01"):
        promote(storage, candidate)


def test_the_incumbent_is_not_compared_with_itself(storage: Storage, incumbent: str) -> None:
    _record(storage, incumbent, 0.1)
    promote(storage, incumbent)


def test_the_first_version_has_nothing_to_beat(storage: Storage, tmp_path: Path) -> None:
    version = publish_model(storage, tmp_path / "first", "1")
    _record(storage, version, -3.0)
    promote(storage, version)
    assert _serving(storage) == version


def test_a_reason_overrules_and_is_kept_in_the_history(storage: Storage, incumbent: str, candidate: str, tmp_path: Path) -> None:
    _record(storage, incumbent, 0.1)
    _record(storage, candidate, 0.05)
    promote(storage, candidate, force_reason="it is ten times as fast")
    promote(storage, publish_model(storage, tmp_path / "third", "3"), force_reason="judged elsewhere")
    last, forced, first = history(storage)
    assert forced.forced is not None
    assert forced.forced.reason == "it is ten times as fast"
    assert "it scores 0.0500" in forced.forced.overruled[0]
    assert last.forced is not None
    assert first.forced is None


def test_a_rollback_asks_nothing(storage: Storage, incumbent: str, candidate: str) -> None:
    promote(storage, candidate, force_reason="whatever")
    _record(storage, candidate, 0.2)
    _record(storage, incumbent, 0.1)
    assert rollback(storage).version == incumbent


def _with_parity(folder: Path, correlation: float, share: float) -> Bundle:
    bundle = seal(folder, "2")
    for name in F32.files:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(name)
    parity = {name: Parity(correlation=correlation, rms_difference_share=share) for name in OUTPUT_NAMES}
    return bundle.with_engines(Engines(forms=(MeasuredForm(**dict(F32), parity=parity, frames_per_s=1),)))


@pytest.mark.parametrize(
    ("correlation", "share", "close"),
    [(0.999, 0.04, True), (0.9989, 0.04, False), (0.999, 0.0401, False)],
    ids=["just close enough", "correlation too low", "difference too large"],
)
def test_a_compiled_form_must_be_true_to_keras(correlation: float, share: float, close: bool, storage: Storage, tmp_path: Path) -> None:
    version = publish(storage, _with_parity(tmp_path / "bundle", correlation, share))
    if not close:
        with pytest.raises(
            PromotionRefused, match=r"its compiled form f32 strays from Keras: maxRisePct has correlation 0\.99.*at most 4 %"
        ):
            promote(storage, version)
        assert not storage.exists(POINTER_KEY)
    reason = None if close else "a trial"
    forced = promote(storage, version, force_reason=reason).forced
    assert (forced is None) is close


def _remove(path: Path) -> None:
    path.unlink()


def _change(path: Path) -> None:
    path.write_text("3")


def _lengthen(path: Path) -> None:
    path.write_text("2 and more")


@pytest.mark.parametrize("spoil", [_remove, _change, _lengthen])
def test_a_damaged_version_is_never_promoted(spoil: Any, storage: Storage, incumbent: str, candidate: str, tmp_path: Path) -> None:
    spoil(tmp_path / "root/versions" / candidate / "model.keras")
    with pytest.raises(ModelError, match=f"root/versions/{candidate}/model.keras is missing, or not the file .*: put back the file"):
        promote(storage, candidate, force_reason="whatever")
    assert _serving(storage) == incumbent


def test_a_model_of_other_frames_is_never_promoted(storage: Storage, incumbent: str, candidate: str) -> None:
    document = json.loads(storage.read(bundle_key(candidate)).data)
    document["frame"]["digest"] = "0" * 64
    storage.write(bundle_key(candidate), json.dumps(document).encode())
    with pytest.raises(ModelError, match="wants frames of"):
        promote(storage, candidate, force_reason="whatever")


def test_what_was_not_published_is_not_promoted(storage: Storage) -> None:
    with pytest.raises(NotFound, match="20260101-00000000"):
        promote(storage, "20260101-00000000")
    assert not storage.exists(POINTER_KEY)


def test_a_promotion_that_expects_another_version_is_refused(storage: Storage, incumbent: str, candidate: str) -> None:
    with pytest.raises(Conflict, match=f"{incumbent} serves, not {candidate}"):
        promote(storage, candidate, expected=candidate)
    promote(storage, candidate, expected=incumbent)


def test_a_pointer_moved_while_the_version_was_checked_is_told(tmp_path: Path, incumbent: str, candidate: str) -> None:
    """What was found no worse than one version may be worse than the one that serves by now."""
    third = publish_model(FolderStorage(tmp_path / "root"), tmp_path / "third", "3")

    class Raced(FolderStorage):
        def download(self, key: str, path: Path, max_bytes: int) -> None:
            super().download(key, path, max_bytes)
            promote(FolderStorage(tmp_path / "root"), third)

    with pytest.raises(Conflict, match="somebody else moved the pointer at the same time"):
        promote(Raced(tmp_path / "root"), candidate)
    assert _serving(FolderStorage(tmp_path / "root")) == third


def test_a_refusal_is_meant_for_a_person() -> None:
    assert issubclass(PromotionRefused, CoinfarmError)


def test_what_was_overruled_is_read_again_as_it_was_written() -> None:
    forced = ForcedPromotion(reason="why", overruled=("a", "b"))
    assert ForcedPromotion.parse(forced.to_json(), "here") == forced
