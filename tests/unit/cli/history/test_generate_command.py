"""`coinfarm history generate`."""

import json
from collections.abc import Callable

import pytest
from click.testing import Result

History = Callable[..., Result]


def test_same_seed_generates_the_same_candles(history: History) -> None:
    shown = history("generate", "--days", 3, "--missing-pct", 5)
    assert shown.stdout == "DEMO 1m: 4,104 synthetic candles of 3 days from 2026-01-01 on\n"
    assert history("generate", "--days", 3, "--missing-pct", 5).exit_code == 0
    checked = json.loads(history("check", "--json").stdout)
    (series,) = checked["series"]
    assert (series["symbol"], series["interval"], series["candles"], series["coveragePct"]) == ("DEMO", "1m", 4104, 95.0)
    assert sum(gap["minutes"] for gap in series["holes"]) == 216
    assert (series["faults"], checked["strays"]) == ([], [])


def test_one_day_is_singular(history: History) -> None:
    assert " of 1 day from " in history("generate", "--days", 1).stdout


def test_another_seed_replaces_stored_days_only_on_demand(history: History) -> None:
    history("generate", "--days", 2)
    refused = history("generate", "--days", 2, "--seed", 2)
    assert refused.exit_code == 1
    assert refused.stderr.startswith("Error: ")
    assert "--replace" in refused.stderr
    assert history("generate", "--days", 2, "--seed", 2, "--replace").exit_code == 0


@pytest.mark.parametrize("symbol", ["BTCUSD"])
def test_rejects_symbols_of_a_market(history: History, symbol: str) -> None:
    shown = history("generate", "--symbol", symbol)
    assert shown.exit_code == 1
    assert "DEMO" in shown.stderr
