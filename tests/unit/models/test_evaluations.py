import json
from pathlib import Path
from typing import Any

import pytest

from coinfarm.errors import Conflict, ModelError, NotFound
from coinfarm.models.evaluations import EvaluationRecord, read_evaluations, record_evaluation
from coinfarm.storage import Storage, open_storage
from tests.support.evaluation_documents import BITCOIN, ETHER, evaluation_json
from tests.support.fake_models import publish_model


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return open_storage(str(tmp_path / "root"))


@pytest.fixture
def version(storage: Storage, tmp_path: Path) -> str:
    return publish_model(storage, tmp_path / "bundle", "1")


def test_an_evaluation_is_kept_whole_beside_its_version(storage: Storage, version: str) -> None:
    document = evaluation_json(version, 0.15, 0.12, 0.0, byMonth={"2019-05": [1, None]})
    record = record_evaluation(storage, version, document)
    (key,) = storage.list(f"versions/{version}/evaluations/")
    assert key == f"versions/{version}/evaluations/{record.name}.json"
    assert record.name.startswith("2019-05-01--2019-07-01-")
    assert json.loads(storage.read(key).data) == document
    assert read_evaluations(storage, version) == [record]
    assert record.score == pytest.approx(0.09)


@pytest.mark.parametrize(
    ("fields", "same"),
    [
        pytest.param({"frames": 7}, True, id="another number of frames"),
        pytest.param({"model": {"version": "20260101-00000000"}}, True, id="another model"),
        pytest.param({"from": "2019-05-02"}, False, id="another start"),
        pytest.param({"to": "2019-07-02"}, False, id="another end"),
        pytest.param({"stride": 11}, False, id="another stride"),
        pytest.param({"candles": {"BTCUSD": ETHER}}, False, id="other candles"),
        pytest.param({"candles": {"BTCUSD": BITCOIN, "ETHUSD": ETHER}}, False, id="one more coin"),
    ],
)
def test_evaluations_on_the_same_terms_have_the_same_name(fields: dict[str, Any], same: bool) -> None:
    usual = EvaluationRecord.of(evaluation_json("20260101-11111111"), "here")
    other = EvaluationRecord.of(evaluation_json("20260101-11111111", **fields), "here")
    assert (usual.name == other.name) is same


def test_the_order_of_the_coins_is_no_matter() -> None:
    coins = {"BTCUSD": BITCOIN, "ETHUSD": ETHER}
    one, other = (evaluation_json("20260101-11111111", candles=dict(order)) for order in (coins.items(), reversed(coins.items())))
    assert EvaluationRecord.of(one, "one").name == EvaluationRecord.of(other, "other").name


def test_recording_nearly_the_same_again_keeps_what_is_there(storage: Storage, version: str) -> None:
    first = record_evaluation(storage, version, evaluation_json(version, 0.1))
    assert record_evaluation(storage, version, evaluation_json(version, 0.1004)) == first
    assert read_evaluations(storage, version) == [first]


@pytest.mark.parametrize("other", [{"r2": 0.2}, {"frames": 26_173}], ids=["another score", "other frames"])
def test_other_results_on_the_same_terms_are_refused(storage: Storage, version: str, other: dict[str, Any]) -> None:
    record_evaluation(storage, version, evaluation_json(version, 0.1))
    with pytest.raises(Conflict, match=r"says otherwise \(score 0.1000 over 26,174 frames.*what is recorded stays"):
        record_evaluation(storage, version, evaluation_json(version, other.pop("r2", 0.1), **other))


def test_an_evaluation_of_the_bare_file_is_one_of_the_version_published_from_it(storage: Storage, version: str) -> None:
    bare = "bare-" + version.partition("-")[2]
    record_evaluation(storage, version, evaluation_json(bare))
    assert [record.version for record in read_evaluations(storage, version)] == [bare]


def test_an_evaluation_of_another_model_is_refused(storage: Storage, version: str) -> None:
    with pytest.raises(ModelError, match=f"the evaluation is of 20260101-00000000, not of {version}"):
        record_evaluation(storage, version, evaluation_json("20260101-00000000"))


def test_an_evaluation_on_what_the_model_has_learnt_is_not_recorded(storage: Storage, version: str) -> None:
    with pytest.raises(ModelError, match="includes windows that the model has learnt from"):
        record_evaluation(storage, version, evaluation_json(version, includesInSample=True))


def test_what_is_recorded_stands_on_the_card(storage: Storage, version: str) -> None:
    record_evaluation(storage, version, evaluation_json(version, 0.1234))
    assert "**0.1234**" in storage.read(f"versions/{version}/card.md").data.decode()


def test_an_evaluation_of_what_was_not_published_is_refused(storage: Storage) -> None:
    with pytest.raises(NotFound, match="20260101-00000000"):
        record_evaluation(storage, "20260101-00000000", evaluation_json("20260101-00000000"))


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        pytest.param({"model": {}}, "model.version: Field required", id="of no model"),
        pytest.param({"from": "May"}, "from: ", id="no date"),
        pytest.param({"stride": 0}, "stride: ", id="no stride"),
        pytest.param({"candles": {}}, "candles: ", id="no candles"),
        pytest.param({"candles": {"BTCUSD": "abc"}}, "candles.BTCUSD: ", id="no digest"),
        pytest.param({"frames": 0}, "frames: ", id="no frame"),
        pytest.param({"outputs": {"maxRisePct": {"r2": 0.1}}}, "outputs: maxDeclinePct, endChangePct missing", id="outputs that lack"),
        pytest.param({"outputs": {"maxRisePct": {"r2": float("nan")}}}, "outputs.maxRisePct.r2: ", id="no number"),
        pytest.param({"outputs": {"maxRisePct": {"r2": 1.5}}}, "outputs.maxRisePct.r2: ", id="an R² that cannot be"),
    ],
)
def test_a_document_that_lacks_what_is_compared_names_its_fault(fields: dict[str, Any], fault: str) -> None:
    with pytest.raises(ModelError, match=f"here is not valid: {fault}"):
        EvaluationRecord.of(evaluation_json("20260101-11111111", **fields), "here")


def test_a_damaged_record_is_named(storage: Storage, version: str) -> None:
    storage.write(f"versions/{version}/evaluations/2019-05-01--2019-07-01-00000000.json", b"{")
    with pytest.raises(ModelError, match=r"2019-05-01--2019-07-01-00000000.json is not JSON"):
        read_evaluations(storage, version)


def test_a_version_that_nobody_judged_has_no_evaluation(storage: Storage, version: str) -> None:
    assert read_evaluations(storage, version) == []
