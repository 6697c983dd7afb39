"""`coinfarm backfill submit`, `resume` and `redrive`: send a run's shards to a queue, and send them again."""

import click

from coinfarm.cli.backfill.run_options import DEAD_LETTER_QUEUE, QUEUE, RUN, find_dead_letter_queue, open_queue, open_run
from coinfarm.cli.failures import on_interrupt
from coinfarm.cli.progress import progress_bar
from coinfarm.reports.formatting import plural_text


@click.command(epilog='Example: coinfarm backfill submit --run "$RESULTS/runs/demo" --queue "$QUEUE_URL"')
@RUN
@QUEUE
def submit(root: str, queue_url: str | None) -> None:
    """Send a run's shards to a queue, for Lambda or for workers.

    If it is interrupted, the same command sends the rest.
    """
    from coinfarm.backfill.submission import submit as submit_shards

    run = open_run(root)
    with on_interrupt("The shards sent so far are recorded. Run the same command again to continue."), progress_bar("sending") as show:
        sent = submit_shards(run, open_queue(run, queue_url), show)
    click.echo(f"{plural_text(sent, 'shard')} sent; follow them with: coinfarm backfill status --watch --run {root}")


@click.command(epilog='Example: coinfarm backfill resume --run "$RESULTS/runs/demo" --queue "$QUEUE_URL"')
@RUN
@QUEUE
@click.option(
    "--check", is_flag=True, help="Read all results and candles, and also send again shards that are damaged or whose candles have changed."
)
@click.option("--force", is_flag=True, help="Send them although the queue has messages. A shard that is sent twice is predicted once.")
def resume(root: str, queue_url: str | None, check: bool, force: bool) -> None:
    """Send again the shards that have no result.

    While the queue has messages, waiting or in flight, only shards that were never sent are sent: SQS does not say which shards the
    messages are. --check also finds days whose candles have changed since they were predicted.
    """
    from coinfarm.backfill.submission import resend
    from coinfarm.backfill.submission import submit as submit_shards

    run = open_run(root)
    queue = open_queue(run, queue_url)
    queued = queue.depth().total
    with progress_bar("sending") as show:
        sent = submit_shards(run, queue, show) if queued and not force else resend(run, queue, show, check_results=check)
    click.echo(f"{plural_text(sent, 'shard')} sent")
    if queued and not force:
        click.echo(f"{plural_text(queued, 'message')} in the queue: run this again when it is empty, or with --force", err=True)


@click.command(epilog='Example: coinfarm backfill redrive --run "$RESULTS/runs/demo" --queue "$QUEUE_URL"')
@RUN
@QUEUE
@DEAD_LETTER_QUEUE
def redrive(root: str, queue_url: str | None, dead_letter_url: str | None) -> None:
    """Move all dead-letter messages back to the queue."""
    run = open_run(root)
    queue = open_queue(run, queue_url)
    dead_letter_queue = find_dead_letter_queue(queue, dead_letter_url)
    if dead_letter_queue is None:
        raise click.ClickException(f"{queue.url} has no dead-letter queue: set --dead-letter-queue")
    with progress_bar("moving", dead_letter_queue.depth().total) as show:
        moved = dead_letter_queue.move_to(queue, show)
    click.echo(f"{plural_text(moved, 'message')} moved back")
