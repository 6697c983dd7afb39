from pathlib import Path

import numpy as np
import pytest

from coinfarm.candles.candles import Candles
from coinfarm.errors import CoinfarmError
from coinfarm.evaluation.evaluation_frames import EvaluationFrames, EvaluationSpec, by_interval, digest, predict_frames
from coinfarm.prediction.predictor import Predictor
from coinfarm.prediction.series import Series
from coinfarm.serving.service import Service
from coinfarm.serving.settings import Settings
from image_render.windows import Columns
from tests.support.evaluated_models import ChecksumEngine, predictor_of
from tests.support.synthetic_candles import START_MS, day, hours, minutes

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
WINDOW, HORIZON = 200, 30


def changed_after(coin: Candles, candle: int) -> Candles:
    """Change every candle from that one on by a random factor."""
    factor = np.ones(len(coin))
    factor[candle:] = np.random.default_rng(1).uniform(0.5, 2.0, size=len(coin) - candle)
    columns = Columns(*(column * factor for column in coin.columns))
    return Candles(coin.symbol, coin.interval, coin.open_time, columns, coin.filled)


def evaluation_frames(
    folder: Path, coins: list[Candles], spec: EvaluationSpec, cutoff_day: int | None = 0, **more: list[Candles]
) -> EvaluationFrames:
    cutoff = None if cutoff_day is None else {"DEMOUSD": START_MS + cutoff_day * DAY_MS}
    return predict_frames(predictor_of(folder / "model", ChecksumEngine(), cutoff), coins, spec, **more)


def test_evaluates_every_window_whose_horizon_is_in_the_period(tmp_path: Path) -> None:
    found = evaluation_frames(tmp_path, [hours(60)], EvaluationSpec(day(10), day(30)))
    windows = 20 * 24 - WINDOW + 1
    assert (found.counts.windows, found.counts.evaluated, found.counts.without_horizon) == (windows, windows - HORIZON, HORIZON)
    assert found.counts.effective == round((windows - HORIZON) / HORIZON, 1)
    assert len(found.observations) == len(found.predicted_pct) == found.counts.evaluated
    first, last = found.observations.close_time[[0, -1]]
    assert first == START_MS + 10 * DAY_MS + WINDOW * HOUR_MS - 1
    assert last == START_MS + 30 * DAY_MS - HORIZON * HOUR_MS - 1


def test_candles_after_the_period_change_nothing(tmp_path: Path) -> None:
    coin = hours(60)
    spec = EvaluationSpec(day(10), day(30))
    before = evaluation_frames(tmp_path, [coin], spec)
    after = evaluation_frames(tmp_path / "again", [changed_after(coin, 30 * 24)], spec)
    np.testing.assert_array_equal(after.observations.actual_pct, before.observations.actual_pct)
    np.testing.assert_array_equal(after.predicted_pct, before.predicted_pct)


def test_outcomes_are_those_after_the_predicted_window(tmp_path: Path) -> None:
    coin = hours(60)
    found = evaluation_frames(tmp_path, [coin], EvaluationSpec(day(0), day(60), stride=7))
    series = predictor_of(tmp_path / "other", ChecksumEngine()).predict(Series(coin, 7))
    np.testing.assert_array_equal(found.predicted_pct, series.values_pct[: len(found.observations)])
    np.testing.assert_array_equal(found.observations.close_time, series.close_time[: len(found.observations)])
    at = 7 * 5 + WINDOW - 1
    close, high = coin.columns.close[at], coin.columns.high[at + 1 : at + 1 + HORIZON].max()
    assert found.observations.actual_pct[5, 0] == pytest.approx(100 * (high / close - 1))


@pytest.mark.parametrize(
    ("symbol", "cutoff_day", "include", "in_sample"),
    [
        pytest.param("DEMOUSD", 15, False, 5 * 24, id="counted"),
        pytest.param("DEMO2", 15, False, 5 * 24, id="an unseen coin, until the latest cutoff"),
        pytest.param("DEMOUSD", 15, True, 0, id="evaluated on request"),
        pytest.param("DEMOUSD", None, False, None, id="unknown training data"),
    ],
)
def test_in_sample_windows_are_left_out(tmp_path: Path, symbol: str, cutoff_day: int | None, include: bool, in_sample: int | None) -> None:
    found = evaluation_frames(tmp_path, [hours(60, symbol=symbol)], EvaluationSpec(day(10), day(40), include_in_sample=include), cutoff_day)
    assert found.counts.in_sample == in_sample
    assert found.counts.evaluated == 30 * 24 - WINDOW + 1 - HORIZON - (in_sample or 0)
    first_day = 15 if in_sample else 10
    assert found.observations.close_time.min() == START_MS + first_day * DAY_MS + WINDOW * HOUR_MS - 1


def test_only_in_sample_windows_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(CoinfarmError, match=r"251 of the 281 .*--include-in-sample"):
        evaluation_frames(tmp_path, [hours(60)], EvaluationSpec(day(10), day(30)), cutoff_day=40)


@pytest.mark.parametrize(
    ("missing", "without_prediction", "across_gaps"),
    [
        pytest.param(range(500, 530), 0, 0, id="thirty in a row"),
        pytest.param(range(500, 531), 0, WINDOW + HORIZON - 30, id="a gap in the window or its horizon"),
        # Without a prediction from the window whose last 101 candles are missing to the one whose first 101 are: those from 401 to 549.
        pytest.param(range(500, 650), 149, WINDOW + HORIZON + 150 - 2 * 31 + 1 - 149, id="mostly missing"),
    ],
)
def test_windows_with_a_gap_are_counted(tmp_path: Path, missing: range, without_prediction: int, across_gaps: int) -> None:
    found = evaluation_frames(tmp_path, [hours(60, missing=missing)], EvaluationSpec(day(0), day(60)))
    assert (found.counts.without_prediction, found.counts.across_gaps) == (without_prediction, across_gaps)
    assert found.counts.evaluated == 60 * 24 - WINDOW + 1 - HORIZON - without_prediction - across_gaps
    assert not np.isnan(found.predicted_pct).any()


def test_baselines_are_not_fitted_across_a_gap(tmp_path: Path) -> None:
    """Of the windows every ten candles, these begin where the gap is complete in the window and its horizon."""
    spec = EvaluationSpec(day(20), day(60))
    complete = evaluation_frames(tmp_path / "complete", [hours(60)], spec, cutoff_day=20).fit_observations
    broken = evaluation_frames(tmp_path / "broken", [hours(60, missing=range(215, 255))], spec, cutoff_day=20).fit_observations
    assert complete is not None
    assert broken is not None
    crossing = [
        start for start in range(0, 20 * 24 - WINDOW - HORIZON + 1, 10) if start + WINDOW + HORIZON >= 215 + 31 and start <= 255 - 31
    ]
    assert len(complete) - len(broken) == len(crossing) > 15


def test_a_coin_without_candles_before_its_cutoff_gets_the_baselines_of_the_others(tmp_path: Path) -> None:
    late = hours(60, symbol="DEMO2").between(START_MS + 20 * DAY_MS, None)
    found = evaluation_frames(tmp_path, [hours(60), late], EvaluationSpec(day(20), day(60)), cutoff_day=20)
    assert found.fit_observations is not None
    assert set(found.fit_observations.symbols) == {"DEMOUSD"} == set(found.fit_before_ms)
    assert set(found.observations.symbols) == {"DEMOUSD", "DEMO2"}


def test_names_a_coin_with_too_few_candles(tmp_path: Path) -> None:
    with pytest.raises(CoinfarmError, match=r"DEMO2 has 48 candles from 2020-01-11 up to 2020-01-31.*230"):
        evaluation_frames(tmp_path, [hours(60), hours(12, symbol="DEMO2")], EvaluationSpec(day(10), day(30)))


def test_baselines_are_fitted_on_candles_before_the_evaluated_ones(tmp_path: Path) -> None:
    found = evaluation_frames(tmp_path, [hours(60)], EvaluationSpec(day(20), day(60)), cutoff_day=20)
    assert found.fit_observations is not None
    cutoff = START_MS + 20 * DAY_MS
    assert found.fit_observations.close_time.max() + HORIZON * HOUR_MS < cutoff
    assert found.observations.close_time.min() - WINDOW * HOUR_MS + 1 >= cutoff
    assert len(found.fit_observations) == -(-(20 * 24 - WINDOW - HORIZON + 1) // 10)


def test_candles_after_the_cutoff_do_not_change_the_fit(tmp_path: Path) -> None:
    coin = hours(60)
    spec = EvaluationSpec(day(20), day(60))
    fit = evaluation_frames(tmp_path / "one", [coin], spec, 20).fit_observations
    after = evaluation_frames(tmp_path / "other", [changed_after(coin, 20 * 24)], spec, 20).fit_observations
    assert fit is not None
    assert after is not None
    np.testing.assert_array_equal(fit.features, after.features)
    np.testing.assert_array_equal(fit.actual_pct, after.actual_pct)


def test_candles_to_fit_on_may_be_given_separately(tmp_path: Path) -> None:
    coin = hours(60)
    spec = EvaluationSpec(day(20), day(60))
    late = coin.between(START_MS + 20 * DAY_MS, None)
    assert evaluation_frames(tmp_path / "without", [late], spec, 20).fit_observations is None
    assert evaluation_frames(tmp_path / "with", [late], spec, 20, baseline_series=[coin]).fit_observations is not None


@pytest.mark.parametrize("end", [WINDOW, 230, 299])
def test_no_candle_after_a_window_changes_its_frame_or_its_prediction(tmp_path: Path, end: int) -> None:
    """All windows that end before the changed candles are unchanged, and all later ones are not."""
    coin = minutes(300)
    engines = ChecksumEngine(), ChecksumEngine()
    before, after = (
        predictor_of(tmp_path / str(number), engine).predict(Series(candles))
        for number, (engine, candles) in enumerate(zip(engines, (coin, changed_after(coin, end)), strict=True))
    )
    known = end - WINDOW + 1
    assert engines[0].sums[:known] == engines[1].sums[:known]
    np.testing.assert_array_equal(before.values_pct[:known], after.values_pct[:known])
    assert all(one != other for one, other in zip(engines[0].sums[known:], engines[1].sums[known:], strict=True))


def test_the_reference_model_does_not_look_ahead(tmp_path: Path) -> None:
    """One window per call: a compiled form may round a frame differently in another place of a batch."""
    coin, end = minutes(260), 240
    service = Service(Settings(model_cache_dir=tmp_path))
    unchanged, changed = (
        Predictor(service.model(), max_batch=1).predict(Series(candles, stride=20)).values_pct
        for candles in (coin, changed_after(coin, end))
    )
    assert np.isfinite(unchanged).all()
    np.testing.assert_array_equal(unchanged[:3], changed[:3])
    assert (unchanged[3] != changed[3]).all()


def test_sorts_by_interval_and_joins_the_parts_of_a_coin_unless_they_overlap() -> None:
    coin, other = hours(20), hours(10, symbol="DEMO2")
    found = by_interval([coin[100:], other, minutes(300), coin[:100]])
    assert [(interval, [part.symbol for part in parts]) for interval, parts in found.items()] == [
        ("1m", ["DEMOUSD"]),
        ("1h", ["DEMO2", "DEMOUSD"]),
    ]
    joined = found["1h"][1]
    np.testing.assert_array_equal(joined.open_time, coin.open_time)
    np.testing.assert_array_equal(joined.columns, coin.columns)
    assert digest(joined) == digest(coin)
    with pytest.raises(CoinfarmError, match="DEMOUSD 1h overlap"):
        by_interval([coin[:100], coin[99:]])
    assert digest(coin) not in (digest(coin[:-1]), digest(changed_after(coin, len(coin) - 1)))


def test_rejects_an_empty_period() -> None:
    with pytest.raises(CoinfarmError, match="2020-01-04"):
        EvaluationSpec(day(3), day(3))


def test_each_coin_has_its_own_cutoff(tmp_path: Path) -> None:
    cutoff_ms = {"DEMO1": START_MS + 15 * DAY_MS, "DEMO2": START_MS + 10 * DAY_MS}
    predictor = predictor_of(tmp_path / "model", ChecksumEngine(), cutoff_ms)
    found = predict_frames(predictor, [hours(40, symbol="DEMO1"), hours(40, symbol="DEMO2")], EvaluationSpec(day(10), day(40)))
    assert found.fit_before_ms == cutoff_ms
    assert found.counts.in_sample == 5 * 24
    counts = dict(zip(*np.unique(found.observations.symbols, return_counts=True), strict=True))
    assert counts["DEMO2"] - counts["DEMO1"] == 5 * 24
