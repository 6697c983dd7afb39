"""Every table fits into 80 columns, with long names and large numbers."""

import json
import re
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace as like

import pytest

from coinfarm.backfill.estimate import ComputeLimits, Speed, estimate_cost
from coinfarm.backfill.run_results import ShardFailure
from coinfarm.backfill.status import Status
from coinfarm.backfill.window_outcomes import SymbolMonth, WindowCounts, WindowOutcomes
from coinfarm.candle_store.check import Gap, SeriesCheck
from coinfarm.cli.backfill_tables import estimate_table, outcomes_table, status_table
from coinfarm.cli.comparison_table import comparison_table
from coinfarm.cli.compilation_table import forms_table
from coinfarm.cli.evaluation_tables import evaluation_record_table
from coinfarm.cli.model_tables import history_table, versions_table
from coinfarm.cli.store_tables import coverage_tables, gap_table, series_table
from coinfarm.cli.tables import print_tables
from coinfarm.models.evaluation_document import EvaluationRecord
from coinfarm.outputs import OUTPUT_NAMES
from coinfarm.serving.settings import reference_model_uri
from tests.support.candle_stores import FIRST_MS
from tests.support.table_text import assert_fits

VERSION = "20261122-f64964ac"


def versions():
    evaluation = like(
        score=-0.12345, candles=dict.fromkeys(("BTCUSD", "ETHUSD", "LTCUSD")), interval="1m", from_date=date.min, to_date=date.max
    )
    fields = {"version": VERSION, "in_service": True, "engines": ("openvino-int8", "openvino-f32", "keras"), "evaluation": evaluation}
    return [versions_table([like(**fields, error=error) for error in (None, "manifest.json is damaged")])]


def pointers():
    forced = like(reason="ten times as fast", failed_checks=("it scores 0.0500, and 20261121-01234567 scored 0.1000 on the same windows",))
    return [history_table([like(promoted_at=date(2026, 1, 1), version=VERSION, note="for the demonstration", forced=forced)])]


def backfill():
    outcomes = WindowOutcomes()
    outcomes.months[SymbolMonth("BTCUSDT-USDT", "2019-05")] = WindowCounts(31_536_000, 31_536_000, 1_234_567, 199, 1_234_567, 1_234_567)
    speed = Speed(12_345.6, 2, "measured here with openvino-int8-streaming, 2 cores")
    estimate = estimate_cost(31_536_000, 21_900, 12, 2, speed, ComputeLimits())
    symbols = ("BTCUSDT", "ETHUSDT", "LTCUSDT")
    manifest = like(estimate=estimate, symbols=symbols, interval="1m", from_date=date.min, to_date=date.max, model_version=VERSION)
    counts = dict.fromkeys(("shards", "done", "unsent", "waiting", "in_flight", "dead_lettered", "failed"), 12_345)
    windows = {"windows": 31_536_000, "windows_done": 12_345_678, "windows_per_s": 12_345.6, "seconds_left": 123_456.0}
    failure = ShardFailure(shard="BTCUSDT 1m 2019-05-01", reason="a damaged day " * 12)
    status = Status(**counts, **windows, failures=(failure,), usd=12.345, usd_estimated=123.45, target="gpu-spot")
    return [
        outcomes_table(outcomes, "15m"),
        estimate_table(manifest),
        status_table(status, manifest, "s3://my-results/runs/two-years"),
    ]


def store():
    days = {date(2018, 1, 1) + timedelta(at): 1_440 for at in range(40)}
    names = [("BTCUSDT", "1m"), ("BTCUSDT-USDT", "15m"), *((f"COIN{at:03}USDT", "1h") for at in range(12))]
    checks = [SeriesCheck(symbol, interval, days, first_ms=FIRST_MS, last_ms=FIRST_MS + 10**9) for symbol, interval in names]
    for check in checks:
        check.gaps = [Gap(FIRST_MS, FIRST_MS + 60_000 * 1_234_567)]
    return [*coverage_tables(checks), series_table(checks), gap_table(checks)]


def comparison():
    size = {"layers": 120, "parameters": 12_966_323, "multiply_adds": 1_071_013_312}
    scores = {"loss": 0.41234, "r2": dict.fromkeys(OUTPUT_NAMES, -0.123), "direction_right_pct": 51.04}
    return [comparison_table([like(candidate="residual-branch", trained_frames=100, seconds=2, **size, **scores)])]


def forms():
    parity = dict.fromkeys(OUTPUT_NAMES, like(correlation=0.999991, rms_difference_share=0.1234))
    rejection = "the correlation of endChangePct is 0.98123, below 0.999"
    conditions = like(parity_frames=1_000, candles=("DEMOUSD 1m",), processor="a processor @ 2.60 GHz", keras_frames_per_s=1_234.5)
    attempt = like(form=like(name="int8-bf16"), parity=parity, frames_per_s=12_345.6, rejection=rejection)
    return [
        forms_table(
            like(bundle=like(manifest=like(version=VERSION, output_names=OUTPUT_NAMES)), conditions=conditions, attempts=(attempt,))
        )
    ]


@pytest.mark.parametrize("make_tables", [versions, pointers, backfill, store, comparison, forms], ids=lambda make: make.__name__)
def test_every_table_fits_80_columns(make_tables):
    for table in make_tables():
        assert_fits(table)


@pytest.mark.parametrize("path", sorted(Path(reference_model_uri()).glob("versions/*/evaluations/*.json")), ids=lambda path: path.stem)
def test_evaluation_of_the_reference_model_as_make_run_shows_it(path):
    document = json.loads(path.read_bytes())
    lines = assert_fits(evaluation_record_table(EvaluationRecord.read(document, str(path)))).splitlines()
    rows = {cells[0]: cells[1:] for line in lines if (cells := [cell.strip() for cell in re.split(r"\s{2,}|│", line) if cell.strip()])[1:]}
    assert rows["this model"][0] == f"{document['outputs']['maxRisePct']['r2']:.3f}"
    assert rows["this model"][3] == f"{document['direction']['overall']['rightPct']:.1f} %"
    assert rows["zero"][3] == "–"


def test_width_in_a_pipe_is_80_columns_or_that_of_the_variable(monkeypatch, capsys):
    for columns, is_wide in (("", False), ("200", True)):
        monkeypatch.setenv("COLUMNS", columns)
        print_tables(*pointers())
        assert (max(map(len, capsys.readouterr().out.splitlines())) > 80) == is_wide
