"""`coinfarm history generate`."""

import json
from collections.abc import Callable

from click.testing import Result

History = Callable[..., Result]


def test_same_seed_generates_the_same_candles(history: History) -> None:
    for _ in range(2):
        assert history("generate", "--days", 3, "--missing-pct", 5).exit_code == 0
    checked = json.loads(history("check", "--json").stdout)
    (series,) = checked["series"]
    assert (series["symbol"], series["interval"], series["candles"], series["coveragePct"]) == ("DEMO", "1m", 4104, 95.0)
    assert sum(gap["minutes"] for gap in series["holes"]) == 216
    assert (series["faults"], checked["strays"]) == ([], [])


def test_another_seed_replaces_stored_days_only_on_demand(history: History) -> None:
    history("generate", "--days", 2)
    refused = history("generate", "--days", 2, "--seed", 2)
    assert (refused.exit_code, "--replace" in refused.stderr) == (1, True)
    assert history("generate", "--days", 2, "--seed", 2, "--replace").exit_code == 0


def test_rejects_the_symbol_of_a_market(history: History) -> None:
    assert history("generate", "--symbol", "BTCUSD").exit_code == 1
