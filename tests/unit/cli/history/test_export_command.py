"""`coinfarm history export`."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from coinfarm.candles.files import parse_candles

History = Callable[..., Result]


def test_exports_each_series_to_a_file(history: History) -> None:
    history("generate", "--symbol", "DEMOA", "--days", 2)
    history("generate", "--symbol", "DEMOB", "--days", 1)
    history("generate", "--symbol", "DEMOB", "--interval", "1h", "--days", 1)
    assert history("export", "-o", "all/files").exit_code == 0
    assert sorted(path.name for path in Path("all/files").iterdir()) == ["DEMOA-1m.parquet", "DEMOB-1h.parquet", "DEMOB-1m.parquet"]
    exported = parse_candles(Path("all/files/DEMOA-1m.parquet").read_bytes(), "DEMOA-1m.parquet")
    assert len(exported) == 2 * 1440
    assert history("export", "--symbol", "DEMOB", "--interval", "1h", "-o", "one").exit_code == 0
    assert [path.name for path in Path("one").iterdir()] == ["DEMOB-1h.parquet"]


@pytest.mark.parametrize("options", [("--symbol", "DEMOX"), ("--interval", "5m"), ("--symbol", "DEMOA", "--symbol", "DEMOX")])
def test_missing_series_is_an_error_that_lists_what_is_stored(history: History, options: tuple[str, ...]) -> None:
    history("generate", "--symbol", "DEMOA", "--days", 1)
    refused = history("export", *options, "-o", "files")
    assert refused.exit_code == 1
    assert "DEMOA 1m from 2026-01-01" in refused.stderr
    assert not Path("files").exists()
