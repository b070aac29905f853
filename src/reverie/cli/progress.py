"""A progress bar with the remaining time, on stderr so that stdout stays for results."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


@contextmanager
def progress(what: str, total: int | None = None) -> Iterator[Callable[[int, int], None]]:
    """Yields `advance(finished, total)`; `total` may be known only later."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(elapsed_when_finished=False),
    )
    # Work on a few blocks a minute: the speed of the last half hour, not of the last thirty seconds.
    with Progress(*columns, console=Console(stderr=True), speed_estimate_period=1800) as bars:
        task = bars.add_task(what, total=total)
        yield lambda finished, of: bars.update(task, completed=finished, total=of)
