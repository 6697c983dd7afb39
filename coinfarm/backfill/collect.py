"""Join the results of a run into one Parquet file, or into a dataset of one file per symbol and month."""

import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from coinfarm.backfill.run_manifest import Run
from coinfarm.backfill.shard import Shard
from coinfarm.backfill.shard_result import ShardResult, empty_table, read_result
from coinfarm.backfill.window_outcomes import SymbolMonth, WindowOutcomes, month_of
from coinfarm.candle_store.snapshot import CandleStoreSnapshot
from coinfarm.errors import CoinfarmError, NotFound, system_error_text
from coinfarm.prediction.model_scope import ModelScope
from coinfarm.storage.local_file import atomic_write, temporary_path
from coinfarm.storage.read_ahead import read_ahead

if TYPE_CHECKING:
    import pyarrow as pa

_READ_AHEAD = 16

Write = Callable[[SymbolMonth, "pa.Table", ModelScope], None]


def collect(run: Run, output: Path, progress: Callable[[int, int], None] = lambda _done, _total: None) -> WindowOutcomes:
    """Write the existing results, ordered by symbol and time, with one month of one symbol in memory at a time.

    A path that ends in `.parquet` becomes one file, with columns for symbol and interval; any other path a folder of
    `symbol=S/interval=I/MONTH.parquet`, which DuckDB, polars and pyarrow read as one table. After a failure no output is left.
    `progress` is called with the number of shards done and in total. Raises `CoinfarmError` if the folder is not empty or cannot be
    written, and `NotFound` if there are no candles at all.
    """
    outcomes = WindowOutcomes()
    all_shards = list(run.manifest.shards())
    done = 0
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with (_one_file if output.suffix == ".parquet" else _dataset)(output, run.manifest.interval) as write:
            for month, shards in groupby(_read(run, all_shards), lambda pair: month_of(pair[0])):
                tables, scopes = [], []
                for shard, result in shards:
                    outcomes.add(shard, None if result is None else result.counts)
                    if result is not None and len(result.table):
                        tables.append(result.table)
                        scopes.append(result.scope)
                    done += 1
                    progress(done, len(all_shards))
                if tables:
                    scope = ModelScope.common(scopes)
                    write(month, _concatenated(tables), scope if scope.is_known else run.scope())
            if outcomes.total.no_candles == outcomes.total.requested:
                raise NotFound(_no_candles_text(run))
    except OSError as error:
        error.filename = str(output)
        raise CoinfarmError(system_error_text(error)) from error
    return outcomes


def _no_candles_text(run: Run) -> str:
    manifest, contents = run.manifest, CandleStoreSnapshot(run.candles).contents()
    return (
        f"{run.storage.uri()}: nothing was predicted, because {manifest.candles_uri} had no {manifest.interval} candles of "
        f"{', '.join(manifest.symbols)} from {manifest.from_date} up to {manifest.to_date}; now {contents}. "
        "Plan another run with `coinfarm backfill plan`"
    )


def _read(run: Run, shards: Iterable[Shard]) -> Iterator[tuple[Shard, ShardResult | None]]:
    """Each shard and its result. Some results are read ahead."""
    version, results = run.manifest.model_version, run.results
    return read_ahead(lambda shard: read_result(shard, version, results), shards, _READ_AHEAD)


@contextmanager
def _one_file(output: Path, interval: str) -> Iterator[Write]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = [("symbol", pa.string()), ("interval", pa.string())]
    scopes = []
    with atomic_write(output) as temporary, ExitStack() as stack:
        writer: pq.ParquetWriter | None = None

        def writer_of(table: "pa.Table") -> "pq.ParquetWriter":
            nonlocal writer
            if writer is None:  # the first table shows the model's horizons
                writer = stack.enter_context(pq.ParquetWriter(temporary, pa.schema([*names, *table.schema]), compression="zstd"))
            return writer

        def write(month: SymbolMonth, table: "pa.Table", scope: ModelScope) -> None:
            scopes.append(scope)
            series = [pa.repeat(text, len(table)) for text in (month.symbol, interval)]
            file = writer_of(table)
            file.write_table(pa.table([*series, *table.columns], schema=file.schema))

        yield write
        writer_of(empty_table()).add_key_value_metadata(ModelScope.common(scopes).metadata())


@contextmanager
def _dataset(output: Path, interval: str) -> Iterator[Write]:
    import pyarrow.parquet as pq

    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise CoinfarmError(f"{output} already exists and is not empty: choose another output")
    temporary = temporary_path(output)

    def write(month: SymbolMonth, table: "pa.Table", scope: ModelScope) -> None:
        folder = temporary / f"symbol={month.symbol}" / f"interval={interval}"
        folder.mkdir(parents=True, exist_ok=True)
        table = table.replace_schema_metadata(scope.metadata())
        pq.write_table(table, folder / f"{month.month}.parquet", compression="zstd")

    try:
        temporary.mkdir()
        yield write
        temporary.replace(output)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _concatenated(tables: Iterable["pa.Table"]) -> "pa.Table":
    """One table, without the metadata of the parts."""
    import pyarrow as pa

    return pa.concat_tables([table.replace_schema_metadata(None) for table in tables]).combine_chunks()
