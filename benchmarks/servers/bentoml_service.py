"""BentoML and a traced TensorFlow function: python -m bentoml serve benchmarks.servers.bentoml_service:CandlePredictions."""

from typing import Any

import bentoml
import tensorflow as tf

from benchmarks.servers.keras_model import KerasModel


@bentoml.service
class CandlePredictions:
    def __init__(self) -> None:
        self.model = KerasModel()
        self.traced = tf.function(self.model.network, input_signature=[tf.TensorSpec((None, *self.model.empty_frame.shape[1:]))])
        self.traced(self.model.empty_frame)

    @bentoml.api(route="/predictions")
    def predictions(self, symbol: str, interval: str, candles: list[list[float]]) -> dict[str, Any]:
        frame, range_pct = self.model.frame(symbol, interval, candles)
        return self.model.response(self.traced(frame), range_pct)
