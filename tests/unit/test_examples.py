"""The files in examples/ are those that examples/make.py generates."""

import json

import numpy as np

from coinfarm.candles.files import parse_candles
from coinfarm.serving.request import PredictionRequest, parse_request
from examples.make import CANDLE_FILE, FOLDER, REQUEST_FILE, candles, files


def test_candle_file_contains_the_synthetic_candles():
    path = FOLDER / CANDLE_FILE
    stored, generated = parse_candles(path.read_bytes(), path.name), candles()
    assert (stored.symbol, stored.interval) == (generated.symbol, generated.interval)
    np.testing.assert_array_equal(stored.open_time, generated.open_time)
    for name, column in stored.columns._asdict().items():
        np.testing.assert_allclose(column, getattr(generated.columns, name), rtol=1e-12)


def test_request_is_valid():
    stored = json.loads((FOLDER / REQUEST_FILE).read_text())
    assert stored == json.loads(files()[REQUEST_FILE])
    assert len(parse_request(PredictionRequest, stored).candles) == 210
