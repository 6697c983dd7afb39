"""What the services with FastAPI and BentoML have in common: the reference model in Keras, and the frame of the candles of a request."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.reference import reference_bundle
from coinfarm.candles.json_rows import candles_from_rows
from coinfarm.engines.keras_files import load_networks
from coinfarm.engines.startup_logs import suppress_startup_logs
from coinfarm.outputs import OUTPUT_NAMES
from coinfarm.prediction.frame_batch import in_percent
from image_render.render import render_frames
from image_render.spec import STANDARD
from image_render.windows import window_range_pct, windows

Frame = NDArray[np.float32]


class KerasModel:
    """The reference model, a Keras network from frames `(N, 200, 150, 3)`, float32, to outputs `(N, 3)`."""

    def __init__(self) -> None:
        bundle = reference_bundle()
        self._outputs = bundle.manifest.outputs
        with suppress_startup_logs():
            (self.network,) = load_networks(bundle)
        self.empty_frame: Frame = np.zeros((1, *STANDARD.shape), np.float32)

    def frame(self, symbol: str, interval: str, rows: list[list[float]]) -> tuple[Frame, Any]:
        """The frame of 200 rows of candles `(1, 200, 150, 3)`, and the window's range in percent `(1,)`."""
        times = [[int(row[0]), *row[1:]] for row in rows]
        view = windows(candles_from_rows(times, symbol, interval).columns)
        return render_frames(view).astype(np.float32), window_range_pct(view)

    def response(self, outputs: Any, range_pct: Any) -> dict[str, Any]:
        """The network's outputs as a JSON document like that of `coinfarm serve`."""
        percent = in_percent(np.asarray(outputs).reshape(len(range_pct), -1), self._outputs, range_pct)
        return {"results": [{"predictions": dict(zip(OUTPUT_NAMES, row, strict=True))} for row in percent.tolist()]}
