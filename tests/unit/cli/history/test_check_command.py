"""`coinfarm history check`."""

from collections.abc import Callable
from pathlib import Path

from click.testing import Result
from PIL import Image

from coinfarm.candles.parquet_file import parquet_from_candles
from tests.support.synthetic_candles import minutes

History = Callable[..., Result]


def test_prints_tables_and_draws_a_chart(history: History) -> None:
    history("generate", "--days", 5, "--missing-pct", 20, "--symbol", "DEMOBTC")
    history("generate", "--days", 2, "--symbol", "DEMOETH", "--interval", "1h")
    shown = history("check", "-o", "coverage.png")
    assert shown.exit_code == 0, "gaps are not faults"
    assert "80.00" in shown.stdout
    assert "DEMOETH 1h" in shown.stdout
    with Image.open("coverage.png") as chart:
        assert chart.format == "PNG"


def test_names_faults_and_exits_with_1(history: History) -> None:
    history("generate", "--days", 2)
    damaged = Path("store/candles/symbol=DEMO/interval=1m/date=2026-01-02.parquet")
    damaged.write_bytes(b"")
    unrecognized = Path("store/candles/notes.txt")
    unrecognized.touch()
    for options in ((), ("--json",)):
        shown = history("check", *options)
        assert shown.exit_code == 1
        assert f"fault: {damaged.absolute()}: " in shown.stderr
        assert str(unrecognized.absolute()) in shown.stdout


def test_lists_partial_days(history: History) -> None:
    Path("DEMOUSD-1m.parquet").write_bytes(parquet_from_candles(minutes(2000)))
    history("import", "DEMOUSD-1m.parquet")
    assert "DEMOUSD 1m 2020-01-02" in history("check").stdout


def test_empty_store_is_an_error(history: History) -> None:
    shown = history("check")
    assert (shown.exit_code, str(Path("store").absolute()) in shown.stderr) == (1, True)
