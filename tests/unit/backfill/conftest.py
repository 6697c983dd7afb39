"""Fixtures of the backfill's tests: an engine that predicts numbers of pixels, candles, and a storage for results."""

from pathlib import Path

import pytest

from coinfarm.backfill.run_manifest import Run
from coinfarm.prediction.predictor import Predictor
from coinfarm.storage import Storage, open_storage
from tests.support.backfill_runs import planned
from tests.support.candle_stores import stored, synthetic_history
from tests.support.fake_queue import FakeQueue
from tests.support.pixel_engine import PixelEngine, loaded


@pytest.fixture
def engine() -> PixelEngine:
    return PixelEngine()


@pytest.fixture
def predictor(engine: PixelEngine, tmp_path: Path) -> Predictor:
    return Predictor(loaded(tmp_path / "model", engine), max_batch=100)


@pytest.fixture
def results(tmp_path: Path) -> Storage:
    return open_storage(str(tmp_path / "results"))


@pytest.fixture
def candles(tmp_path: Path) -> Storage:
    """Two days of minutes, of which 150 are missing on the second, and twenty days of hours."""
    hours = synthetic_history(20, interval="1h", symbol="DEMOETH")
    return stored(tmp_path / "store", synthetic_history(2, missing=range(2000, 2150)), hours)


@pytest.fixture
def run(tmp_path: Path, predictor: Predictor) -> Run:
    """A run of 25 days of hours, one day per shard."""
    hours = stored(tmp_path / "hours", synthetic_history(25, interval="1h"))
    return planned(tmp_path / "run", hours, interval="1h", days=25, version=predictor.model.version)


@pytest.fixture
def queue() -> FakeQueue:
    return FakeQueue()
