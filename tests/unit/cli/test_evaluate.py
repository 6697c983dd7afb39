"""`coinfarm evaluate`, with a model that always predicts the same number."""

import json
import sys
from pathlib import Path

import pytest

from coinfarm.candles.day import DAY_MS
from coinfarm.candles.parquet_file import parquet_from_candles
from coinfarm.candles.synthetic import generate
from coinfarm.models.evaluations import read_evaluations
from coinfarm.models.promotion import PromotionRejected, promote
from coinfarm.storage import open_storage
from tests.support.cli_runner import coinfarm
from tests.support.fake_models import create_bundle, publish_model
from tests.support.synthetic_candles import START_MS

PERIOD = ("--from", "2020-02-01", "--to", "2020-04-01", "--stride", "6")


@pytest.fixture
def run(constant_model):
    """Runs the command on the candles of DEMO1, in a folder with those of two coins."""
    for symbol in ("DEMO1", "DEMO2"):
        Path(f"{symbol}-1h.parquet").write_bytes(parquet_from_candles(generate(symbol, "1h", START_MS, 95 * 24, seed=1)))
    return lambda *arguments: coinfarm("evaluate", "--candles", "DEMO1-1h.parquet", *arguments)


def test_an_option_may_be_followed_by_several_files(run):
    shown = run("DEMO2-1h.parquet", *PERIOD, "--json")
    document = json.loads(shown.stdout)
    assert sorted(document["candles"]) == ["DEMO1", "DEMO2"]
    assert document["candleFiles"] == ["DEMO1-1h.parquet", "DEMO2-1h.parquet"]
    assert document["baselineFit"] is not None


def test_evaluates_a_version_that_does_not_serve(run, tmp_path):
    version = publish_model(open_storage(str(tmp_path / "models")), tmp_path / "second bundle", "0.25")
    document = json.loads(run(*PERIOD, "--json", "--version", version).stdout)
    assert document["model"]["version"] == version
    assert document["outputs"]["maxRisePct"]["calibration"]["deciles"][0]["predictedPct"] == 0.25


def test_evaluates_a_bundle_folder_but_cannot_record_it(run, tmp_path):
    bundle = create_bundle(tmp_path / "trained", "0.25")
    shown = run(*PERIOD, "--json", "--model", tmp_path / "trained")
    assert shown.exit_code == 0, shown.output
    assert json.loads(shown.stdout)["model"]["version"] == bundle.manifest.version
    rejected = run(*PERIOD, "--record", "--model", tmp_path / "trained")
    assert rejected.exit_code == 2
    assert "coinfarm model publish" in rejected.stderr


def test_baselines_may_be_fitted_on_other_files(run):
    expected = json.loads(run(*PERIOD, "--json").stdout)
    coin = generate("DEMO1", "1h", START_MS, 95 * 24, seed=1)
    Path("all").mkdir()
    Path("DEMO1-1h.parquet").rename("all/DEMO1-1h.parquet")
    Path("DEMO1-1h.parquet").write_bytes(parquet_from_candles(coin.between(START_MS + 31 * DAY_MS, None)))
    assert json.loads(run(*PERIOD, "--json").stdout)["baselineFit"] is None
    assert json.loads(run(*PERIOD, "--json", "--baseline-candles", "all/DEMO1-1h.parquet").stdout) == expected


def test_prints_the_findings_and_writes_a_report(run):
    shown = run(*PERIOD, "--report", "report.html")
    assert shown.exit_code == 0, shown.output
    assert "2020-03" in shown.stdout
    page = Path("report.html").read_text(encoding="utf-8")
    assert shown.stdout.splitlines()[0] in page.replace("&#39;", "'")
    assert page.count("<svg") == 8


def test_evaluates_each_interval_on_its_own(run, tmp_path):
    """A year of hours, and weeks of half hours, of the same coins."""
    for symbol in ("DEMO1", "DEMO2"):
        Path(f"{symbol}-30m.parquet").write_bytes(parquet_from_candles(generate(symbol, "30m", START_MS, 95 * 48, seed=1)))
    files = ("DEMO2-1h.parquet", "DEMO1-30m.parquet", "DEMO2-30m.parquet")
    shown = run(*files, *PERIOD, "--json", "--record", "--report", "report.html")
    assert shown.exit_code == 0, shown.output
    documents = json.loads(shown.stdout)
    assert list(documents) == ["30m", "1h"]
    alone = json.loads(coinfarm("evaluate", "--candles", *files[1:], *PERIOD, "--json").stdout)
    assert documents["30m"] == alone
    assert documents["30m"]["candleFiles"] == list(files[1:])
    assert documents["1h"]["frames"] < alone["frames"]

    storage = open_storage(str(tmp_path / "models"))
    version = documents["1h"]["model"]["version"]
    stored = list(storage.list(f"versions/{version}/evaluations/"))
    assert len(stored) == 2
    card = storage.read(f"versions/{version}/card.md").data.decode()
    assert card.index("| 30m") < card.index("| 1h")
    page = Path("report.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 2 * 8
    table = run(*files, *PERIOD).stdout
    assert table.index("30m") < table.index("1h")


def test_a_missing_package_is_reported_before_the_evaluation(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    shown = run(*PERIOD, "--model", "nowhere", "--report", "report.html")
    assert (shown.exit_code, "coinfarm[report]" in shown.stderr) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        pytest.param(("--from", "2020-03-01", "--to", "2020-02-01"), "2020-02-01", id="end before start"),
        pytest.param(("--from", "2021-01-01", "--to", "2021-02-01"), "DEMO1 has 0 candles from 2021-01-01", id="no candles"),
        pytest.param(
            ("--from", "2020-02-01", "--to", "2020-03-01", "--version", "20200101-00000000"), "20200101-00000000", id="unknown version"
        ),
    ],
)
def test_errors_have_no_traceback(run, arguments, named):
    shown = run(*arguments)
    assert (shown.exit_code, shown.stdout) == (1, "")
    assert named in shown.stderr
    assert "Traceback" not in shown.stderr


def test_records_what_live_predictions_are_compared_with(run, tmp_path):
    storage = open_storage(str(tmp_path / "models"))
    shown = run(*PERIOD, "--record", "--json")
    (record,) = read_evaluations(storage, json.loads(shown.stdout)["model"]["version"])
    assert record.live_reference.baselines is not None
    assert list(record.live_reference.skill.by_coin) == ["DEMO1"]
    assert record.live_reference.paper.figures.trades > 0


def test_recorded_evaluations_decide_a_promotion(run, tmp_path):
    storage = open_storage(str(tmp_path / "models"))
    worse = publish_model(storage, tmp_path / "second bundle", "50")
    assert run(*PERIOD, "--record").exit_code == 0
    with pytest.raises(PromotionRejected, match="--record"):
        promote(storage, worse)
    assert run(*PERIOD, "--record", "--version", worse).exit_code == 0
    with pytest.raises(PromotionRejected, match="DEMO1"):
        promote(storage, worse)


@pytest.mark.parametrize("options", [["--include-in-sample"], ["--model", "model.keras"]], ids=["in-sample windows", "Keras file"])
def test_checks_that_it_can_record_before_the_evaluation(options, run):
    assert run(*PERIOD, "--record", *options).exit_code == 2
