"""The trades and the daily equity of a backtest as files: CSV, JSON and Parquet with the same columns."""

import csv
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from coinfarm.backtesting.execution.trades import EXIT_REASONS, Trades
from coinfarm.backtesting.inference.daily_profit import MarkedTrades
from coinfarm.candles.arrays import Times
from coinfarm.candles.day import DAY_MS
from coinfarm.errors import CoinfarmError, system_error_text
from coinfarm.storage.local_file import atomic_write, write_file

if TYPE_CHECKING:
    import pyarrow as pa


def write_results(trades: Trades, marked: MarkedTrades, first_day: int, capital: float, folder: Path) -> list[Path]:
    """Write `trades` and `equity` as `.csv`, `.json` (a list of objects) and `.parquet` into the folder, which is created if necessary.

    Returns their paths. Raises `CoinfarmError` if the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        written = []
        for name, table in (("trades", trade_table(trades)), ("equity", equity_table(marked, first_day, capital))):
            written += _write(table, folder / name)
    except OSError as error:
        raise CoinfarmError(system_error_text(error)) from None
    return written


def trade_table(trades: Trades) -> "pa.Table":
    """A row for each trade, in order of entry. Times are UTC, once as timestamps and once in milliseconds; prices are without slippage."""
    import pyarrow as pa

    return pa.table(
        {
            "symbol": pa.array(trades.symbols, pa.string()).take(pa.array(trades.coin)),
            "entry_time": _dates(trades.entry_ms),
            "entry_time_ms": trades.entry_ms,
            "exit_time": _dates(trades.exit_ms),
            "exit_time_ms": trades.exit_ms,
            "side": trades.side,
            "left_by": pa.array(EXIT_REASONS).take(pa.array(trades.reason)),
            "entry_price": trades.entry_price,
            "exit_price": trades.exit_price,
            "stake_quote": trades.stake,
            "profit_before_cost_quote": trades.gross,
            "slippage_quote": trades.slippage,
            "fees_quote": trades.fees,
            "borrow_quote": trades.borrow,
            "cost_quote": trades.cost,
            "profit_quote": trades.net,
        }
    )


def equity_table(marked: MarkedTrades, first_day: int, capital: float) -> "pa.Table":
    """A row for each UTC day: profit before costs, costs and profit after them, marked to market, the stakes of new positions, and the
    capital with all profits so far, at the end of the day; in the quote currency.
    """
    import pyarrow as pa

    day = first_day + np.arange(len(marked.gross))
    return pa.table(
        {
            "day": pa.array(day, pa.int32()).cast(pa.date32()),
            "day_ms": day * DAY_MS,
            "gross": marked.gross,
            "cost": marked.cost,
            "net": marked.net,
            "stake": marked.stake,
            "equity": capital + np.cumsum(marked.net),
        }
    )


def _write(table: "pa.Table", stem: Path) -> list[Path]:
    from pyarrow import parquet as pq

    rows = [{name: _plain(value) for name, value in row.items()} for row in table.to_pylist()]
    text = io.StringIO()
    writer = csv.DictWriter(text, table.column_names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    paths = [stem.with_suffix(suffix) for suffix in (".csv", ".json", ".parquet")]
    write_file(paths[0], text.getvalue().encode())
    write_file(paths[1], (",\n".join(map(json.dumps, rows)).join("[]") + "\n").encode())
    with atomic_write(paths[2]) as unfinished:
        pq.write_table(table, str(unfinished), compression="zstd")
    return paths


def _plain(value: Any) -> Any:
    """Dates and times in ISO 8601, times with `Z` for UTC."""
    return value.isoformat().replace("+00:00", "Z") if hasattr(value, "isoformat") else value


def _dates(times_ms: Times) -> "pa.Array":
    import pyarrow as pa

    return pa.array(times_ms, pa.int64()).cast(pa.timestamp("ms", "UTC"))
