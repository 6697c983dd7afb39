"""Progress bars: on stderr, only on a terminal, and removed when the work is done."""

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from coinfarm.reports.formatting import plural_text

if TYPE_CHECKING:
    from coinfarm.backfill.local_run import RunProgress


class Update(Protocol):
    """Shows that `done` of `total` is finished. None does not change the total."""

    def __call__(self, done: int, total: int | None = None, *, what: str | None = None, note: str = "") -> None: ...


@contextmanager
def progress_bar(what: str, total: int | None = None, *, unit: str | None = None, hidden: bool = False) -> Iterator[Update]:
    """A bar that counts `what`, with the time left and, if `unit` is given, the speed.

    Speed and time left are measured from the first update on, so work finished by an interrupted run does not count.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn

    class Speed(ProgressColumn):
        def render(self, task: Task) -> str:
            return "" if task.speed is None or unit is None else f"{task.speed:,.0f} {unit}/s"

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        Speed(),
        TextColumn("{task.fields[note]}"),
        TimeRemainingColumn(),
    )
    is_hidden = hidden or not sys.stderr.isatty()
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=is_hidden) as progress:
        task = progress.add_task(what, total=total, start=False, note="")

        def update(done: int, total: int | None = None, *, what: str | None = None, note: str = "") -> None:
            progress.update(task, completed=done, total=total, description=what, note=note)
            progress.start_task(task)

        yield update


def losses_text(losses: Mapping[str, float]) -> str:
    """The losses of an epoch, in one line."""
    return "  ".join(f"{name} {value:.4f}" for name, value in losses.items())


@contextmanager
def stage_bar(first: str) -> Iterator[Callable[[str, int, int], None]]:
    """A bar for work in stages; yields a function that takes the stage's name, the completed units and their total."""
    with progress_bar(first) as update:
        yield lambda stage, done, total: update(done, total, what=stage)


@contextmanager
def run_progress_bar(total: int) -> Iterator[Callable[["RunProgress"], None]]:
    """A bar for a local backfill of `total` windows: windows done, windows per second since the first update, and time left."""
    with progress_bar("windows", total) as update:
        first: tuple[float, int] | None = None

        def show(progress: "RunProgress") -> None:
            nonlocal first
            now = time.perf_counter()
            first = first or (now, progress.frames)
            first_s, first_frames = first
            speed = f"{(progress.frames - first_frames) / (now - first_s):,.0f} windows/s" if progress.frames > first_frames else ""
            failed = f"  {plural_text(len(progress.failed), 'shard')} failed" if progress.failed else ""
            finished = progress.windows_done + sum(shard.window_count for shard in progress.failed)
            update(finished + progress.frames_in_progress, note=speed + failed)

        yield show
