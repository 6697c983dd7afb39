"""Every table fits into 80 columns, with long names and large numbers."""

from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from rich.table import Table

from coinfarm.backfill.coverage import Coverage, Month, WindowCounts
from coinfarm.backfill.estimate import ComputeLimits, Speed, estimate_cost
from coinfarm.backfill.status import ShardFailure, Status
from coinfarm.backtesting.statistics import Statistics
from coinfarm.candle_store.check import Gap, SeriesCheck
from coinfarm.cli.backfill_tables import coverage_table, estimate_table, status_table
from coinfarm.cli.backtest_tables import backtest_tables
from coinfarm.cli.comparison_table import comparison_table
from coinfarm.cli.compilation_table import forms_table
from coinfarm.cli.coverage_tables import coverage_tables, gap_table, series_table
from coinfarm.cli.evaluation_tables import evaluation_record_table
from coinfarm.cli.evaluation_tables import tables as evaluation_tables
from coinfarm.cli.model_tables import history_table, versions_table
from coinfarm.cli.prediction_table import prediction_table
from coinfarm.cli.tables import print_tables
from coinfarm.evaluation.baseline_names import BASELINE_TITLES
from coinfarm.outputs import OUTPUT_NAMES, OUTPUT_TITLES
from tests.support.candle_stores import FIRST_MS
from tests.support.evaluation_documents import evaluation_record
from tests.support.table_text import assert_fits

VERSION = "20261122-f64964ac"
MODEL = {"name": "reference-candles-cnn", "version": VERSION, "engine": "openvino-int8-streaming"}


def like(**fields: Any) -> Any:
    return SimpleNamespace(**fields)


def predictions() -> list[Table]:
    predicted = dict(zip(OUTPUT_NAMES, (123.456, -99.999, -12.345), strict=True))
    row = {"closeTime": FIRST_MS, "filledCandles": 200, "inSample": None, "predictions": predicted}
    return [prediction_table({"model": MODEL, "results": [row, {**row, "predictions": None}]}, 3_153_600)]


def record() -> list[Table]:
    scores = {name: {"r2": -0.1234, "r2Interval": [-0.5, 0.5]} for name in OUTPUT_NAMES}
    direction = {"rightPct": 53.25, "intervalPct": [52.5, 54.0]}
    baselines = {"constantTimesRange": {"outputs": scores, "direction": direction}}
    fields = {"frames": 1_234_567, "outputs": scores, "direction": {"overall": direction}, "baselines": baselines}
    return [evaluation_record_table(evaluation_record(VERSION, **fields))]


def evaluation() -> list[Table]:
    share = like(frames=1_234_567, right_pct=53.25, interval_pct=(52.51, 100.0))
    calls = like(overall=share, strongest=share, by_coin={"BTCUSDT-USDT": share}, by_month={"2019-05": share}, by_volatility={"low": share})
    outputs = {name: like(r2=-0.1234) for name in OUTPUT_TITLES}
    baseline = like(outputs=outputs, direction=share, rise_over_decline=share)
    found = like(
        model=like(**MODEL),
        frames=1_234_567,
        from_date="2019-05-01",
        to_date="2019-07-01",
        outputs=outputs,
        direction=calls,
        rise_over_decline=calls,
        baselines=dict.fromkeys(BASELINE_TITLES, baseline),
    )
    return list(evaluation_tables(found))


def versions() -> list[Table]:
    evaluation = like(score=-0.12345, candles={"BTCUSD": 1, "ETHUSD": 1, "LTCUSD": 1}, from_date=date(2019, 5, 1), to_date=date(2019, 7, 1))
    engines = ("openvino-int8", "openvino-f32", "keras")
    listed = like(version=VERSION, in_service=True, manifest=None, engines=engines, fault=None, evaluation=evaluation)
    return [versions_table([listed, like(**{**vars(listed), "fault": "manifest.json is damaged"})])]


def pointers() -> list[Table]:
    forced = like(reason="ten times as fast", failed_checks=("it scores 0.0500, and 20261121-01234567 scored 0.1000 on the same windows",))
    return [history_table([like(promoted_at=date(2026, 1, 1), version=VERSION, note="for the demonstration", forced=forced)])]


def backfill() -> list[Table]:
    coverage = Coverage()
    coverage.months[Month("BTCUSDT-USDT", "2019-05")] = WindowCounts(31_536_000, 31_536_000, 1_234_567, 199, 1_234_567, 1_234_567)
    estimate = estimate_cost(
        31_536_000, 21_900, 12, 2, Speed(12_345.6, 2, "measured here with openvino-int8-streaming, 2 cores"), ComputeLimits()
    )
    manifest = like(
        estimate=estimate,
        symbols=("BTCUSDT", "ETHUSDT", "LTCUSDT"),
        interval="1m",
        from_date=date(2018, 1, 1),
        to_date=date(2020, 1, 1),
        model_version=VERSION,
    )
    status = Status(
        shards=21_900,
        done=12_345,
        unsent=1_234,
        waiting=12_345,
        in_flight=1_234,
        dead_lettered=12,
        failed=1,
        failures=(ShardFailure(shard="BTCUSDT 1m 2019-05-01", reason="a damaged day " * 12),),
        frames=31_536_000,
        frames_done=12_345_678,
        frames_per_s=12_345.6,
        seconds_left=123_456.0,
        usd=12.345,
        usd_estimated=123.45,
        target="gpu-spot",
    )
    return [coverage_table(coverage), estimate_table(manifest), status_table(status, "s3://my-results/runs/two-years")]


def store() -> list[Table]:
    checks = []
    for symbol, interval in (
        ("BTCUSDT", "1m"),
        ("ETHUSDT", "1m"),
        ("BTCUSDT-USDT", "15m"),
        *((f"COIN{at:03}USDT", "1h") for at in range(12)),
    ):
        days = {date(2018, 1, 1) + timedelta(at): 1_440 for at in range(40)}
        check = SeriesCheck(symbol, interval, days, first_ms=FIRST_MS, last_ms=FIRST_MS + 10**9)
        check.gaps = [Gap(FIRST_MS, FIRST_MS + 60_000 * 1_234_567)]
        checks.append(check)
    gaps = gap_table(checks)
    assert gaps is not None
    return [*coverage_tables(checks), series_table(checks), gaps]


def comparison() -> list[Table]:
    found = like(
        candidate="residual-branch",
        layers=120,
        parameters=12_966_323,
        multiply_adds=1_071_013_312,
        trained_frames=100,
        seconds=2,
        loss=0.41234,
        r2=dict.fromkeys(OUTPUT_NAMES, -0.123),
        direction_right_pct=51.04,
    )
    return [comparison_table([found])]


def forms() -> list[Table]:
    parity = dict.fromkeys(OUTPUT_NAMES, like(correlation=0.999991, rms_difference_share=0.1234))
    refusal = "the correlation of endChangePct is 0.98123, below 0.999"
    trial = like(parity_frames=1_000, candles=("DEMOUSD 1m",), processor="a processor @ 2.60 GHz", keras_frames_per_s=1_234.5)
    attempt = like(form=like(name="int8-bf16"), parity=parity, frames_per_s=12_345.6, refusal=refusal)
    return [forms_table(like(bundle=like(manifest=like(version=VERSION)), trial=trial, attempts=(attempt,)))]


def backtest() -> list[Table]:
    break_even = like(bps=-123.4, low_bps=-123.4, high_bps=1_234.5, cost_bps=24.0, trades=123_456, independent_trades=12_345.6)
    figures = dict.fromkeys(Statistics.__annotations__, -1234567.89) | {"trades": 123_456}
    part = like(
        name="BTCUSDT",
        trades=123_456,
        win_rate_pct=53.2,
        average_trade_before_cost_bps=-123.4,
        average_trade_after_cost_bps=-123.4,
        return_pct=-100.0,
        fees_paid_quote=123_456.78,
    )
    sweep = like(
        variants=[like(min_end_change_pct=0.123, min_rise_to_decline=1.25)] * 12,
        first_bps=np.full(12, -123.4),
        first_trades=np.full(12, 123_456),
        later_bps=np.full(12, -123.4),
        later_trades=np.full(12, 123_456),
    )
    result = like(
        break_even=break_even,
        statistics=Statistics(**figures),
        baselines=[like(baseline=like(name="perfect foresight, all trades"), break_even=break_even, return_pct=1e9)],
        direction=like(all_right_pct=51.2, traded_right_pct=51.2),
        trials=like(deflated_sharpe_probability=0.1234),
        by_coin=[part],
        by_month=[part],
        sweep=sweep,
    )
    return list(backtest_tables(result, sweep=True))


@pytest.mark.parametrize(
    "make_tables",
    [predictions, record, evaluation, versions, pointers, backfill, store, comparison, forms, backtest],
    ids=lambda make_tables: make_tables.__name__,
)
def test_every_table_fits_80_columns(make_tables: Any) -> None:
    for table in make_tables():
        assert_fits(table)


def test_width_in_a_pipe_is_80_columns_or_that_of_the_variable(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (table,) = record()
    monkeypatch.delenv("COLUMNS", raising=False)
    print_tables(table)
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80
    monkeypatch.setenv("COLUMNS", "200")
    print_tables(*record())
    assert max(map(len, capsys.readouterr().out.splitlines())) > 80
