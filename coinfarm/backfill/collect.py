"""All results of a run in one Parquet file, or in a dataset of one file for each symbol and month."""

import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from coinfarm.backfill.coverage import Coverage, Month, month_of
from coinfarm.backfill.run_manifest import Run
from coinfarm.backfill.shard import Shard
from coinfarm.backfill.shard_result import Result, empty_table, read_result
from coinfarm.candle_store.snapshot import CandleStoreSnapshot
from coinfarm.errors import CoinfarmError, NotFound, system_error_text
from coinfarm.storage.read_ahead import read_ahead

if TYPE_CHECKING:
    import pyarrow as pa

_READ_AHEAD = 16

Write = Callable[[Month, "pa.Table"], None]


def collect(run: Run, output: Path, on_shard: Callable[[], None] = lambda: None) -> Coverage:
    """Write what there is, in order of symbol and time; a month of one symbol is in memory at a time. `on_shard` is called after each.

    A path that ends in `.parquet` becomes one file, with columns for symbol and interval; any other a folder of
    `symbol=S/interval=I/MONTH.parquet`, which DuckDB, polars and pyarrow read as one table. Either appears whole or not at all. Raises
    `CoinfarmError` for a folder in which something lies, and where it cannot be written, and `NotFound` where no day had any candle.
    """
    coverage = Coverage()
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with (_one_file if output.suffix == ".parquet" else _dataset)(output, run.manifest.interval) as write:
            for month, shards in groupby(_read(run), lambda read: month_of(read[0])):
                tables = []
                for shard, result in shards:
                    coverage.add(shard, None if result is None else result.account)
                    if result is not None and len(result.table):
                        tables.append(result.table)
                    on_shard()
                if tables:
                    write(month, _joined(tables))
            if coverage.total.no_candles == coverage.total.asked:
                raise NotFound(_without_candles(run))
    except OSError as error:
        error.filename = str(output)
        raise CoinfarmError(system_error_text(error)) from error
    return coverage


def _without_candles(run: Run) -> str:
    manifest, contents = run.manifest, CandleStoreSnapshot(run.candles).contents()
    return (
        f"{run.storage.uri()}: nothing was predicted, for {manifest.candles_uri} had no {manifest.interval} candles of "
        f"{', '.join(manifest.symbols)} from {manifest.from_date} up to {manifest.to_date}; now {contents}. "
        "Plan another run with `coinfarm backfill plan`"
    )


def _read(run: Run) -> Iterator[tuple[Shard, Result | None]]:
    """Each shard and its result, some of which are read ahead."""
    version, results = run.manifest.model_version, run.results
    return read_ahead(lambda shard: read_result(shard, version, results), run.manifest.shards(), _READ_AHEAD)


@contextmanager
def _one_file(output: Path, interval: str) -> Iterator[Write]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = [("symbol", pa.string()), ("interval", pa.string())]
    schema = pa.schema([*names, *empty_table().schema])
    unfinished = output.with_name(f".{output.name}.{uuid4().hex}.tmp")
    try:
        with pq.ParquetWriter(unfinished, schema, compression="zstd") as writer:

            def write(month: Month, table: "pa.Table") -> None:
                told = [pa.repeat(text, len(table)) for text in (month.symbol, interval)]
                writer.write_table(pa.table([*told, *table.columns], schema=schema))

            yield write
        unfinished.replace(output)
    finally:
        unfinished.unlink(missing_ok=True)


@contextmanager
def _dataset(output: Path, interval: str) -> Iterator[Write]:
    import pyarrow.parquet as pq

    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise CoinfarmError(f"{output} is there already, and not empty: choose another place")
    unfinished = output.with_name(f".{output.name}.{uuid4().hex}.tmp")

    def write(month: Month, table: "pa.Table") -> None:
        folder = unfinished / f"symbol={month.symbol}" / f"interval={interval}"
        folder.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, folder / f"{month.month}.parquet", compression="zstd")

    try:
        unfinished.mkdir()
        yield write
        unfinished.replace(output)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _joined(tables: Iterable["pa.Table"]) -> "pa.Table":
    """As one, without what each says of itself in its metadata."""
    import pyarrow as pa

    return pa.concat_tables([table.replace_schema_metadata(None) for table in tables]).combine_chunks()
