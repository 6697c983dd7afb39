"""`coinfarm backfill plan`."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Command = Callable[..., Result]


def test_prints_the_estimate_and_writes_the_manifest(plan: Command) -> None:
    shown = plan("--budget", "0.01")
    assert shown.exit_code == 0, shown.output
    assert "2,880 frames in 3 shards, DEMOUSD 1m from 2026-01-01 to 2026-01-04" in shown.stdout
    assert "29*" in shown.stdout, "an assumed speed is marked"
    assert json.loads(Path("run/manifest.json").read_text())["symbols"] == ["DEMOUSD"]


def test_rejects_days_without_candles(plan: Command) -> None:
    shown = plan("--from", "2027-01-01", "--to", "2027-01-04")
    assert (shown.exit_code, shown.stdout) == (1, "")
    assert "DEMOUSD 1m from 2026-01-01 to 2026-01-02" in shown.stderr
    assert not Path("run").exists()


def test_measures_the_speed_of_this_machine(backfill: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("coinfarm.backfill.plan._TIMED_S", 0.01)
    period = ["--symbol", "DEMOUSD", "--from", "2026-01-01", "--to", "2026-01-04"]
    here = json.loads(backfill("plan", *period, "--store", "store", "--run", "run", "--json").stdout)["quote"]["ways"][0]
    assert "fake" in here["basis"]
    assert here["framesPerS"] > 0


def test_records_the_version_in_service(plan: Command, constant_model: Path) -> None:
    manifest = json.loads(plan("--results", "shared", "--json").stdout)
    assert manifest["modelVersion"] == json.loads((constant_model / "current.json").read_text())["version"]
    assert manifest["modelUri"] == str(constant_model)
    assert manifest["resultsUri"] == str(Path("shared").absolute())


@pytest.mark.parametrize(
    ("options", "price"),
    [
        pytest.param(["--budget", "0.00001"], "$0.0001", id="Lambda"),
        pytest.param(["--on", "gpu", "--budget", "0.0001"], "$0.0145", id="GPU fleet"),
        pytest.param(["--on", "gpu", "--instance-type", "g6.xlarge", "--budget", "9"], "unknown", id="unknown"),
    ],
)
def test_rejects_a_plan_over_the_budget(plan: Command, options: list[str], price: str) -> None:
    refused = plan(*options)
    assert refused.exit_code == 1
    assert price in refused.stderr
    assert not Path("run").exists()
