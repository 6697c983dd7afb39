from pathlib import Path

import pytest

from coinfarm.errors import NotFound
from coinfarm.models.evaluations import store_evaluation
from coinfarm.models.manifest import Output
from coinfarm.outputs import output_names
from coinfarm.scorecard.model_record import ModelHorizon, ModelRecord, read_model_record
from coinfarm.storage import open_storage
from tests.support.evaluation_documents import evaluation_json, evaluation_record
from tests.support.fake_models import create_bundle, publish_model
from tests.support.live_predictions import VERSION, evaluation_with_reference


def test_reads_the_horizons_and_evaluations_of_a_version(tmp_path: Path) -> None:
    storage = open_storage(str(tmp_path / "models"))
    outputs = tuple(Output(name=name) for name in output_names((100,)))
    version = publish_model(storage, tmp_path / "bundle", "1.0", outputs=outputs, horizon_candles=20)
    stored = store_evaluation(storage, version, evaluation_json(version))
    record = read_model_record(str(tmp_path / "models"), version)
    assert record == ModelRecord(version, (20, 100), (stored,))
    assert record.columns[1] == ModelHorizon(100, ("max_rise_pct_h100", "max_decline_pct_h100", "end_change_pct_h100"))


def test_a_bundle_has_no_evaluations(tmp_path: Path) -> None:
    version = create_bundle(tmp_path / "bundle").manifest.version
    assert read_model_record(str(tmp_path / "bundle"), version).evaluations == ()
    with pytest.raises(NotFound, match=VERSION):
        read_model_record(str(tmp_path / "bundle"), VERSION)


def test_compares_with_the_latest_evaluation_that_can_be_compared_with() -> None:
    older = evaluation_with_reference([0.1] * 10)
    newer = evaluation_with_reference([0.1] * 10, to="2019-08-01")
    newest = evaluation_record(VERSION, interval="15m", horizonCandles=30, to="2020-01-01")
    record = ModelRecord(VERSION, (30, 100), (older, newer, newest))
    assert record.evaluation("15m", 30) is newer
    assert record.evaluation("15m", 100) is record.evaluation("1h", 30) is None
    assert ModelRecord(VERSION, (30,), (newest,)).evaluation("15m", 30) is newest
