"""The measured path from candles in Parquet to predictions in Parquet, and the engine alone."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

from benchmarks.pipeline import engine_frames_per_s, parquet_to_parquet_frames_per_s
from coinfarm.engines.engine import PendingOutputs
from tests.support.demo_requests import demo_candles
from tests.support.evaluated_models import predictor_of
from tests.support.pixel_engine import PixelEngine, StreamingPixelEngine


class RowsEngine(PixelEngine):
    """Takes the rows of frames, in batches of 7."""

    batch_frames = 7

    def start(self, frames: NDArray[np.uint8]) -> PendingOutputs:
        raise AssertionError("got frames")

    def start_rows(self, rows: NDArray[np.uint8]) -> PendingOutputs:
        self.calls.append(len(rows))
        return lambda: np.zeros((len(rows), 3), np.float32)


@pytest.mark.parametrize(("engine", "batch"), [(PixelEngine(), 50), (StreamingPixelEngine(), 50), (RowsEngine(), 7)])
def test_engine_gets_complete_batches_of_what_it_takes(tmp_path: Path, engine: PixelEngine, batch: int) -> None:
    assert engine_frames_per_s(predictor_of(tmp_path / "model", engine), demo_candles(400), budget_s=0.0) > 0
    assert len(engine.calls) >= 3
    assert set(engine.calls) == {batch}


def test_every_window_of_the_parquet_file_is_predicted(tmp_path: Path) -> None:
    assert parquet_to_parquet_frames_per_s(predictor_of(tmp_path / "model", PixelEngine()), demo_candles(450), tmp_path) > 0
    assert pq.read_table(tmp_path / "predictions.parquet").num_rows == 251
