"""The Python API: `import coinfarm`."""

import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import coinfarm
from coinfarm.backtesting.rules.user_rule import StepRule
from coinfarm.backtesting.strategy import Entry, Strategy
from coinfarm.candles.parquet_file import parquet_from_candles
from coinfarm.candles.synthetic import generate
from coinfarm.errors import CandleError, CoinfarmError, NotFound
from coinfarm.prediction.model_scope import ModelScope
from tests.support.repository import ROOT

START_MS = 1_767_225_600_000
CANDLES = generate("DEMOUSD", "1m", START_MS, 260, seed=3)
COLUMNS = {"open_time": CANDLES.open_time, **CANDLES.columns._asdict()}
OUTPUTS = ["max_rise_pct", "max_decline_pct", "end_change_pct"]


@pytest.fixture(scope="module")
def model():
    return coinfarm.load_model()


@pytest.mark.parametrize(
    ("table", "kind"),
    [(COLUMNS, pa.Table), (CANDLES, pa.Table), (pd.DataFrame(COLUMNS), pd.DataFrame), (pl.DataFrame(COLUMNS), pl.DataFrame)],
    ids=["mapping", "candles", "pandas", "polars"],
)
def test_predicts_any_kind_of_table_and_returns_the_same_kind(model, table, kind):
    found = coinfarm.predict(table, model=model)
    assert type(found) is kind
    arrow = pa.table(found)
    assert arrow.column_names == ["open_time", "close_time", "in_sample", "filled_candles", *OUTPUTS]
    assert arrow["open_time"].to_pylist() == CANDLES.open_time[:61].tolist()
    expected = pa.table(model.predict(CANDLES))
    for name in OUTPUTS:
        np.testing.assert_allclose(arrow[name].to_numpy(), expected[name].to_numpy())


def test_predicts_a_file_by_its_name(model, tmp_path):
    path = tmp_path / "DEMOUSD-1m.parquet"
    path.write_bytes(parquet_from_candles(CANDLES))
    expected = pa.table(model.predict(CANDLES))
    assert pa.table(coinfarm.predict(path, model=model)).equals(expected)
    assert pa.table(coinfarm.predict(str(path), model=model, stride=30))["open_time"].to_pylist() == CANDLES.open_time[:61:30].tolist()
    with pytest.raises(NotFound):
        coinfarm.predict(tmp_path / "BTCUSD-1m.parquet", model=model)
    path.write_bytes(b"no Parquet")
    with pytest.raises(CandleError, match=path.name):
        model.predict(path)


def test_a_model_has_a_description(model):
    assert (model.horizon_candles, len(model.version), model.name != "", model.engine != "") == (30, 17, True, True)
    with pytest.raises(NotFound):
        coinfarm.load_model(version="20200101-00000000")


def test_renders_frames():
    frames = coinfarm.render(pd.DataFrame(COLUMNS), stride=10)
    assert (frames.shape, frames.dtype) == ((7, 200, 150, 3), np.uint8)
    assert np.array_equal(frames[1], coinfarm.render(CANDLES[10:])[0])


def test_gaps_are_filled_or_rejected(model):
    table = pa.table(COLUMNS)
    gapped = pa.concat_tables([table[:100], table[103:]])
    assert pa.table(model.predict(gapped))["filled_candles"].to_pylist()[0] == 3
    with pytest.raises(CandleError) as rejected:
        model.predict(gapped, gaps="reject")
    assert rejected.value.errors[0].pointer == "/candles/100/openTime"


@pytest.mark.parametrize(
    ("table", "options", "named"),
    [
        pytest.param({**COLUMNS, "open_time": CANDLES.open_time[::-1].copy()}, {}, "reverse", id="times that go backwards"),
        pytest.param(pa.table(COLUMNS)[:199], {}, "200", id="too few candles"),
        pytest.param([1, 2, 3], {}, "list", id="a list"),
        pytest.param(CANDLES, {"stride": 0}, "stride", id="stride 0"),
        pytest.param(CANDLES, {"stride": 1.5}, "stride", id="fractional stride"),
        pytest.param(CANDLES, {"gaps": "rejct"}, "gaps", id="unknown treatment of gaps"),
    ],
)
def test_invalid_arguments_are_named(model, table, options, named):
    with pytest.raises(CoinfarmError, match=named):
        model.predict(table, **options)


def test_predictions_say_the_models_horizon_and_warn_about_another_interval(model):
    with warnings.catch_warnings(action="error"):
        predictions = model.predict(pa.table(COLUMNS))
    assert ModelScope.from_metadata(predictions.schema.metadata) == ModelScope(30, "1m, 5m, 15m, 1h")
    hours = generate("DEMOUSD", "4h", START_MS, 1_000, seed=5)
    with pytest.warns(UserWarning, match="4h"):
        of_hours = model.predict(hours)
    with pytest.raises(CoinfarmError, match="4h"):
        coinfarm.backtest(of_hours, hours)
    assert "4h" in coinfarm.backtest(of_hours, hours, allow_mismatch=True).warnings[0]


def test_backtests_tables_and_files_alike(model, tmp_path):
    candles = generate("DEMOUSD", "1m", START_MS, 2_500, seed=5)
    predictions = pa.table(model.predict(candles))
    found = coinfarm.backtest(predictions, candles)
    (tmp_path / "DEMOUSD-1m.parquet").write_bytes(parquet_from_candles(candles))
    stored = predictions.add_column(0, "symbol", [["DEMOUSD"] * len(predictions)]).add_column(1, "interval", [["1m"] * len(predictions)])
    pq.write_table(stored, tmp_path / "predictions.parquet")
    of_files = coinfarm.backtest(tmp_path / "predictions.parquet", tmp_path)
    assert found.verdict == of_files.verdict
    np.testing.assert_array_equal(found.trades.net, of_files.trades.net)
    assert len(found.trades.net) > 10
    assert found.verdict.headline
    bought = coinfarm.backtest(predictions, candles, rule=lambda rows: np.ones(len(rows["end_change_pct"])))
    assert set(bought.trades.side.tolist()) == {1}
    stepwise = coinfarm.backtest(predictions, candles, rule=StepRule(lambda _: 1))
    np.testing.assert_array_equal(stepwise.trades.net, bought.trades.net)
    with pytest.raises(CoinfarmError, match="min_end_change_pct"):
        coinfarm.backtest(predictions, candles, strategy=Strategy(entry=Entry(min_end_change_pct=0.0)), rule=StepRule(lambda _: 1))
    with pytest.raises(CoinfarmError, match="both"):
        coinfarm.backtest(predictions, tmp_path)
    with pytest.raises(CoinfarmError, match="close_time"):
        coinfarm.backtest(predictions.drop_columns("close_time"), candles)


def test_importing_coinfarm_loads_nothing_but_itself():
    code = "import sys, coinfarm; print(sorted(m for m in sys.modules if m.split('.')[0] in ('numpy', 'pyarrow', 'pydantic', 'coinfarm')))"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "['coinfarm']"


def test_the_api_has_stable_names():
    assert set(coinfarm.__all__) == {"Model", "backtest", "load_model", "predict", "render"} <= set(dir(coinfarm))
    assert not hasattr(coinfarm, "unknown")
