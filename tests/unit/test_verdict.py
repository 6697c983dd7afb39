"""What a verdict is about: candles made up or imported, the days that the model has not learnt from, and the run over them."""

from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from coinfarm.backfill.estimate import Speed
from coinfarm.candle_store.store import CandleStore
from coinfarm.candles.candles import Candles
from coinfarm.candles.day import day_start_ms
from coinfarm.candles.parquet_file import parquet_from_candles
from coinfarm.errors import CoinfarmError
from coinfarm.models.training_data import TrainingData
from coinfarm.storage import open_storage
from coinfarm.verdict import SYNTHETIC_DAYS, SYNTHETIC_SYMBOLS, imported_scope, judge, planned, synthetic_scope
from tests.support.candle_stores import synthetic_history

VERSION = "20260101-0a1b2c3d"


def learnt(**until: date) -> TrainingData:
    """Training data with these cut-offs by symbol."""
    return TrainingData(
        symbols=tuple(until),
        interval="1m",
        from_date=date(2025, 1, 1),
        to_date=max(until.values()),
        cutoff_ms={symbol: day_start_ms(day) for symbol, day in until.items()},
        frames=1,
        splits={},
    )


def candle_file(folder: Path, days: int, symbol: str = "DEMOBTC", interval: str = "1h", **options: Any) -> Path:
    """Candles from 2026-01-01 on."""
    path = folder / f"{symbol}-{interval}.parquet"
    path.write_bytes(parquet_from_candles(synthetic_history(days, symbol=symbol, interval=interval, **options)))
    return path


def stored_candles(scope: Any, symbol: str) -> Candles:
    return CandleStore(open_storage(scope.candles_root)).read(symbol, scope.interval)


def test_candles_are_made_up_for_three_coins_of_the_days_asked_for(tmp_path: Path) -> None:
    scope = synthetic_scope(tmp_path, None, date(2026, 2, 1), date(2026, 2, 3))
    assert (scope.symbols, scope.synthetic) == (SYNTHETIC_SYMBOLS, True)
    assert {len(stored_candles(scope, symbol)) for symbol in SYNTHETIC_SYMBOLS} == {2 * 1440}
    again = synthetic_scope(tmp_path, None, date(2026, 2, 1), date(2026, 2, 3))
    assert again == scope


@pytest.mark.parametrize(
    ("until", "first"),
    [
        pytest.param(date(2019, 5, 1), date(2026, 1, 1), id="learnt from an older time"),
        pytest.param(date(2026, 3, 5), date(2026, 3, 5), id="learnt from a later time"),
    ],
)
def test_nothing_made_up_is_in_sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, until: date, first: date) -> None:
    monkeypatch.setattr("coinfarm.verdict.SYNTHETIC_DAYS", 1)
    scope = synthetic_scope(tmp_path, learnt(BTCUSD=until), None, None)
    assert (scope.first, (scope.stop - scope.first).days) == (first, 1)


def test_enough_is_made_up_for_a_verdict_and_no_more_than_a_minute_takes() -> None:
    assert SYNTHETIC_DAYS / 2 >= 10
    assert 150_000 <= SYNTHETIC_DAYS * 1440 * len(SYNTHETIC_SYMBOLS) <= 240_000


def test_files_are_asked_about_from_the_earliest_cut_off_of_their_coins(tmp_path: Path) -> None:
    files = [candle_file(tmp_path, 9), candle_file(tmp_path, 12, "DEMOETH")]
    scope = imported_scope(tmp_path / "out", files, learnt(DEMOBTC=date(2026, 1, 6), DEMOETH=date(2026, 1, 4)), None, None)
    assert (scope.symbols, scope.interval, scope.synthetic) == (("DEMOBTC", "DEMOETH"), "1h", False)
    assert (scope.first, scope.stop) == (date(2026, 1, 4), date(2026, 1, 13))
    assert len(stored_candles(scope, "DEMOETH")) == 12 * 24, "windows of the first day need the candles before it"


@pytest.mark.parametrize(
    "training", [pytest.param(None, id="the model does not tell"), pytest.param(learnt(DEMOBTC=date(2025, 6, 1)), id="long before")]
)
def test_all_of_a_file_is_asked_about_where_nothing_of_it_was_learnt(tmp_path: Path, training: TrainingData | None) -> None:
    scope = imported_scope(tmp_path / "out", [candle_file(tmp_path, 9)], training, None, None)
    assert (scope.first, scope.stop) == (date(2026, 1, 1), date(2026, 1, 10))


def test_dates_that_are_told_are_taken(tmp_path: Path) -> None:
    training = learnt(DEMOBTC=date(2026, 1, 6))
    scope = imported_scope(tmp_path / "out", [candle_file(tmp_path, 9)], training, date(2026, 1, 3), date(2026, 1, 8))
    assert (scope.first, scope.stop) == (date(2026, 1, 3), date(2026, 1, 8))


def test_other_candles_lie_elsewhere(tmp_path: Path) -> None:
    """Else they were refused, or judged by predictions of the first ones."""
    first = imported_scope(tmp_path / "out", [candle_file(tmp_path, 9)], None, None, None)
    (tmp_path / "moved").mkdir()
    same = imported_scope(tmp_path / "out", [candle_file(tmp_path / "moved", 9)], None, None, None)
    other = imported_scope(tmp_path / "out", [candle_file(tmp_path, 9, seed=2)], None, None, None)
    assert same == first
    assert other.folder != first.folder


@pytest.mark.parametrize(
    ("dates", "said"),
    [
        pytest.param((date(2026, 1, 5), date(2026, 1, 5)), "--to 2026-01-05 is not after 2026-01-05", id="no day"),
        pytest.param((date(2027, 1, 1), date(2027, 1, 2)), "from 2026-01-01 to 2026-01-09, and none from 2027-01-01 on", id="no candles"),
    ],
)
def test_dates_that_leave_nothing_are_refused(tmp_path: Path, dates: tuple[date, date], said: str) -> None:
    with pytest.raises(CoinfarmError, match=said):
        imported_scope(tmp_path / "out", [candle_file(tmp_path, 9)], None, *dates)


def test_candles_that_the_model_learnt_from_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CoinfarmError, match="the candles end on 2026-01-09, but the model was trained on candles before 2026-02-01"):
        imported_scope(tmp_path / "out", [candle_file(tmp_path, 9)], learnt(DEMOBTC=date(2026, 2, 1)), None, None)


def test_a_file_that_is_refused_ends_it(tmp_path: Path) -> None:
    damaged = tmp_path / "DEMOETH-1h.parquet"
    damaged.write_bytes(b"no Parquet")
    with pytest.raises(CoinfarmError, match=r"DEMOETH-1h\.parquet: .*not a Parquet file"):
        imported_scope(tmp_path / "out", [candle_file(tmp_path, 9), damaged], None, None, None)


def test_files_of_several_intervals_are_refused(tmp_path: Path) -> None:
    files = [candle_file(tmp_path, 2), candle_file(tmp_path, 2, "DEMOETH", "15m")]
    with pytest.raises(CoinfarmError, match=r"several intervals \(15m, 1h\)"):
        imported_scope(tmp_path / "out", files, None, None, None)


def test_a_run_is_planned_once_for_each_model_and_days(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    timed: list[Any] = []
    monkeypatch.setattr("coinfarm.verdict.speed_here", lambda predictor: timed.append(predictor) or Speed(2_000.0, 2, "told by a test"))
    predictor: Any = SimpleNamespace(model=SimpleNamespace(version=VERSION))
    whole = imported_scope(tmp_path / "out", [candle_file(tmp_path, 12)], None, None, None)
    part = imported_scope(tmp_path / "out", [candle_file(tmp_path, 12)], None, date(2026, 1, 10), None)
    first, again = (planned(whole, predictor, "models") for _ in range(2))
    assert len(timed) == 1
    assert first.manifest == again.manifest
    assert first.manifest.quote.frames == 12 * 24
    others = [planned(part, predictor, "models"), planned(whole, predictor, "other models")]
    assert len({run.storage.uri() for run in (first, *others)}) == 3
    assert {run.manifest.results_uri for run in others} == {first.manifest.results_uri}, "what is predicted is not predicted again"


def test_there_is_no_verdict_on_a_part_of_the_predictions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("coinfarm.verdict.speed_here", lambda _: Speed(2_000.0, 2, "told by a test"))
    predictor: Any = SimpleNamespace(model=SimpleNamespace(version=VERSION))
    scope = imported_scope(tmp_path / "out", [candle_file(tmp_path, 12)], None, None, None)
    with pytest.raises(CoinfarmError, match=r"2 shards .* DEMOBTC 1h 2026-01-01--2026-01-07"):
        judge(scope, planned(scope, predictor, None))
