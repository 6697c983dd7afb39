"""`coinfarm backtest` on stored predictions and candles."""

import json
import shutil
import sys
from html import unescape

import pytest
from click.testing import CliRunner
from pyarrow import parquet as pq

from coinfarm.backtesting.checks.lookahead import LookaheadResult
from coinfarm.backtesting.inference.verdict import Conclusion
from coinfarm.backtesting.strategy_fields import example_strategy
from coinfarm.cli import main
from coinfarm.errors import Forbidden
from coinfarm.prediction.model_scope import ModelScope
from tests.support.backtest_files import MODEL, store_two_coins

STRATEGY = """
[entry]
min_end_change_pct = 0.25
min_rise_to_decline = 1.0
allow_short = true

[exit]
horizon_candles = 5

[size]
capital = 1000

[market]
volume_share_pct = 100
"""


@pytest.fixture(scope="module")
def roots(tmp_path_factory):
    return store_two_coins(tmp_path_factory.mktemp("backtest"))


@pytest.fixture
def run(roots, tmp_path):
    strategy = tmp_path / "strategy.toml"

    def run(*options, text=STRATEGY):
        strategy.write_text(text)
        common = ["backtest", "--predictions", f"{roots}/results", "--candles", f"{roots}/candles", "--strategy", str(strategy)]
        return CliRunner().invoke(main, [*common, *options])

    return run


def document(result):
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_prints_the_verdict_first_and_exports_files(run, tmp_path):
    result = run("--sweep", "--export", str(tmp_path / "out"))
    assert result.exit_code == 0, result.output
    assert "entry.min_end_change_pct" in result.stderr
    assert result.stdout.splitlines()[0].startswith(tuple(each.capitalize() for each in Conclusion))
    for expected in ("2,880", "DEMOETH", "2019-05", "400 variants"):
        assert expected in result.stdout
    assert (tmp_path / "out/DEMO_BTC-5m-predictions.feather").is_file()
    assert {f"{name}.{kind}" for name in ("trades", "equity") for kind in ("csv", "json", "parquet")} <= {
        path.name for path in (tmp_path / "out").iterdir()
    }


def test_json_has_all_figures(run):
    found = document(run("--json"))
    assert found["verdict"]["answer"] in list(Conclusion)
    assert found["verdict"]["break_even_low_bps"] < found["verdict"]["break_even_bps"] < found["verdict"]["break_even_high_bps"]
    assert found["model"] == MODEL
    assert found["predictions"]["in_sample"] == 2_880
    assert found["predictions"]["judged"] == found["predictions"]["predictions"] - 2_880
    assert 0 < found["predictions"]["judged_independent"] < found["predictions"]["judged"] / 5
    assert found["statistics"]["trades"] == sum(group["trades"] for group in found["by_coin"]) == found["verdict"]["trades"]
    assert (len(found["baselines"]), found["sweep"], found["lookahead"]) == (7, None, None)
    held, drawn = found["baselines"][0], found["baselines"][2]
    assert found["buy_and_hold"] == {"return_pct": held["return_pct"], "strategy_return_pct": found["statistics"]["return_pct"]}
    assert (held["draws"], drawn["draws"], drawn["trades"], drawn["missing_trades"]) == (1, 20, found["statistics"]["trades"], 0)
    assert drawn["return_low_pct"] <= drawn["return_pct"] <= drawn["return_high_pct"]


def test_the_verdict_depends_on_the_costs(run):
    cheap = document(run("--json", text=STRATEGY + "taker_fee_bps = 0.1\nmaker_fee_bps = 0.1\nslippage_bps = 0\n"))
    expensive = document(run("--json", text=STRATEGY + "taker_fee_bps = 100\nmaker_fee_bps = 100\n"))
    assert (cheap["verdict"]["answer"], expensive["verdict"]["answer"]) == (Conclusion.MAKES_MONEY, Conclusion.LOSES_MONEY)
    assert cheap["verdict"]["break_even_bps"] == pytest.approx(expensive["verdict"]["break_even_bps"])
    assert cheap["statistics"]["return_pct"] > 0 > expensive["statistics"]["return_pct"]


def test_open_thresholds_are_tested_on_the_later_part(run):
    found = document(run("--json", text=STRATEGY.replace("min_end_change_pct = 0.25\n", "")))
    assert found["period"]["days"] == pytest.approx(17.5, abs=0.1)
    assert len(found["folds"]) == 4
    assert found["folds"][0]["trained_on_trades"] > 0
    assert len(found["sweep"]["first_bps"]) == 8
    assert 0 <= found["overfitting_probability"] < 1


def test_works_with_read_only_predictions(run, monkeypatch):
    def write(*_, **__):
        raise Forbidden("read only")

    monkeypatch.setattr("coinfarm.storage.folder.FolderStorage.write", write)
    assert document(run("--json", text=STRATEGY.replace("0.25", "0.22")))["tried"]["kept"] is False


@pytest.mark.parametrize(
    ("options", "text", "named"),
    [
        pytest.param(["--sweep"], '[entry]\nrule = "json:dumps"\n', "--sweep", id="a sweep of a rule"),
        pytest.param(["--check-lookahead"], STRATEGY, MODEL, id="a lookahead check with another model"),
    ],
)
def test_rejects_options_that_do_not_apply(run, options, text, named):
    result = run(*options, text=text)
    assert (result.exit_code, named in result.stderr) == (1, True)


def test_writes_an_example_strategy_without_other_options(tmp_path):
    printed = CliRunner().invoke(main, ["backtest", "--example-strategy"])
    assert printed.exit_code == 0, printed.output
    path = tmp_path / "strategy.toml"
    assert CliRunner().invoke(main, ["backtest", "--example-strategy", str(path)]).output == ""
    assert path.read_text() == printed.stdout == example_strategy()
    path.write_text("edited")
    again = CliRunner().invoke(main, ["backtest", "--example-strategy", str(path)])
    assert (again.exit_code, str(path) in again.stderr, path.read_text()) == (1, True, "edited")


RULES = """
def enter(predictions):
    print("a rule's own output")
    return predictions["max_rise_pct"] > 0.5

def fail(predictions):
    return predictions["no_such_column"]

def trade(view):
    if view.position is None:
        return {"side": 1, "stop_pct": 0.5, "stake_share": 0.5} if (view.close_time + 1) % (6 * 3_600_000) == 0 else None
    return "exit" if view.candles.close[-1] < view.position.entry_price else None
"""


@pytest.mark.parametrize("rule", ['rule = "rules_of_cli:enter"', 'step_rule = "rules_of_cli:trade"'])
def test_trades_by_a_rule(run, tmp_path, rule):
    (tmp_path / "rules_of_cli.py").write_text(RULES)
    found = document(run("--json", text=f"[entry]\n{rule}\n[exit]\nhorizon_candles = 5\n"))
    assert found["statistics"]["trades"] > 100
    assert (len(found["folds"]), found["sweep"]) == (1, None)
    assert found["period"]["days"] == pytest.approx(35, abs=0.1)


@pytest.mark.parametrize(
    ("entry", "named"),
    [
        ('rule = "rules_of_cli:fail"', "rules_of_cli.py, line 7: KeyError"),
        ('step_rule = "rules_of_cli:enter"', "rules_of_cli.py, line 4: TypeError"),
        ('rule = "rules_of_cli:missing"', "missing"),
        ('rule = "no_such_module:enter"', "no_such_module"),
        ('rule = "rules_of_cli:enter"\nmin_end_change_pct = 0.1', "entry.min_end_change_pct"),
    ],
)
def test_an_error_in_a_rule_is_one_line(run, tmp_path, entry, named):
    (tmp_path / "rules_of_cli.py").write_text(RULES)
    result = run(text=f"[entry]\n{entry}\n")
    assert (result.exit_code, result.stdout) == (1, "")
    (line,) = [line for line in result.stderr.splitlines() if "Error" in line]
    assert named in line
    assert "Traceback" not in result.stderr


def say_scope(folder, scope):
    for path in folder.rglob("*.parquet"):
        if "interval=" in str(path):
            pq.write_table(pq.read_table(path).replace_schema_metadata(scope.metadata()), path)


@pytest.mark.parametrize("scope", [ModelScope(12), ModelScope(5, "1m")], ids=["another horizon", "another interval"])
def test_a_model_of_another_kind_is_rejected_unless_asked_for(run, roots, tmp_path, scope):
    shutil.copytree(roots / "results", tmp_path / "results")
    say_scope(tmp_path / "results", scope)
    other = ["--predictions", str(tmp_path / "results")]
    rejected = run(*other)
    assert (rejected.exit_code, "--allow-mismatch" in rejected.stderr) == (1, True)
    found = document(run(*other, "--allow-mismatch", "--json"))
    assert found["model_horizon_candles"] == scope.horizon_candles
    assert found["warnings"][0] == found["verdict"]["reasons"][0]
    assert run(*other, "--allow-mismatch").stdout.splitlines()[1] == found["warnings"][0]


def test_the_horizon_is_that_of_the_model(run, roots, tmp_path):
    shutil.copytree(roots / "results", tmp_path / "results")
    say_scope(tmp_path / "results", ModelScope(7, "5m"))
    found = document(run("--predictions", str(tmp_path / "results"), "--json", text=STRATEGY.replace("horizon_candles = 5", "")))
    assert (found["strategy"]["exit"]["horizon_candles"], found["model_horizon_candles"]) == (7, 7)


def test_leaks_are_found_without_being_asked_for(run, tmp_path):
    """These predictions have a fifth of the outcome in them."""
    (warning,) = document(run("--json"))["warnings"]
    result = run("--report", str(tmp_path / "report.html"))
    assert result.stdout.splitlines()[1] == warning
    assert warning.partition(":")[2] in unescape((tmp_path / "report.html").read_text())


@pytest.mark.parametrize(("rms_share", "exit_code"), [(0.01, 0), (0.7, 1)])
def test_reports_the_lookahead_check(run, monkeypatch, rms_share, exit_code):
    # The module has the name of its command, so it is not an attribute of `coinfarm.cli`.
    monkeypatch.setattr(sys.modules["coinfarm.cli.backtest"], "open_predictor", lambda model: None)
    monkeypatch.setattr("coinfarm.backtesting.checks.lookahead.check_predictions", lambda *_: LookaheadResult(48, 0.0012, rms_share))
    result = run("--check-lookahead", "--json")
    assert result.exit_code == exit_code
    assert exit_code or document(result)["lookahead"]["rms_share"] == rms_share


def test_strategies_tried_before_are_counted_and_shown(roots, tmp_path):
    predictions = tmp_path / "results"
    shutil.copytree(roots / "results", predictions, ignore=shutil.ignore_patterns("*.json"))

    def backtest(name, threshold, *options):
        (tmp_path / f"{name}.toml").write_text(STRATEGY.replace("0.25", str(threshold)))
        common = ["--predictions", str(predictions), "--candles", f"{roots}/candles", "--strategy", str(tmp_path / f"{name}.toml")]
        return CliRunner().invoke(main, ["backtest", *common, *options])

    alone = document(backtest("first", 0.25, "--json"))
    again = document(backtest("renamed", 0.25, "--json"))
    assert (alone["tried"], alone["verdict"]) == (again["tried"], again["verdict"])
    assert document(backtest("second", 0.3, "--json"))["tried"]["strategies"] == 2
    third = backtest("third", 0.2)
    assert "3 strategies" in third.stdout
    assert "second" in third.stdout
