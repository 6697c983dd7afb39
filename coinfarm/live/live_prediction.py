"""Predicts the new candles of several series as one batch, and stores each together with its prediction."""

from collections.abc import Callable, Collection, Iterator
from typing import TYPE_CHECKING, Any

from coinfarm.candles.candles import Candles
from coinfarm.errors import CoinfarmError
from coinfarm.live.live_rows import CANDLE_COLUMNS, live_rows
from coinfarm.live.live_series import CONTEXT_CANDLES, LiveSeries
from coinfarm.live.live_store import LiveFeed, LiveStore
from coinfarm.live.stored_tails import stored_series
from coinfarm.outputs import output_columns
from coinfarm.prediction.series import Series

if TYPE_CHECKING:
    import pyarrow as pa

    from coinfarm.prediction.predictions import Predictions
    from coinfarm.prediction.predictor import Predictor
    from coinfarm.serving.service import Service


def store_ready(
    store: LiveStore,
    feed: LiveFeed,
    all_series: Collection[LiveSeries],
    service: "Service",
    now_ms: Callable[[], int],
    *,
    any_interval: bool = False,
) -> "pa.Table":
    """Predict what is ready in the series, with one version of the model, and store it. Returns the rows that are new.

    After an error nothing is lost: what was not stored is ready again. If another process has stored some of the candles, the series
    continue from what it stored. Without `any_interval`, raises `CoinfarmError` if the model is known to be trained on other intervals.
    """
    ready = [(series, candles) for series in all_series if len(candles := series.ready())]
    if not ready:
        return live_rows([])
    predictor = service.predictor(use_cache=False)
    training = predictor.model.bundle.manifest.training
    if training is not None and feed.interval not in training.intervals and not any_interval:
        version, intervals = predictor.model.bundle.manifest.version, ", ".join(training.intervals)
        raise CoinfarmError(f"model {version} was trained on {intervals} candles, not {feed.interval}: promote another version")
    rows = predicted_rows(predictor, [(series.tail, candles) for series, candles in ready], now_ms)
    new = store.append(feed, rows)
    for series, candles in ready:
        series.store(candles)
    if len(new) < len(rows):
        stored = stored_series(store, feed, [series.symbol for series, _ in ready], now_ms())
        for series, _ in ready:
            series.continue_after(stored[series.symbol].tail)
    return new


def predicted_rows(predictor: "Predictor", batch: Collection[tuple[Candles, Candles]], now_ms: Callable[[], int]) -> "pa.Table":
    """The rows of new candles, given with those before them: `(context, new)` for each symbol. All of them are one batch.

    `new` follows `context` without a gap. The first rows have no prediction if the context is shorter than `CONTEXT_CANDLES`.
    """
    joined = [Candles.concatenate(new.symbol, new.interval, [context[-CONTEXT_CANDLES:], new]) for context, new in batch]
    predictions = predictor.predict_each(Series(candles) for candles in joined if len(candles) > CONTEXT_CANDLES)
    found = [next(predictions) if len(candles) > CONTEXT_CANDLES else None for candles in joined]
    manifest, predicted_at = predictor.model.bundle.manifest, now_ms()
    rows: list[dict[str, Any]] = []
    for (_, new), candles, each in zip(batch, joined, found, strict=True):
        made = [] if each is None else list(_prediction_columns(each, manifest.version, predicted_at))
        before = [{"filled_candles": int(candles.filled[: at + 1].sum())} for at in range(len(candles) - len(made))]
        rows += [a | b for a, b in zip(_candle_columns(new), [*before, *made][-len(new) :], strict=True)]
    return live_rows(rows, manifest.horizons[1:])


def _candle_columns(candles: Candles) -> Iterator[dict[str, Any]]:
    times, filled = candles.open_time.tolist(), candles.filled.tolist()
    values = zip(*(column.tolist() for column in candles.columns), strict=True)
    for open_time, is_filled, row in zip(times, filled, values, strict=True):
        yield {
            "symbol": candles.symbol,
            "open_time": open_time,
            "close_time": open_time + candles.interval_ms - 1,
            "filled": is_filled,
            **dict(zip(CANDLE_COLUMNS, row, strict=True)),
        }


def _prediction_columns(predictions: "Predictions", version: str, predicted_at: int) -> Iterator[dict[str, Any]]:
    names = output_columns(predictions.further_horizons)
    values = predictions.values_pct.tolist()
    in_sample = [None] * len(values) if predictions.in_sample is None else predictions.in_sample.tolist()
    for filled, each_in_sample, row in zip(predictions.filled_candles.tolist(), in_sample, values, strict=True):
        is_predicted = row[0] == row[0]  # not NaN
        made = {"model_version": version, "predicted_at": predicted_at, "in_sample": each_in_sample} if is_predicted else {}
        yield {"filled_candles": filled, **made, **dict(zip(names, row, strict=True))}
