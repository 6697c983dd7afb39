"""The table of engines by batch size."""

import pytest

from benchmarks import engines
from coinfarm.candles.candles import Candles
from image_render.windows import Columns, windows
from tests.support.demo_requests import demo_candles
from tests.support.pixel_engine import PixelEngine, StreamingPixelEngine


class OtherEngine(StreamingPixelEngine):
    name = "streaming"


def test_measures_each_engine_by_batch_size(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = {"plain Keras": 0.5, "pixels": 0.1, "streaming": 0.01}

    def best_s(calls):
        for call in calls.values():
            call()
        return {key: seconds[key[0]] for key in calls}

    candles: Candles = demo_candles(299)
    view = Columns(*windows(candles.columns))
    plain: list[int] = []
    monkeypatch.setattr(engines, "best_s", best_s)
    monkeypatch.setattr(engines, "predict_with_plain_keras", lambda _, given: plain.append(len(given.close)))
    measured = [PixelEngine(), OtherEngine()]
    found = engines.speeds(None, measured, {"streaming": 0.9995}, view)
    assert [(speed.engine, speed.frames_per_s, speed.ratio, speed.worst_correlation) for speed in found] == [
        ("plain Keras", {100: 200.0}, 1.0, None),
        ("pixels", {1: 10.0, 10: 100.0, 100: 1_000.0}, pytest.approx(5.0), None),
        ("streaming", {1: 100.0, 10: 1_000.0, 100: 10_000.0}, pytest.approx(50.0), 0.9995),
    ]
    assert plain == [100]
    assert [engine.calls for engine in measured] == [[1, 10, 100]] * 2
