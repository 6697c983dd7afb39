"""Predictions for other tools: a Feather file per coin for freqtrade, and plain Parquet columns for everything else."""

from pathlib import Path
from typing import TYPE_CHECKING

from coinfarm.backtesting.market_data import read_market
from coinfarm.backtesting.stored_predictions import CoinPredictions
from coinfarm.candles.candles import Candles
from coinfarm.candles.interval import interval_ms
from coinfarm.errors import CoinfarmError, system_error_text
from coinfarm.outputs import output_columns
from coinfarm.storage.local_file import atomic_write, write_file

if TYPE_CHECKING:
    import pyarrow as pa

_QUOTES = ("USDT", "USDC", "BUSD", "TUSD", "USD", "EUR", "GBP", "BTC", "ETH", "BNB")
_RECIPES_FILE = "RECIPES.md"


def export(stored: list[CoinPredictions], candles_root: str, folder: Path) -> list[Path]:
    """Write the files into the folder, which is created if necessary, and return their paths.

    `PAIR-INTERVAL.feather` has a coin's candles in freqtrade's format (`date, open, high, low, close, volume`),
    `PAIR-INTERVAL-predictions.feather` its predictions, where `date` is the open time of the window's last candle: freqtrade's date of the
    row at whose close they are known. `predictions.parquet` has all coins in plain columns; `RECIPES.md` shows how to read the files, and
    those of `reporting.result_files`. Raises `CoinfarmError` if the folder cannot be written, and what `read_market` raises.
    """
    import pyarrow as pa
    from pyarrow import parquet as pq

    try:
        folder.mkdir(parents=True, exist_ok=True)
        written = []
        for coin in stored:
            name = f"{pair_name(coin.symbol)}-{coin.interval}"
            for suffix, table in (
                ("", candle_table(read_market(candles_root, coin.symbol, coin.interval))),
                ("-predictions", _prediction_table(coin).drop_columns(["symbol", "interval"])),
            ):
                path = folder / f"{name}{suffix}.feather"
                with atomic_write(path) as unfinished:
                    _write_feather(table, unfinished)
                written.append(path)
        path = folder / "predictions.parquet"
        with atomic_write(path) as unfinished:
            pq.write_table(pa.concat_tables(map(_prediction_table, stored)), str(unfinished), compression="zstd")
        written.append(path)
        recipes = folder / _RECIPES_FILE
        write_file(recipes, recipes_text(stored[0]))
    except OSError as error:
        raise CoinfarmError(system_error_text(error)) from None
    return [*written, recipes]


def _write_feather(table: "pa.Table", path: Path) -> None:
    """Write Feather version 2 like `pyarrow.feather`, but without Arrow's threads."""
    import pyarrow as pa

    options = pa.ipc.IpcWriteOptions(compression="lz4", use_threads=False)
    with pa.ipc.new_file(str(path), table.schema, options=options) as writer:
        writer.write_table(table)


def recipes_text(coin: CoinPredictions) -> str:
    """The recipes, with the names and the times of a coin's files."""
    text = Path(__file__).with_name("recipes.md").read_text(encoding="utf-8")
    candle = interval_ms(coin.interval) // 60_000
    horizon = (coin.scope.horizon_candles or 30) * candle
    for example, actual in (
        ("BTC_USD-1m", f"{pair_name(coin.symbol)}-{coin.interval}"),
        ("{name}-1m-", f"{{name}}-{coin.interval}-"),
        ('timeframe = "1m"', f'timeframe = "{coin.interval}"'),
        ('"31min"', f'"{horizon + candle}min"'),
        ('"1min"', f'"{candle}min"'),
        ('"30": -1', f'"{horizon}": -1'),
        ("for thirty minutes", f"for {horizon:,} minutes"),
    ):
        text = text.replace(example, actual)
    return text


def pair_name(symbol: str) -> str:
    """The pair of a symbol as in freqtrade's file names: `BTC_USD` for `BTCUSD`."""
    for quote in _QUOTES:
        base = symbol.removesuffix(quote)
        if base and base != symbol:
            return f"{base.rstrip('-_')}_{quote}"
    return symbol


def candle_table(candles: Candles) -> "pa.Table":
    """The columns of freqtrade's candle files."""
    import pyarrow as pa

    return pa.table({"date": _dates(candles.open_time)} | dict(zip(candles.columns._fields, candles.columns, strict=True)))


def _prediction_table(coin: CoinPredictions) -> "pa.Table":
    import pyarrow as pa

    count = len(coin)
    open_ms = coin.close_time + 1 - _step_ms(coin)
    return pa.table(
        {
            "symbol": pa.array([coin.symbol]).take(pa.array([0] * count)),
            "interval": pa.array([coin.interval]).take(pa.array([0] * count)),
            "date": _dates(open_ms),
            "close_time": coin.close_time,
            "in_sample": coin.in_sample,
            "filled_candles": coin.filled_candles,
        }
        # No prediction is a null, not NaN: polars, unlike pandas, would include NaN in statistics.
        | {
            name: pa.array(values, from_pandas=True)
            for name, values in zip(output_columns(coin.further_horizons), coin.values_pct.T, strict=True)
        }
    )


def _step_ms(coin: CoinPredictions) -> int:
    from coinfarm.candles.interval import interval_ms

    return interval_ms(coin.interval)


def _dates(times_ms: object) -> "pa.Array":
    import pyarrow as pa

    return pa.array(times_ms, pa.int64()).cast(pa.timestamp("ms", "UTC"))
