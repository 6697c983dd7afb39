"""Tables in Markdown, and blocks of pages that commands write."""

from collections.abc import Iterable, Iterator, Sequence


def table_lines(header: Sequence[str], rows: Iterable[Sequence[str]], *, text_columns: int = 1) -> Iterator[str]:
    """The lines of a table, whose columns after the first `text_columns` are right-aligned."""
    yield f"| {' | '.join(header)} |"
    yield f"| {' | '.join('---:' if number >= text_columns else '---' for number in range(len(header)))} |"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def with_block(page: str, start: str, end: str, lines: Iterable[str]) -> str:
    """The page with other lines between the comments `start` and `end`. Raises `ValueError` if it does not have both, in this order."""
    before, found_start, rest = page.partition(start)
    _, found_end, after = rest.partition(end)
    if not found_start or not found_end:
        raise ValueError(f"the page has no block from {start} to {end}")
    return "\n".join([before + start, "", *lines, "", end]) + after
