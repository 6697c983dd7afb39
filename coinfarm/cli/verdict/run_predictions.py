"""The backfill of `coinfarm verdict`, on all cores."""

import time
from typing import TYPE_CHECKING

import click

from coinfarm.cli.progress import run_progress_bar
from coinfarm.reports.formatting import coins_text

if TYPE_CHECKING:
    from coinfarm.backfill.run_manifest import Run


def predict_run(run: "Run") -> None:
    """Raises `click.ClickException` if a shard fails, and `KeyboardInterrupt` after Ctrl-C."""
    from coinfarm.backfill.local_run import run_locally
    from coinfarm.cli.backfill_tables import run_summary_lines
    from coinfarm.engines.cores import available_cores

    manifest = run.manifest
    windows = manifest.estimate.windows
    shards = list(manifest.shards())
    coins = coins_text(manifest.symbols, manifest.interval)
    text = f"Backfill: {windows:,} windows of {coins} from {manifest.from_date} up to {manifest.to_date}, model {manifest.model_version}"
    click.echo(text, err=True)
    started = time.perf_counter()
    with run_progress_bar(sum(shard.window_count for shard in shards)) as show:
        progress = run_locally(run.storage.uri(), shards, min(available_cores(), len(shards)), show)
    for line in run_summary_lines(progress, time.perf_counter() - started):
        click.echo(f"  {line}", err=True)
    if progress.stopped:
        raise KeyboardInterrupt
    if progress.failed:
        raise click.ClickException(
            f"{len(progress.failed):,} shards failed, for the reasons above: a verdict needs all predictions. Run the same command again"
        )
