"""The scope of the model of a run, for results that do not say it."""

from pathlib import Path

from coinfarm.pipeline.run_scope import scope_of_run
from coinfarm.prediction.model_scope import UNKNOWN_SCOPE, ModelScope
from coinfarm.storage import open_storage
from tests.support.backfill_runs import planned
from tests.support.candle_stores import stored, synthetic_history
from tests.support.fake_models import TRAINING, promote_model


def test_reads_the_manifest_of_the_runs_model(tmp_path: Path) -> None:
    version = promote_model(open_storage(str(tmp_path / "models")), tmp_path / "bundle", "1.0", training=TRAINING, horizon_candles=12)
    candles = stored(tmp_path / "store", synthetic_history(1))
    planned(tmp_path / "run", candles, days=1, model_uri=str(tmp_path / "models"), version=version)
    assert scope_of_run(str(tmp_path / "run")) == ModelScope(12, "1m")
    planned(tmp_path / "gone", candles, days=1, model_uri=str(tmp_path / "nowhere"), version=version)
    assert scope_of_run(str(tmp_path / "gone")) == UNKNOWN_SCOPE


def test_other_places_are_no_runs(tmp_path: Path) -> None:
    assert scope_of_run(str(tmp_path)) == UNKNOWN_SCOPE
    assert scope_of_run(str(tmp_path / "predictions.parquet")) == UNKNOWN_SCOPE
