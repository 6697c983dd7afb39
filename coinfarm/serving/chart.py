"""Charts of windows as the model sees them, with or without predictions."""

from collections.abc import Mapping
from typing import Any

from coinfarm.candles.candles import Candles
from coinfarm.outputs import OUTPUT_NAMES, OUTPUT_TITLES
from coinfarm.prediction.series import Series
from coinfarm.reports.formatting import minute_text
from image_render.preview import contact_sheet, png_bytes, preview
from image_render.preview.predicted_range import PredictedRange
from image_render.render import render_frames
from image_render.windows import Columns, windows


def chart_png(series: Series) -> bytes:
    """A chart of one window, or a contact sheet of several, as PNG. Every window is rendered, so pass only a few."""
    view = windows(series.candles.columns, stride=series.stride)
    return _chart(series, view) if len(view.close) == 1 else _sheet(series, view)


def _chart(series: Series, view: Columns) -> bytes:
    candles = series.candles
    chart = preview(
        render_frames(view)[0],
        title=f"{candles.symbol} {candles.interval}",
        open_times_ms=(int(candles.open_time[0]), int(candles.open_time[view.close.shape[1] - 1])),
        price_range=(float(view.low.min()), float(view.high.max())),
    )
    return png_bytes(chart)


def prediction_chart_png(window: Candles, model: Mapping[str, Any], predicted: Mapping[str, float], horizon_candles: int) -> bytes:
    """A chart of one window and its prediction, as PNG. `model` and `predicted` are in the format of `coinfarm.serving.response`."""
    columns = window.columns
    close = float(columns.close[-1])
    price = {name: close * (1 + change_pct / 100) for name, change_pct in predicted.items()}
    values = ", ".join(f"{OUTPUT_TITLES[name]} {predicted[name]:+.2f} %" for name in OUTPUT_NAMES)
    chart = preview(
        render_frames(windows(columns))[0],
        title=f"{window.symbol} {window.interval}",
        open_times_ms=(int(window.open_time[0]), int(window.open_time[-1])),
        price_range=(float(columns.low.min()), float(columns.high.max())),
        prediction=PredictedRange(horizon_candles, close, price["maxRisePct"], price["maxDeclinePct"], price["endChangePct"]),
        footnotes=[
            f"Predicted for the next {horizon_candles} candles: {values}",
            f"Model {model['name']} {model['version']} on {model['engine']}",
        ],
    )
    return png_bytes(chart)


def _sheet(series: Series, view: Columns) -> bytes:
    count, window = view.close.shape
    last_candles = series.candles.open_time[window - 1 :: series.stride][:count]
    captions = [f"{series.candles.symbol} {series.candles.interval}, to {minute_text(time)} UTC" for time in last_candles.tolist()]
    return png_bytes(contact_sheet(render_frames(view), captions))
