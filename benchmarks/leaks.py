"""How often leaks are found in predictions, and how often honest predictions are mistaken for leaks.

`python -m benchmarks.leaks CANDLES.parquet …` predicts the candles from after the reference model's training data (once: predictions are
stored under build/leaks), cuts them into streams of 30 days that begin every ten days, and prints, for each kind of stream, how many have a
warning. Files of the same minutes in other markets are other streams.
"""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.random import Generator
from pyarrow import parquet as pq

from coinfarm import load_model
from coinfarm.api import Model
from coinfarm.backtesting.checks.leaks import find_leaks
from coinfarm.backtesting.market_data import align_predictions
from coinfarm.backtesting.predicted_coin import PredictedCoin
from coinfarm.backtesting.stored_predictions import predictions_from_table
from coinfarm.candles.arrays import Values
from coinfarm.candles.candles import Candles
from coinfarm.candles.day import DAY_MS
from coinfarm.candles.files import parse_candles
from image_render.spec import STANDARD
from image_render.windows import Columns

HORIZON = 30
_CACHE = Path("build/leaks")
_EVERY_DAYS = 10
_HALF_LIFE_CANDLES = 20

Change = Callable[[PredictedCoin, Generator], PredictedCoin]


def honest(coin: PredictedCoin, _: Generator) -> PredictedCoin:
    return coin


def noise(coin: PredictedCoin, generator: Generator) -> PredictedCoin:
    """As wide as the outcomes."""
    spread = coin.actual_pct(HORIZON).std(axis=0)
    drawn = np.abs(generator.standard_normal((len(coin), 3))) * spread * (1, -1, 1)
    drawn[:, 2] *= generator.choice((-1, 1), len(coin))
    return coin.with_predictions(drawn)


def persistence(coin: PredictedCoin, _: Generator) -> PredictedCoin:
    """What happened over the last horizon."""
    earlier = PredictedCoin(coin.candles, coin.signal - HORIZON, coin.predicted_pct, coin.filled_candles)
    return coin.with_predictions(earlier.actual_pct(HORIZON))


def skilled(correlation: float) -> Change:
    """Candles with a drift that is known at each signal, so that honest predictions have this correlation with the end change."""

    def change(coin: PredictedCoin, generator: Generator) -> PredictedCoin:
        columns, count = coin.candles.columns, len(coin.candles)
        decay = 0.5 ** (1.0 / _HALF_LIFE_CANDLES)
        state, known = 0.0, np.empty(count)
        for at, shock in enumerate(generator.standard_normal(count)):
            known[at] = state = decay * state + shock
        expected = known * (1 - decay**HORIZON) / (1 - decay)  # over the horizon
        wanted = coin.actual_pct(HORIZON)[:, 2].std() * correlation / np.sqrt(1 - correlation**2)
        scale = wanted / expected.std() / 100.0
        drift = np.exp(np.concatenate([[0.0], np.cumsum(scale * known)[:-1]]))
        before = np.concatenate([[1.0], drift[:-1]])
        moved = Columns(
            columns.open * before,
            np.maximum(columns.high * drift, columns.open * before),
            np.minimum(columns.low * drift, columns.open * before),
            columns.close * drift,
            columns.volume,
        )
        candles = Candles(coin.symbol, coin.candles.interval, coin.candles.open_time, moved, coin.candles.filled)
        end = 100.0 * scale * expected[coin.signal]
        values = np.column_stack([coin.predicted_pct[:, 0] + end / 2, coin.predicted_pct[:, 1] + end / 2, end])
        return PredictedCoin(candles, coin.signal, values, coin.filled_candles)

    return change


def shifted(candles: int) -> Change:
    """Each prediction in the row that is `candles` earlier."""

    def change(coin: PredictedCoin, _: Generator) -> PredictedCoin:
        kept = coin.rows(slice(None, -candles))
        return kept.with_predictions(coin.predicted_pct[candles:])

    return change


def mixed(share: float) -> Change:
    """`share` of the outcome in every prediction."""
    return lambda coin, _: coin.with_predictions((1 - share) * coin.predicted_pct + share * coin.actual_pct(HORIZON))


def replaced(share: float) -> Change:
    """`share` of the rows are the outcome, with 32-bit precision."""

    def change(coin: PredictedCoin, generator: Generator) -> PredictedCoin:
        chosen = generator.random(len(coin)) < share
        values: Values = np.where(chosen[:, None], coin.actual_pct(HORIZON).astype(np.float32), coin.predicted_pct)
        return coin.with_predictions(values)

    return change


CHANGES: dict[str, Change] = {
    "the reference model": honest,
    "pure noise": noise,
    "the last 30 candles again": persistence,
    "honest, correlation 0.05": skilled(0.05),
    "honest, correlation 0.10": skilled(0.10),
    "honest, correlation 0.15": skilled(0.15),
    "honest, correlation 0.20": skilled(0.20),
    **{f"shifted by {candles}": shifted(candles) for candles in range(1, 6)},
    "5 % of rows are the outcome": replaced(0.05),
    "1 % of rows are the outcome": replaced(0.01),
    "5 % of the outcome in each": mixed(0.05),
    "2 % of the outcome in each": mixed(0.02),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--every", type=int, default=1, help="use every N-th prediction of a stream")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    streams = [stream for path in arguments.files for stream in _streams(path, arguments.days)]
    print(f"{len(streams)} streams of {arguments.days} days, every {arguments.every} candles")
    for name, change in CHANGES.items():
        generator = np.random.default_rng(arguments.seed)
        flagged = sum(bool(find_leaks([change(coin, generator).rows(slice(None, None, arguments.every))], HORIZON)) for coin in streams)
        print(f"{name:30} {flagged:4} with a warning, {100 * flagged / len(streams):5.1f} %", flush=True)


def _streams(path: Path, days: int) -> Iterator[PredictedCoin]:
    candles = parse_candles(path.read_bytes(), path.name)
    training_end_ms = 1_556_668_800_000  # 2019-05-01
    candles = candles.between(training_end_ms, None)
    cuts = np.flatnonzero(np.diff(candles.open_time) > DAY_MS) + 1
    model = None
    for first, last in zip([0, *cuts.tolist()], [*cuts.tolist(), len(candles)], strict=True):
        part = candles[first:last]
        start_ms, stop_ms = int(part.open_time[0]), int(part.open_time[-1])
        if stop_ms - start_ms < (days - 1) * DAY_MS:
            continue
        model = model or load_model()
        coin = _predicted(path, part, model)
        warm_up_ms = STANDARD.window_candles * candles.interval_ms
        for begin in range(start_ms + warm_up_ms, max(start_ms + warm_up_ms + 1, stop_ms - days * DAY_MS), _EVERY_DAYS * DAY_MS):
            yield coin.between(begin, begin + days * DAY_MS)


def _predicted(path: Path, part: Candles, model: Model) -> PredictedCoin:
    stored = _CACHE / f"{path.stem}-{part.open_time[0]}.parquet"
    if not stored.exists():
        stored.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(model.predict(part), stored)
    return align_predictions(predictions_from_table(part.symbol, part.interval, pq.read_table(stored)), part, HORIZON)[0]


if __name__ == "__main__":
    main()
