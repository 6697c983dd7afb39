"""Predictions for other tools: a feather file per coin that freqtrade merges by date, and plain columns for everything else."""

from pathlib import Path
from typing import TYPE_CHECKING

from coinfarm.backtest.market_data import read_market
from coinfarm.backtest.stored_predictions import CoinPredictions
from coinfarm.backtest.trades import REASONS, Trades
from coinfarm.candles.candles import Candles
from coinfarm.errors import CoinfarmError, system_error_text
from coinfarm.outputs import OUTPUT_COLUMNS
from coinfarm.storage.local_file import atomic_write, write_file

if TYPE_CHECKING:
    import pyarrow as pa

_QUOTES = ("USDT", "USDC", "BUSD", "TUSD", "USD", "EUR", "GBP", "BTC", "ETH", "BNB")
_RECIPES_FILE = "RECIPES.md"


def export(stored: list[CoinPredictions], candles_root: str, trades: Trades, folder: Path) -> list[Path]:
    """Write into the folder, made if need be, and return what was written.

    `PAIR-INTERVAL.feather` holds a coin's candles as freqtrade keeps its data (`date, open, high, low, close, volume`),
    `PAIR-INTERVAL-predictions.feather` its predictions, `date` being when the window's last candle opened, as freqtrade dates the row at
    whose close they are known. `predictions.parquet` and `trades.parquet` hold all coins in plain columns, `RECIPES.md` says how to read
    them. Raises `CoinfarmError` where the folder cannot be written, and what `read_market` raises.
    """
    import pyarrow as pa
    from pyarrow import parquet as pq

    try:
        folder.mkdir(parents=True, exist_ok=True)
        written = []
        for coin in stored:
            name = f"{pair_name(coin.symbol)}-{coin.interval}"
            for ending, table in (
                ("", _candle_table(read_market(candles_root, coin.symbol, coin.interval))),
                ("-predictions", _prediction_table(coin).drop_columns(["symbol", "interval"])),
            ):
                path = folder / f"{name}{ending}.feather"
                with atomic_write(path) as unfinished:
                    _write_feather(table, unfinished)
                written.append(path)
        for path, table in (
            (folder / "predictions.parquet", pa.concat_tables(map(_prediction_table, stored))),
            (folder / "trades.parquet", _trade_table(trades)),
        ):
            with atomic_write(path) as unfinished:
                pq.write_table(table, str(unfinished), compression="zstd")
            written.append(path)
        recipes = folder / _RECIPES_FILE
        write_file(recipes, Path(__file__).with_name("recipes.md").read_bytes())
    except OSError as error:
        raise CoinfarmError(system_error_text(error)) from None
    return [*written, recipes]


def _write_feather(table: "pa.Table", path: Path) -> None:
    """A Feather file of version 2, as `pyarrow.feather` writes it, but without Arrow's threads."""
    import pyarrow as pa

    options = pa.ipc.IpcWriteOptions(compression="lz4", use_threads=False)
    with pa.ipc.new_file(str(path), table.schema, options=options) as writer:
        writer.write_table(table)


def pair_name(symbol: str) -> str:
    """A symbol as freqtrade names the pair's file: `BTCUSD` as `BTC_USD`."""
    for quote in _QUOTES:
        base = symbol.removesuffix(quote)
        if base and base != symbol:
            return f"{base.rstrip('-_')}_{quote}"
    return symbol


def _candle_table(candles: Candles) -> "pa.Table":
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
        # Where there is no prediction stands a null: polars, unlike pandas, would count a NaN in.
        | {name: pa.array(values, from_pandas=True) for name, values in zip(OUTPUT_COLUMNS, coin.values_pct.T, strict=True)}
    )


def _trade_table(trades: Trades) -> "pa.Table":
    import pyarrow as pa

    return pa.table(
        {
            "symbol": pa.array(trades.symbols).take(pa.array(trades.coin)),
            "entry_time": _dates(trades.entry_ms),
            "exit_time": _dates(trades.exit_ms),
            "side": trades.side,
            "left_by": pa.array(REASONS).take(pa.array(trades.reason)),
            "entry_price": trades.entry_price,
            "exit_price": trades.exit_price,
            "stake_quote": trades.stake,
            "profit_before_cost_quote": trades.gross,
            "slippage_quote": trades.slippage,
            "fees_quote": trades.fees,
            "profit_quote": trades.net,
        }
    )


def _step_ms(coin: CoinPredictions) -> int:
    from coinfarm.candles.interval import interval_ms

    return interval_ms(coin.interval)


def _dates(times_ms: object) -> "pa.Array":
    import pyarrow as pa

    return pa.array(times_ms, pa.int64()).cast(pa.timestamp("ms", "UTC"))
