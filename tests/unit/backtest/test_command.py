"""`coinfarm backtest`, as a person runs it, on predictions and candles on disk."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from coinfarm.backtest.verdict import Answer
from coinfarm.cli import main
from coinfarm.errors import Forbidden
from tests.unit.backtest.stored import MODEL

Run = Callable[..., Result]

STRATEGY = """
[entry]
min_end_change_pct = 0.25
min_rise_to_decline = 1.0
allow_short = true

[exit]
horizon_candles = 5

[market]
volume_share_pct = 100
"""


@pytest.fixture
def run(roots: Path, tmp_path: Path) -> Run:
    strategy = tmp_path / "strategy.toml"
    strategy.write_text(STRATEGY)

    def run(*options: str, text: str = STRATEGY) -> Result:
        strategy.write_text(text)
        common = ["backtest", "--predictions", f"{roots}/results", "--candles", f"{roots}/candles", "--strategy", str(strategy)]
        return CliRunner().invoke(main, [*common, *options])

    return run


def document(shown: Result) -> dict[str, Any]:
    assert shown.exit_code == 0, shown.output
    found: dict[str, Any] = json.loads(shown.stdout)
    return found


def test_the_first_line_is_the_verdict(run: Run) -> None:
    shown = run()
    assert shown.exit_code == 0, shown.output
    first = shown.stdout.splitlines()[0]
    assert first.startswith(
        ("Makes money: it breaks even", "Does not make money: it breaks even", "Cannot be told from this much data: it")
    )
    for expected in ("2,880 left out: in sample", "foresight", "sharpe ratio", "DEMOETH", "2019-05"):
        assert expected in shown.stdout


def test_json_has_every_figure(run: Run) -> None:
    found = document(run("--json"))
    assert found["verdict"]["answer"] in list(Answer)
    assert found["verdict"]["break_even_low_bps"] < found["verdict"]["break_even_bps"] < found["verdict"]["break_even_high_bps"]
    assert found["model"] == MODEL
    assert found["predictions"]["in_sample"] == 2_880
    assert found["predictions"]["judged"] == found["predictions"]["predictions"] - 2_880
    assert 0 < found["predictions"]["judged_independent"] < found["predictions"]["judged"] / 5
    assert found["statistics"]["trades"] == sum(part["trades"] for part in found["by_coin"]) == found["verdict"]["trades"]
    assert len(found["baselines"]) == 6
    assert found["sweep"] is None
    assert found["lookahead"] is None


def test_the_verdict_follows_the_costs(run: Run) -> None:
    """Predictions that know something make money where trading is cheap, and none where it is dear."""
    cheap = document(run("--json", text=STRATEGY + "taker_fee_bps = 0.1\nmaker_fee_bps = 0.1\nslippage_bps = 0\n"))
    dear = document(run("--json", text=STRATEGY + "taker_fee_bps = 100\nmaker_fee_bps = 100\n"))
    assert (cheap["verdict"]["answer"], dear["verdict"]["answer"]) == (Answer.MAKES_MONEY, Answer.DOES_NOT)
    assert cheap["verdict"]["break_even_bps"] == pytest.approx(dear["verdict"]["break_even_bps"])
    assert cheap["statistics"]["return_pct"] > 0 > dear["statistics"]["return_pct"]


def test_thresholds_that_are_left_open_are_judged_on_the_later_part(run: Run) -> None:
    found = document(run("--json", text=STRATEGY.replace("min_end_change_pct = 0.25\n", "")))
    assert found["period"]["days"] == pytest.approx(5.5, abs=0.1)
    assert len(found["folds"]) == 4
    assert len(found["sweep"]["first_bps"]) == 8
    assert found["tried"]["variants"] >= 8


def test_a_sweep_tries_four_hundred_variants_and_shows_the_best(run: Run) -> None:
    shown = run("--sweep")
    assert shown.exit_code == 0, shown.output
    assert "400 variants: the 10 best of the first part" in shown.stdout


def test_what_was_tried_is_remembered(run: Run) -> None:
    first = document(run("--json", text=STRATEGY.replace("0.25", "0.2")))
    second = document(run("--json", text=STRATEGY.replace("0.25", "0.21")))
    again = document(run("--json", text=STRATEGY.replace("0.25", "0.21")))
    assert second["tried"]["variants"] == first["tried"]["variants"] + 1 == again["tried"]["variants"]


def test_a_place_that_cannot_be_written_is_no_hindrance(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise Forbidden("read only")

    monkeypatch.setattr("coinfarm.storage.folder.FolderStorage.write", refuse)
    shown = run(text=STRATEGY.replace("0.25", "0.22"))
    assert shown.exit_code == 0, shown.output
    assert "could not be stored beside the predictions" in shown.stdout.replace("\n", " ")


def test_a_rule_of_ones_own_is_traded(run: Run, tmp_path: Path) -> None:
    (tmp_path / "rules_of_command_test.py").write_text("def enter(columns):\n    return (columns['end_change_pct'] > 0.3).astype(int)\n")
    found = document(run("--json", text='[entry]\nrule = "rules_of_command_test:enter"\n[exit]\nhorizon_candles = 5\n'))
    assert found["statistics"]["trades"] > 0
    assert found["strategy"]["entry"]["rule"] == "rules_of_command_test:enter"


def test_a_rule_has_nothing_to_sweep(run: Run) -> None:
    shown = run("--sweep", text='[entry]\nrule = "json:dumps"\n')
    assert shown.exit_code == 1
    assert "no thresholds to sweep" in shown.output


def test_predictions_that_this_model_did_not_make_fail_the_check(run: Run) -> None:
    shown = run("--check-lookahead")
    assert shown.exit_code == 1
    assert f"made by model {MODEL}, here serves" in shown.output


def test_the_check_says_what_it_found(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from coinfarm.backtest.lookahead import Lookahead

    answers = iter([Lookahead(48, 0.0012, 0.01), Lookahead(48, 0.9, 0.7)])
    monkeypatch.setattr(sys.modules["coinfarm.cli.backtest"], "open_predictor", lambda model: None)  # the command bears its name
    monkeypatch.setattr("coinfarm.backtest.lookahead.check_predictions", lambda *_: next(answers))
    passed, failed = run("--check-lookahead"), run("--check-lookahead")
    assert "48 predictions, repeated without the candles that came later, are the same" in passed.stdout
    assert failed.exit_code == 1
    assert "use later candles" in failed.output


def test_what_is_exported_is_named(run: Run, tmp_path: Path) -> None:
    shown = run("--export", str(tmp_path / "out"))
    assert shown.exit_code == 0, shown.output
    assert "RECIPES.md" in shown.stderr
    assert (tmp_path / "out/DEMO_BTC-1m-predictions.feather").is_file()


def test_a_folder_without_predictions_is_named(roots: Path) -> None:
    shown = CliRunner().invoke(main, ["backtest", "--predictions", f"{roots}/candles", "--candles", f"{roots}/candles"])
    assert shown.exit_code == 1
    assert "has no predictions" in shown.output
