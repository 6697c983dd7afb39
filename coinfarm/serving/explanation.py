"""What the model looks at: which candles of a window, and what of them, moved its predictions.

By occlusion: groups of candles are erased from the frame, one after another, and the model is asked again. It needs nothing of the
engine but predictions. A frame without a group's pixels is one that no market draws, so an effect says what the model makes of those
pixels, not what it would have said had the market done something else; and effects overlap, so they need not add up to the prediction.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coinfarm.candles.arrays import Values
from coinfarm.candles.candles import Candles
from coinfarm.errors import CoinfarmError
from coinfarm.outputs import OUTPUT_NAMES, OUTPUT_TITLES
from coinfarm.prediction.predictor import Predictor
from coinfarm.prediction.series import Series
from coinfarm.reports.formatting import minute_text
from coinfarm.serving.response import response_document
from image_render.draw import Frames, draw_frames, empty_frames
from image_render.preview import png_bytes, preview
from image_render.preview.attribution import attribution_panel
from image_render.spec import BODY, STANDARD, VOLUME, WICK
from image_render.windows import window_range_pct, windows

PARTS: dict[str, tuple[int, ...]] = {"body": (BODY,), "wick": (WICK,), "volume": (VOLUME,), "all": (BODY, WICK, VOLUME)}
"""What is erased of a group of candles: one channel, or every one."""

_ACQUAINTANCE = {True: ", which has learnt from this window.", False: ", which has never seen this window.", None: "."}


@dataclass(frozen=True, eq=False)
class Explanation:
    """One window, what the model says of it, and how much of that each group of its candles made.

    `candles` are the window's. Group i is of those from `starts[i]`, an index, up to `starts[i + 1]` or the end. `effects_pct`
    `(outputs, parts, groups)`, in the orders of `OUTPUT_NAMES` and `PARTS`, are percentage points: the prediction of the frame less that
    of the frame without those pixels, so what is positive has raised the prediction. `response` is what the API says of the window.
    """

    candles: Candles
    frame: Frames
    starts: NDArray[np.intp]
    effects_pct: Values
    response: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it: the answer, and the effects by output and part, a list over the groups."""
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
                for output, by_part in zip(OUTPUT_NAMES, self.effects_pct, strict=True)
            },
        }

    def to_png(self, outputs: tuple[str, ...] = OUTPUT_NAMES) -> bytes:
        """The chart of the frame, over a panel for each of the `outputs`: the effects of whole candles as bars, of channels as strips."""
        (result,) = self.response["results"]
        told = {name: f"{OUTPUT_TITLES[name]} {result['predictions'][name]:+.3f} %" for name in outputs}
        columns = self.candles.columns
        chart = preview(
            self.frame,
            title=f"{self.candles.symbol} {self.candles.interval}: {', '.join(told.values())}",
            open_times_ms=(int(self.candles.open_time[0]), int(self.candles.open_time[-1])),
            price_range=(float(columns.low.min()), float(columns.high.max())),
            panels=[
                attribution_panel(
                    f"what moved the {told[name]}",
                    self.effects_pct[OUTPUT_NAMES.index(name)],
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
            f"What the prediction loses where {erased} erased: orange pushed it up, violet down. All: body, wick and volume at once.",
            f"Model {model['name']} {model['version']} on {model['engine']}{_ACQUAINTANCE[in_sample]}",
        )


def explain(predictor: Predictor, window: Candles, group_candles: int = 5) -> Explanation:
    """Why the model says what it says of a window of 200 candles without holes, erased by so many at a time, counted from the newest.

    Raises `CoinfarmError` where the model says nothing, since more than half of the candles were made up.
    """
    series = Series(window)
    document = response_document(predictor.model, predictor.predict(series))
    if document["results"][0]["predictions"] is None:
        raise CoinfarmError("more than half of the window's candles are missing, so nothing is predicted: choose another window")
    view = windows(window.columns)
    frame = draw_frames(view)[0]
    starts = _group_starts(group_candles)
    frames = np.concatenate([frame[None], *(_erased(frame, starts, channels) for channels in PARTS.values())])
    range_pct = np.repeat(window_range_pct(view), len(frames))
    # the whole frame is asked about once more, in these batches: an engine may round otherwise in others
    whole, *others = predictor.predict_frames(frames, range_pct)
    effects = (whole - np.array(others)).reshape(len(PARTS), len(starts), len(OUTPUT_NAMES))
    return Explanation(window, frame, starts, effects.transpose(2, 0, 1), document)


def window_at(candles: Candles, time: datetime | None) -> Candles:
    """The 200 candles of the window whose last candle holds a time (naive ones are UTC), or of the last window.

    Raises `CoinfarmError` where there is no such window, naming the times for which there is one.
    """
    window = STANDARD.window_candles
    Series(candles)  # refuses what is too short
    if time is None:
        return candles[-window:]
    time_ms = round((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * 1000)
    last = int(np.searchsorted(candles.open_time, time_ms, side="right")) - 1
    if last < window - 1 or time_ms >= candles.open_time[last] + candles.interval_ms:
        raise CoinfarmError(
            f"no window ends with a candle that holds {minute_text(time_ms)} UTC: the first ends at "
            f"{minute_text(int(candles.open_time[window - 1]))} UTC, the last at {minute_text(int(candles.open_time[-1]))} UTC"
        )
    return candles[last + 1 - window : last + 1]


def _group_starts(group_candles: int) -> NDArray[np.intp]:
    """Counted from the newest candle, so that if a group is smaller, it is the oldest."""
    first = STANDARD.window_candles % group_candles
    return np.unique(np.append(0, np.arange(first, STANDARD.window_candles, group_candles)))


def _erased(frame: Frames, starts: NDArray[np.intp], channels: tuple[int, ...]) -> Frames:
    """The frame once for each group, without the group's pixels in those channels."""
    frames = empty_frames(len(starts))
    frames[:] = frame
    for at, candles in enumerate(np.split(np.arange(len(frame)), starts[1:])):
        for channel in channels:
            frames[at, candles, :, channel] = 0
    return frames
