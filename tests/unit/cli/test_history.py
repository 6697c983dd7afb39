"""`coinfarm history` without a network."""

import json
from pathlib import Path

import pytest
from PIL import Image

from coinfarm.candles.files import parse_candles
from coinfarm.candles.parquet_file import parquet_from_candles
from tests.support.cli_runner import coinfarm
from tests.support.synthetic_candles import minutes


@pytest.fixture
def history(tmp_path, monkeypatch):
    """Runs `coinfarm history ARGUMENTS --store store` in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: coinfarm("history", *arguments, "--store", "store")


def test_check_prints_tables_and_draws_a_chart(history):
    history("generate", "--days", 5, "--missing-pct", 20, "--symbol", "DEMOBTC")
    history("generate", "--days", 2, "--symbol", "DEMOETH", "--interval", "1h")
    shown = history("check", "-o", "coverage.png")
    assert shown.exit_code == 0, "gaps are not errors"
    assert "80.00" in shown.stdout
    assert "DEMOETH 1h" in shown.stdout
    with Image.open("coverage.png") as chart:
        assert chart.format == "PNG"


def test_any_spelling_of_an_interval_is_one(history):
    for spelling in ("60m", "1H", "1h"):
        assert history("generate", "--days", 2, "--interval", spelling).exit_code == 0
        assert history("export", "--interval", spelling, "-o", f"files-{spelling}").exit_code == 0
        assert [path.name for path in Path(f"files-{spelling}").iterdir()] == ["DEMO-1h.parquet"]
    (series,) = json.loads(history("check", "--json").stdout)["series"]
    assert (series["interval"], series["candles"]) == ("1h", 48)
    assert history("generate", "--interval", "1M").exit_code == 2


def test_resamples_every_symbol_and_says_what_is_left_out(history):
    Path("DEMOUSD-1m.parquet").write_bytes(parquet_from_candles(minutes(2000)))
    history("import", "DEMOUSD-1m.parquet")
    history("generate", "--symbol", "DEMOA", "--days", 1)
    shown = history("resample", "--to", "1h, 5m,1D")
    assert shown.exit_code == 0
    names = [f"{symbol} {interval}" for symbol in ("DEMOA", "DEMOUSD") for interval in ("5m", "1h", "1d")]
    assert [line.partition(" from")[0] for line in shown.stdout.splitlines()] == names
    again = json.loads(history("resample", "--to", "1h", "--symbol", "demo-usd", "--json").stdout)
    assert [(each["symbol"], each["candles"], each["incomplete"], each["days"]["same"]) for each in again] == [("DEMOUSD", 33, 15, 2)]


@pytest.mark.parametrize(
    ("options", "code"),
    [(("--to", "90s"), 2), (("--to", "1m"), 1), (("--from", "1h", "--to", "1d"), 1), (("--to", "1h", "--symbol", "X"), 1)],
)
def test_rejects_intervals_and_symbols_that_cannot_be_resampled(history, options, code):
    history("generate", "--symbol", "DEMOA", "--days", 1)
    assert history("resample", *options).exit_code == code


def test_candles_that_differ_from_resampled_ones_stay(history):
    history("generate", "--days", 5, "--interval", "1h", "--seed", 2)
    history("generate", "--days", 5)
    rejected = history("resample", "--to", "1h")
    assert (rejected.exit_code, "--replace" in rejected.stderr, rejected.stderr.count("rejected")) == (1, True, 4)
    assert history("resample", "--to", "1h", "--replace").exit_code == 0
    assert history("resample", "--to", "1h").exit_code == 0


def test_check_reports_a_series_under_two_names(history):
    history("generate", "--symbol", "DEMOUSD", "--days", 1)
    Path("store/candles/symbol=DEMOUSD").rename("store/candles/symbol=DEMO-USD")
    assert history("check").exit_code == 0
    history("generate", "--symbol", "DEMOBTC", "--days", 1)
    Path("store/candles/symbol=DEMOBTC").rename("store/candles/symbol=DEMOUSD")
    shown = history("check")
    assert (shown.exit_code, "symbol=DEMO-USD" in shown.stderr) == (1, True)


def test_check_names_faults_and_exits_with_1(history):
    history("generate", "--days", 2)
    damaged = Path("store/candles/symbol=DEMO/interval=1m/date=2026-01-02.parquet")
    damaged.write_bytes(b"")
    unrecognised = Path("store/candles/notes.txt")
    unrecognised.touch()
    for options in ((), ("--json",)):
        shown = history("check", *options)
        assert shown.exit_code == 1
        assert f"error: {damaged.absolute()}: " in shown.stderr
        assert str(unrecognised.absolute()) in shown.stdout


def test_check_lists_partial_days(history):
    Path("DEMOUSD-1m.parquet").write_bytes(parquet_from_candles(minutes(2000)))
    history("import", "DEMOUSD-1m.parquet")
    assert "DEMOUSD 1m 2020-01-02" in history("check").stdout


def test_empty_store_is_an_error(history):
    shown = history("check")
    assert (shown.exit_code, str(Path("store").absolute()) in shown.stderr) == (1, True)


def test_export_writes_each_series_to_a_file(history):
    history("generate", "--symbol", "DEMOA", "--days", 2)
    history("generate", "--symbol", "DEMOB", "--days", 1)
    history("generate", "--symbol", "DEMOB", "--interval", "1h", "--days", 1)
    assert history("export", "-o", "all/files").exit_code == 0
    assert sorted(path.name for path in Path("all/files").iterdir()) == ["DEMOA-1m.parquet", "DEMOB-1h.parquet", "DEMOB-1m.parquet"]
    exported = parse_candles(Path("all/files/DEMOA-1m.parquet").read_bytes(), "DEMOA-1m.parquet")
    assert len(exported) == 2 * 1440
    assert history("export", "--symbol", "DEMOB", "--interval", "1h", "-o", "one").exit_code == 0
    assert [path.name for path in Path("one").iterdir()] == ["DEMOB-1h.parquet"]


@pytest.mark.parametrize(
    ("options", "missing"),
    [
        (("--interval", "5m"), "5m candles"),
        (("--symbol", "DEMOA", "--symbol", "DEMOX"), "candles of DEMOX"),
        (("--symbol", "DEMOA", "--interval", "5m"), "5m candles of DEMOA"),
    ],
)
def test_missing_series_is_an_error_that_lists_the_stored_ones(history, options, missing):
    empty = history("check")
    assert (empty.exit_code, str(Path("store").absolute()) in empty.stderr) == (1, True)
    history("generate", "--symbol", "DEMOA", "--days", 1)
    rejected = history("export", *options, "-o", "files")
    assert rejected.exit_code == 1
    assert f"has no {missing}; " in rejected.stderr
    assert "DEMOA 1m from 2026-01-01" in rejected.stderr
    assert not Path("files").exists()


def test_same_seed_generates_the_same_candles(history):
    for _ in range(2):
        assert history("generate", "--days", 3, "--missing-pct", 5).exit_code == 0
    checked = json.loads(history("check", "--json").stdout)
    (series,) = checked["series"]
    assert (series["symbol"], series["interval"], series["candles"], series["coveragePct"]) == ("DEMO", "1m", 4104, 95.0)
    assert sum(gap["minutes"] for gap in series["holes"]) == 216
    assert (series["faults"], checked["strays"]) == ([], [])


def test_another_seed_replaces_stored_days_only_on_demand(history):
    history("generate", "--days", 2)
    rejected = history("generate", "--days", 2, "--seed", 2)
    assert (rejected.exit_code, "--replace" in rejected.stderr) == (1, True)
    assert history("generate", "--days", 2, "--seed", 2, "--replace").exit_code == 0
    assert history("generate", "--symbol", "BTCUSD").exit_code == 1, "the symbol of a market"


def test_imports_files_and_names_the_invalid_one(history):
    Path("DEMOUSD-1m.parquet").write_bytes(parquet_from_candles(minutes(2000)))
    Path("bad-1m.csv").write_text("time,price\n1,2\n")
    shown = history("import", "bad-1m.csv", "DEMOUSD-1m.parquet")
    assert (shown.exit_code, shown.stdout.count("\n"), "bad-1m.csv" in shown.stderr) == (1, 1, True)
    again = history("import", "DEMOUSD-1m.parquet", "--json")
    (imported,) = json.loads(again.stdout)
    assert (imported["file"], imported["candles"], imported["refused"]) == ("DEMOUSD-1m.parquet", 2000, [])
    assert imported["days"] == {"new": 0, "grown": 0, "same": 2, "replaced": 0}
