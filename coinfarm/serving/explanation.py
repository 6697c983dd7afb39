"""Explains a prediction: which candles of a window, and which of their channels, changed it.

The method is occlusion: groups of candles are erased from the frame, one after another, and each changed frame is predicted. It works with
every engine. No market produces a frame with erased candles, so an effect shows how the model uses those pixels, not what it would predict
for another market. Effects overlap, so they need not add up to the prediction.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coinfarm.candles.arrays import Values
from coinfarm.candles.candles import Candles
from coinfarm.errors import CandleError, CoinfarmError, ErrorDetail
from coinfarm.outputs import OUTPUT_NAMES, output_title
from coinfarm.prediction.predictor import Predictor
from coinfarm.prediction.series import Series
from coinfarm.reports.formatting import minute_text
from coinfarm.serving.request import utc_milliseconds
from coinfarm.serving.response import response_document
from image_render.preview import png_bytes, preview
from image_render.preview.attribution import attribution_panel
from image_render.render import Frames, empty_frames, render_frames
from image_render.spec import BODY, STANDARD, VOLUME, WICK
from image_render.windows import window_range_pct, windows

PARTS: dict[str, tuple[int, ...]] = {"body": (BODY,), "wick": (WICK,), "volume": (VOLUME,), "all": (BODY, WICK, VOLUME)}
"""The channels that are erased from a group of candles: each one alone, and all together."""

_IN_SAMPLE_NOTES = {True: " It may have been trained on this window.", False: " It was not trained on this window.", None: ""}


@dataclass(frozen=True, eq=False)
class Explanation:
    """One window, its prediction, and the effect of each group of candles on it.

    `candles` are those of the window. Group i starts at index `starts[i]` and ends before `starts[i + 1]` or at the end. `effects_pct`
    `(outputs, parts, groups)`, in the orders of `predicted_pct`, by output, and of `PARTS`, are percentage points: the prediction for the
    complete frame minus that for the frame without those pixels, so positive effects raised the prediction. `response` is the API's
    response document.
    """

    candles: Candles
    frame: Frames
    starts: NDArray[np.intp]
    predicted_pct: dict[str, float]
    effects_pct: Values
    response: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """The JSON document: the prediction, the groups, and the effects by output and part, one per group."""
        (result,) = self.response["results"]
        last_ms = np.append(self.candles.open_time[self.starts[1:]], result["closeTime"] + 1) - 1
        return {
            "model": self.response["model"],
            "symbol": self.candles.symbol,
            "interval": self.candles.interval,
            **result,
            "groups": [
                {"openTime": int(first), "closeTime": int(last)}
                for first, last in zip(self.candles.open_time[self.starts], last_ms, strict=True)
            ],
            "effectsPct": {
                output: {part: [round(effect, 6) for effect in effects] for part, effects in zip(PARTS, by_part.tolist(), strict=True)}
                for output, by_part in zip(self.predicted_pct, self.effects_pct, strict=True)
            },
        }

    def to_png(self, outputs: tuple[str, ...] = OUTPUT_NAMES) -> bytes:
        """The chart of the frame as PNG, with a panel per output: effects of all channels as bars, of single channels as strips."""
        (result,) = self.response["results"]
        predicted = {name: f"{self.predicted_pct[name]:+.3f} %" for name in outputs}
        titles = ", ".join(f"{output_title(name)} {predicted[name]}" for name in outputs)
        effects_pct = dict(zip(self.predicted_pct, self.effects_pct, strict=True))
        columns = self.candles.columns
        chart = preview(
            self.frame,
            title=f"{self.candles.symbol} {self.candles.interval}: {titles}",
            open_times_ms=(int(self.candles.open_time[0]), int(self.candles.open_time[-1])),
            price_range=(float(columns.low.min()), float(columns.high.max())),
            panels=[
                attribution_panel(
                    f"contributions to the {output_title(name)} ({predicted[name]})",
                    effects_pct[name],
                    list(PARTS),
                    self.starts.tolist(),
                    unit="percentage points",
                )
                for name in outputs
            ],
            footnotes=self._footnotes(result["inSample"]),
        )
        return png_bytes(chart)

    def _footnotes(self, in_sample: bool | None) -> tuple[str, str]:
        group = int(np.diff(self.starts, append=STANDARD.window_candles).max())
        erased = "a candle is" if group == 1 else f"{group} candles are"
        model = self.response["model"]
        return (
            f"The change of the prediction when {erased} erased: orange raised it, violet lowered it. All: body, wick and volume at once.",
            f"Model {model['name']} {model['version']} on {model['engine']}.{_IN_SAMPLE_NOTES[in_sample]}",
        )


def explain(predictor: Predictor, window: Candles, group_candles: int = 5) -> Explanation:
    """Explain the prediction for a window of 200 candles without gaps, erased in groups of `group_candles`, counted from the newest.

    Raises `CandleError` if there is no prediction because more than half of the candles were filled.
    """
    series = Series(window)
    predictions, names = predictor.predict(series), predictor.model.bundle.manifest.output_names
    document = response_document(predictor.model, predictions)
    if document["results"][0]["predictions"] is None:
        raise CandleError(
            ErrorDetail("", "more than half of the window's candles are missing, so nothing is predicted: choose another window")
        )
    view = windows(window.columns)
    frame = render_frames(view)[0]
    starts = _group_starts(group_candles)
    frames = np.concatenate([frame[None], *(_erased(frame, starts, channels) for channels in PARTS.values())])
    range_pct = np.repeat(window_range_pct(view), len(frames))
    # the complete frame is predicted again in the same batches, because an engine may round differently in others
    complete, *erased = predictor.predict_frames(frames, range_pct)
    effects = (complete - np.array(erased)).reshape(len(PARTS), len(starts), len(names))
    predicted_pct = dict(zip(names, predictions.values_pct[0].tolist(), strict=True))
    return Explanation(window, frame, starts, predicted_pct, effects.transpose(2, 0, 1), document)


def window_at(candles: Candles, time: datetime | None) -> Candles:
    """The 200 candles of the window whose last candle contains `time` (naive times are UTC), or of the last window.

    Raises `CoinfarmError` with the possible times if there is no such window.
    """
    window = STANDARD.window_candles
    Series(candles)  # raises if there are too few candles
    if time is None:
        return candles[-window:]
    time_ms = utc_milliseconds(time)
    last = int(np.searchsorted(candles.open_time, time_ms, side="right")) - 1
    if last < window - 1 or time_ms >= candles.open_time[last] + candles.interval_ms:
        raise CoinfarmError(
            f"no window ends with a candle that contains {minute_text(time_ms)} UTC: the first ends at "
            f"{minute_text(int(candles.open_time[window - 1]))} UTC, the last at {minute_text(int(candles.open_time[-1]))} UTC"
        )
    return candles[last + 1 - window : last + 1]


def _group_starts(group_candles: int) -> NDArray[np.intp]:
    """Start indices, counted from the newest candle: only the oldest group may be smaller."""
    first = STANDARD.window_candles % group_candles
    return np.unique(np.append(0, np.arange(first, STANDARD.window_candles, group_candles)))


def _erased(frame: Frames, starts: NDArray[np.intp], channels: tuple[int, ...]) -> Frames:
    """A copy of the frame for each group, without the pixels of the group in these channels."""
    frames = empty_frames(len(starts))
    frames[:] = frame
    for at, candles in enumerate(np.split(np.arange(len(frame)), starts[1:])):
        for channel in channels:
            frames[at, candles, :, channel] = 0
    return frames
