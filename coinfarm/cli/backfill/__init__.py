"""`coinfarm backfill …`: predict years of history on this machine, on Lambda or with a fleet."""

import click

from coinfarm.cli.backfill.collect_command import collect
from coinfarm.cli.backfill.demo_command import demo
from coinfarm.cli.backfill.plan_command import plan
from coinfarm.cli.backfill.queue_commands import redrive, resume, submit
from coinfarm.cli.backfill.run_command import run
from coinfarm.cli.backfill.status_command import status


@click.group(
    epilog="Example: coinfarm backfill plan --symbol DEMOBTC --from 2026-01-01 --to 2026-01-15 --store build/store --run build/runs/demo"
)
def backfill() -> None:
    """Predict years of history, on this machine or through a queue.

    A run consists of shards of one symbol and about 1,440 candles each: one UTC day at 1m, 60 days at 1h. A shard's result is written as a
    whole, and its file name encodes model, symbol, interval and dates, so an interrupted run can continue, and processing a shard again
    writes the same file.
    """


for command in (plan, run, submit, status, resume, redrive, collect, demo):
    backfill.add_command(command)
