"""`coinfarm scorecard`, on a store whose model was not evaluated."""

import json
from pathlib import Path

import pytest

from coinfarm.models.evaluations import store_evaluation
from coinfarm.storage import open_storage
from tests.support.cli_runner import coinfarm, unwrapped
from tests.support.fake_models import publish_model
from tests.support.live_predictions import candles_of, evaluation_with_reference, write_rows


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs the command on the store of a version that was evaluated."""
    monkeypatch.chdir(tmp_path)
    version = publish_model(open_storage("models"), tmp_path / "bundle", "1.0")
    evaluation = evaluation_with_reference([0.1, 0.2] * 10, version)
    store_evaluation(open_storage("models"), version, evaluation.model_dump(mode="json", by_alias=True))
    coins = [candles_of(symbol, 20, seed) for symbol, seed in (("DEMO1", 1), ("DEMO2", 2))]
    write_rows(open_storage("live"), coins, 0.3, version=version)
    return lambda *arguments: coinfarm("scorecard", "--store", "live", "--model", "models", *arguments)


def test_prints_the_answer_and_the_live_figures_beside_the_evaluated_ones(run):
    shown = run()
    assert shown.exit_code == 0, shown.output
    document = json.loads(run("--json").stdout)["scores"][0]
    assert shown.stdout.startswith(document["skill"]["answer"].capitalize())
    assert document["skill"]["reason"] in shown.stdout
    r2 = document["together"]["live"]["outputs"]["maxRisePct"]["r2"]
    assert f"{r2:.2f} (0.10)" in unwrapped(shown.stdout)
    assert "DEMO2" in shown.stdout


def test_writes_a_page_and_trades_a_strategy(run):
    rule = "def enter(predictions):\n    print('called')\n    return [1] * len(predictions['close'])\n"
    Path("always.py").write_text(rule)
    Path("mine.toml").write_text('[entry]\nrule = "always:enter"\n')
    shown = run("--strategy", "mine.toml", "--html", "card.html", "--json")
    assert shown.exit_code == 0, shown.output
    paper = json.loads(shown.stdout)["scores"][0]["paper"]
    assert (paper["strategy"], paper["thresholds"]) == ("mine", None)
    assert paper["live"]["trades"] > 20
    assert "called" in shown.stderr
    assert "mine" in Path("card.html").read_text(encoding="utf-8")


def test_chooses_what_to_score(run):
    document = json.loads(run("--json", "--symbol", "DEMO2", "--interval", "15m", "--exchange", "binanceus", "--days", "4").stdout)
    assert list(document["scores"][0]["bySymbol"]) == ["DEMO2"]
    assert document["scores"][0]["counts"]["predictions"] == 4 * 96
    assert run("--interval", "1h").exit_code == run("--version", "20260101-22222222").exit_code == run("--horizon", "7").exit_code == 1


def test_an_empty_store_says_what_fills_it(run):
    shown = coinfarm("scorecard", "--store", "empty", "--model", "models")
    assert shown.exit_code == 1
    assert "coinfarm watch" in shown.stderr
    assert len(shown.stderr.splitlines()) == 1
