from pathlib import Path
from typing import Any

import pytest

from coinfarm.errors import ModelError
from coinfarm.models.evaluation_document import Evaluation, EvaluationRecord
from coinfarm.serving.settings import reference_model_uri
from tests.support.evaluation_documents import BITCOIN, ETHER, evaluation_json, evaluation_record

VERSION = "20260101-11111111"


def test_reads_a_document_with_only_what_versions_are_compared_by() -> None:
    document = evaluation_json(VERSION, 0.15, 0.12, 0.0)
    del document["includesInSample"]
    document["model"] = {"version": VERSION}
    document["outputs"] = {name: {"r2": output["r2"]} for name, output in document["outputs"].items()}
    record = EvaluationRecord.read(document, "here")
    assert record.score == pytest.approx(0.09)
    assert (record.includes_in_sample, record.counts, record.baselines) == (False, None, {})
    assert record.direction.overall.right_pct is None


def test_ignores_unknown_fields_at_every_level() -> None:
    document = evaluation_json(VERSION, sharpe={"ratio": 1})
    document["outputs"]["volume"] = {"r2": 0.3}
    assert EvaluationRecord.read(document, "here").score == evaluation_record(VERSION).score


@pytest.mark.parametrize("path", sorted(Path(reference_model_uri()).glob("versions/*/evaluations/*.json")), ids=lambda path: path.stem)
def test_the_document_of_the_reference_model_is_complete(path: Path) -> None:
    evaluation = Evaluation.parse(path.read_bytes(), str(path))
    assert path.stem == evaluation.conditions
    assert evaluation.counts.evaluated == evaluation.frames


@pytest.mark.parametrize(
    ("fields", "same"),
    [
        pytest.param({"frames": 7}, True, id="other number of frames"),
        pytest.param({"from": "2019-05-02"}, False, id="other start"),
        pytest.param({"to": "2019-07-02"}, False, id="other end"),
        pytest.param({"stride": 11}, False, id="other stride"),
        pytest.param({"candles": {"ETHUSD": ETHER}}, False, id="other candles"),
        pytest.param({"candles": {"ETHUSD": ETHER, "BTCUSD": BITCOIN}}, True, id="coins in another order"),
    ],
)
def test_conditions_are_dates_stride_and_candles(fields: dict[str, Any], same: bool) -> None:
    record = evaluation_record(VERSION, candles={"BTCUSD": BITCOIN, "ETHUSD": ETHER})
    assert (record.conditions == evaluation_record(VERSION, **{"candles": record.candles, **fields}).conditions) is same


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        pytest.param({"model": {}}, "model.version", id="no version"),
        pytest.param({"from": "May"}, "from", id="no date"),
        pytest.param({"candles": {"BTCUSD": "abc"}}, "candles.BTCUSD", id="no digest"),
        pytest.param({"outputs": {"maxRisePct": {"r2": 0.1}}}, "outputs.maxDeclinePct.r2, outputs.endChangePct.r2", id="missing outputs"),
        pytest.param({"outputs": {"maxRisePct": {"r2": float("nan")}}}, "outputs.maxRisePct.r2", id="NaN"),
        pytest.param({"direction": "53 %"}, "direction", id="optional field of another type"),
    ],
)
def test_names_the_field_of_an_invalid_document(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(ModelError, match=f"here .*{field}"):
        evaluation_record(VERSION, **fields)
