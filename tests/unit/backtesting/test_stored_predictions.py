"""Reading stored predictions: complete, in order of time, of one model."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from pyarrow import parquet as pq

from coinfarm.backtesting.predicted_coin import PredictedCoin
from coinfarm.backtesting.stored_predictions import predictions_from_table, read_predictions
from coinfarm.errors import CoinfarmError
from coinfarm.outputs import OUTPUT_COLUMNS
from coinfarm.prediction.model_scope import UNKNOWN_SCOPE, ModelScope
from tests.support.backtest_files import MODEL, prediction_table, store_predictions
from tests.support.backtest_markets import noisy_predictions, random_walk


@pytest.fixture(scope="module")
def coin() -> PredictedCoin:
    """Two days of predictions, with one missing value."""
    coin = noisy_predictions(random_walk("DEMOUSD", 2_000, 1), 10, 2)
    coin.predicted_pct[7] = np.nan
    return coin


def assert_read(root: str, coin: PredictedCoin, model: str | None) -> None:
    (found,) = read_predictions(root)
    assert (found.symbol, found.interval, found.model) == (coin.symbol, "1m", model)
    np.testing.assert_array_equal(found.close_time, coin.signal_ms + 59_999)
    np.testing.assert_array_equal(found.values_pct, coin.predicted_pct)
    assert found.in_sample.dtype == np.bool_


@pytest.mark.parametrize(
    ("prefix", "model"),
    [(f"predictions/model={MODEL}/", MODEL), (f"model={MODEL}/stride=5/", MODEL), ("", None)],
    ids=["a backfill's folders", "with a stride", "without a model"],
)
def test_concatenates_days(tmp_path: Path, coin: PredictedCoin, prefix: str, model: str | None) -> None:
    store_predictions(tmp_path, coin, prefix=prefix)
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs/manifest.json").write_text("{}")
    assert_read(str(tmp_path), coin, model)


def test_reads_the_model_from_the_roots_name(tmp_path: Path, coin: PredictedCoin) -> None:
    store_predictions(tmp_path, coin)
    assert_read(f"{tmp_path}/predictions/model={MODEL}", coin, MODEL)


def test_reads_the_horizons_in_the_names_of_the_columns(tmp_path: Path, coin: PredictedCoin) -> None:
    values = {f"{name}_h100": coin.predicted_pct[:, at] * 2 for at, name in enumerate(OUTPUT_COLUMNS)}
    table = prediction_table(coin)
    for name, column in values.items():
        table = table.append_column(name, pa.array(column))
    scope = ModelScope(10, "1m")
    stored = predictions_from_table(coin.symbol, "1m", table.replace_schema_metadata(scope.metadata()))
    assert (stored.further_horizons, stored.values_pct.shape) == ((100,), (len(coin), 6))
    for horizon, factor in ((10, 1), (100, 2)):
        found = stored.at_horizon(horizon)
        assert (found.scope, found.further_horizons) == (ModelScope(horizon, "1m"), ())
        np.testing.assert_array_equal(found.values_pct, coin.predicted_pct * factor)
    assert stored.at_horizon(5).scope == scope
    with pytest.raises(CoinfarmError, match="end_change_pct_h100"):
        predictions_from_table(coin.symbol, "1m", table.drop_columns("end_change_pct_h100"))


def test_splits_a_collected_file_by_coin(tmp_path: Path, coin: PredictedCoin) -> None:
    other = replace(coin, candles=replace(coin.candles, symbol="DEMOETH"))
    parts = [
        prediction_table(each)
        .append_column("symbol", pa.array([each.symbol] * len(each)))
        .append_column("interval", pa.array(["1m"] * len(each)))
        for each in (coin, other)
    ]
    pq.write_table(pa.concat_tables(parts), tmp_path / "collected.parquet")
    found = read_predictions(f"{tmp_path}/collected.parquet")
    assert [(each.symbol, len(each)) for each in found] == [("DEMOETH", len(coin)), ("DEMOUSD", len(coin))]
    np.testing.assert_array_equal(found[1].values_pct, coin.predicted_pct)


def test_joins_the_parts_of_a_coin_that_earlier_versions_spelled_otherwise(tmp_path: Path, coin: PredictedCoin) -> None:
    store_predictions(tmp_path, coin)
    *_, last = sorted(tmp_path.rglob("*.parquet"))
    moved = Path(str(last).replace("symbol=DEMOUSD", "symbol=DEMO-USD"))
    moved.parent.mkdir(parents=True)
    last.rename(moved)
    assert_read(str(tmp_path), coin, MODEL)


def test_reads_the_horizon_and_interval_of_the_model_if_a_file_says_them(tmp_path: Path, coin: PredictedCoin) -> None:
    store_predictions(tmp_path, coin)
    assert read_predictions(str(tmp_path))[0].scope == UNKNOWN_SCOPE
    last = max(tmp_path.rglob("*.parquet"))
    pq.write_table(pq.read_table(last).replace_schema_metadata(ModelScope(12, "5m").metadata()), last)
    assert read_predictions(str(tmp_path))[0].scope == ModelScope(12, "5m")
    pq.write_table(pq.read_table(last).replace_schema_metadata({b"horizon_candles": b"many"}), last)
    with pytest.raises(CoinfarmError, match="many"):
        read_predictions(str(tmp_path))


@pytest.mark.parametrize(("kind", "per_ms"), [(pa.timestamp("us", "UTC"), 1_000), (pa.timestamp("ms"), 1)])
def test_reads_close_times_that_are_timestamps(tmp_path: Path, coin: PredictedCoin, kind: pa.DataType, per_ms: int) -> None:
    path = tmp_path / "symbol=DEMOUSD/interval=1m/date=2019-05-01.parquet"
    path.parent.mkdir(parents=True)
    table = prediction_table(coin)
    times = pa.array((coin.signal_ms + 59_999) * per_ms).cast(kind)
    pq.write_table(table.set_column(table.column_names.index("close_time"), "close_time", times), path)
    assert_read(str(tmp_path), coin, None)


@pytest.mark.parametrize("column", ["close_time", "filled_candles"])
def test_rejects_rows_without_a_time_or_a_count(tmp_path: Path, coin: PredictedCoin, column: str) -> None:
    store_predictions(tmp_path, coin)
    path = next(tmp_path.rglob("*.parquet"))
    table = pq.read_table(path)
    values = pa.array([None, *table[column].to_pylist()[1:]], table.schema.field(column).type)
    pq.write_table(table.set_column(table.column_names.index(column), column, values), path)
    with pytest.raises(CoinfarmError, match=rf"{path.name}.*1 row.*{column}"):
        read_predictions(str(tmp_path))


def test_counts_rows_with_unknown_in_sample(tmp_path: Path, coin: PredictedCoin) -> None:
    flags: list[bool | None] = [True, None, None, *[False] * (len(coin) - 3)]
    store_predictions(tmp_path, coin, in_sample=flags)
    (found,) = read_predictions(str(tmp_path))
    assert found.in_sample_unknown == 2
    assert found.in_sample.tolist() == [flag is True for flag in flags]


def test_rejects_predictions_of_two_models(tmp_path: Path, coin: PredictedCoin) -> None:
    store_predictions(tmp_path, coin)
    store_predictions(tmp_path, coin, prefix="predictions/model=20260202-ffffffff/")
    with pytest.raises(CoinfarmError, match=f"{MODEL}, 20260202-ffffffff"):
        read_predictions(str(tmp_path))


def test_merges_equal_predictions_of_one_window_and_rejects_different_ones(tmp_path: Path, coin: PredictedCoin) -> None:
    store_predictions(tmp_path, coin)
    (once,) = read_predictions(str(tmp_path))
    first = next(tmp_path.rglob("*.parquet"))
    again = first.with_name("date=1999-01-01.parquet")
    again.write_bytes(first.read_bytes())
    (twice,) = read_predictions(str(tmp_path))
    assert twice.close_time.tolist() == once.close_time.tolist()
    np.testing.assert_array_equal(twice.values_pct, once.values_pct)
    table = pq.read_table(again)
    column = table.schema.get_field_index("end_change_pct")
    pq.write_table(table.set_column(column, "end_change_pct", pc.add(table["end_change_pct"], 1.0)), again)
    with pytest.raises(CoinfarmError, match="DEMOUSD"):
        read_predictions(str(tmp_path))


@pytest.mark.parametrize("content", [b"no Parquet", None], ids=["not Parquet", "other columns"])
def test_names_an_invalid_file(tmp_path: Path, content: bytes | None) -> None:
    with pytest.raises(CoinfarmError, match=str(tmp_path)):
        read_predictions(str(tmp_path))
    path = tmp_path / "symbol=A/interval=1m/date=2019-05-01.parquet"
    path.parent.mkdir(parents=True)
    pq.write_table(pa.table({"a": [1]}), path)
    if content:
        path.write_bytes(content)
    with pytest.raises(CoinfarmError, match=r"date=2019-05-01\.parquet"):
        read_predictions(str(tmp_path))
