"""`coinfarm history import`, `check` and `generate`, as a person runs them; `download` needs a server: see the integration tests."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from coinfarm.candles.files import parse_candles
from coinfarm.candles.parquet_file import parquet_from_candles
from coinfarm.cli import main
from coinfarm.cli.history import history
from tests.support.synthetic_candles import minutes

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command in an empty folder, with the store in it."""
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(main, ["history", *map(str, arguments), "--store", "store"])


@pytest.mark.parametrize("command", sorted(history.commands))
def test_every_command_has_help_with_an_example(command: str) -> None:
    shown = CliRunner().invoke(main, ["history", command, "--help"])
    assert shown.exit_code == 0
    assert f"Example: coinfarm history {command}" in shown.output


def test_generated_history_is_the_same_each_time_and_checks_out(run: Run) -> None:
    shown = run("generate", "--days", 3, "--missing-pct", 5)
    assert shown.stdout == "DEMO 1m: 4,104 synthetic candles of 3 days from 2026-01-01 on\n"
    assert run("generate", "--days", 3, "--missing-pct", 5).exit_code == 0
    checked = json.loads(run("check", "--json").stdout)
    (series,) = checked["series"]
    assert (series["symbol"], series["interval"], series["candles"], series["coveragePct"]) == ("DEMO", "1m", 4104, 95.0)
    assert sum(hole["minutes"] for hole in series["holes"]) == 216
    assert (series["faults"], checked["strays"]) == ([], [])


def test_another_seed_is_refused_over_stored_days_and_replaces_them_on_demand(run: Run) -> None:
    run("generate", "--days", 2)
    refused = run("generate", "--days", 2, "--seed", 2)
    assert refused.exit_code == 1
    assert refused.stderr.startswith("Error: ")
    assert "--replace" in refused.stderr
    assert run("generate", "--days", 2, "--seed", 2, "--replace").exit_code == 0


def test_nothing_made_up_passes_for_history(run: Run) -> None:
    shown = run("generate", "--symbol", "BTCUSD")
    assert shown.exit_code == 1
    assert "must begin with DEMO" in shown.stderr


def test_files_are_imported_and_the_bad_one_is_named(run: Run) -> None:
    Path("DEMOUSD-1m.parquet").write_bytes(parquet_from_candles(minutes(2000)))
    Path("bad-1m.csv").write_text("time,price\n1,2\n")
    shown = run("import", "bad-1m.csv", "DEMOUSD-1m.parquet")
    assert shown.exit_code == 1
    assert shown.stdout == "DEMOUSD-1m.parquet: DEMOUSD 1m, 2,000 candles; days: 2 new\n"
    assert shown.stderr.startswith("refused: bad-1m.csv: has no columns open_time")
    again = run("import", "DEMOUSD-1m.parquet", "--json")
    assert again.exit_code == 0
    assert json.loads(again.stdout) == [
        {
            "file": "DEMOUSD-1m.parquet",
            "symbol": "DEMOUSD",
            "interval": "1m",
            "candles": 2000,
            "days": {"new": 0, "grown": 0, "same": 2, "replaced": 0},
            "refused": [],
        }
    ]


def test_check_shows_tables_and_a_picture(run: Run) -> None:
    run("generate", "--days", 5, "--missing-pct", 20, "--symbol", "DEMOBTC")
    run("generate", "--days", 2, "--symbol", "DEMOETH", "--interval", "1h")
    shown = run("check", "-o", "coverage.png")
    assert shown.exit_code == 0, "holes are no fault"
    assert "│ 2026-01 │" in shown.stdout
    assert "│ all     │" in shown.stdout
    assert "80.00" in shown.stdout
    assert "DEMOETH 1h" in shown.stdout
    assert "--json names every one" in shown.stdout
    with Image.open("coverage.png") as picture:
        assert picture.format == "PNG"


def test_check_names_what_cannot_be_and_exits_with_1(run: Run) -> None:
    run("generate", "--days", 2)
    damaged = Path("store/candles/symbol=DEMO/interval=1m/date=2026-01-02.parquet")
    damaged.write_bytes(b"")
    Path("store/candles/notes.txt").touch()
    for arguments in ((), ("--json",)):
        shown = run("check", *arguments)
        assert shown.exit_code == 1
        assert f"fault: {damaged.absolute()}: is not a Parquet file" in shown.stderr
    assert f"not a day of candles, ignored: {Path('store/candles/notes.txt').absolute()}" in run("check").stdout


def test_check_tells_the_days_that_are_there_in_part(run: Run) -> None:
    Path("DEMOUSD-1m.parquet").write_bytes(parquet_from_candles(minutes(2000)))
    run("import", "DEMOUSD-1m.parquet")
    assert "in part: DEMOUSD 1m 2020-01-02" in run("check").stdout


def test_a_store_without_candles_is_an_error(run: Run) -> None:
    shown = run("check")
    assert shown.exit_code == 1
    assert shown.stderr.startswith(f"Error: {Path('store').absolute()} has no candles: get some with `coinfarm history download`")


def test_each_series_of_a_store_is_exported_to_a_file(run: Run) -> None:
    run("generate", "--symbol", "DEMOA", "--days", 2)
    run("generate", "--symbol", "DEMOB", "--days", 1)
    run("generate", "--symbol", "DEMOB", "--interval", "1h", "--days", 1)
    assert run("export", "-o", "all/files").exit_code == 0
    assert sorted(path.name for path in Path("all/files").iterdir()) == ["DEMOA-1m.parquet", "DEMOB-1h.parquet", "DEMOB-1m.parquet"]
    exported = parse_candles(Path("all/files/DEMOA-1m.parquet").read_bytes(), "DEMOA-1m.parquet")
    assert len(exported) == 2 * 1440
    assert run("export", "--symbol", "DEMOB", "--interval", "1h", "-o", "one").exit_code == 0
    assert [path.name for path in Path("one").iterdir()] == ["DEMOB-1h.parquet"]


@pytest.mark.parametrize("asked", [("--symbol", "DEMOX"), ("--interval", "5m"), ("--symbol", "DEMOA", "--symbol", "DEMOX")])
def test_an_export_of_what_is_not_stored_says_what_is(run: Run, asked: tuple[str, ...]) -> None:
    run("generate", "--symbol", "DEMOA", "--days", 1)
    refused = run("export", *asked, "-o", "files")
    assert refused.exit_code == 1
    assert "DEMOA 1m from 2026-01-01" in refused.stderr
    assert not Path("files").exists()
