"""`coinfarm evaluate`, run as a person runs it, over a model that answers with a number."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from coinfarm.candles.parquet_file import parquet_from_candles
from coinfarm.candles.synthetic import generate
from coinfarm.cli import main
from coinfarm.models.promotion import PromotionRefused, promote
from coinfarm.storage import open_storage
from tests.support.fake_models import FakeEngine, promote_model, publish_model, seal
from tests.support.synthetic_candles import START_MS

Run = Callable[..., Result]
PERIOD = ("--from", "2020-02-01", "--to", "2020-04-01", "--stride", "6")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command in a folder with candles of two coins and a model that answers 0.5."""
    promote_model(open_storage(str(tmp_path / "models")), tmp_path / "bundle", "0.5")
    monkeypatch.setattr("coinfarm.serving.service.load_engine", lambda bundle, *options: FakeEngine(bundle))
    monkeypatch.setenv("MODEL_URI", str(tmp_path / "models"))
    monkeypatch.setenv("MODEL_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    for symbol in ("DEMO1", "DEMO2"):
        Path(f"{symbol}-1h.parquet").write_bytes(parquet_from_candles(generate(symbol, "1h", START_MS, 95 * 24, seed=1)))
    return lambda *arguments: CliRunner().invoke(main, ["evaluate", *(str(argument) for argument in arguments)])


def test_it_says_what_it_found_and_prints_the_figures_beside_the_baselines(run: Run) -> None:
    shown = run("--candles", "DEMO1-1h.parquet", *PERIOD)
    assert shown.exit_code == 0, shown.output
    assert "does not predict rise and decline clearly better than" in shown.stdout
    assert "this model" in shown.stdout
    assert "ridge regression" in shown.stdout
    assert "2020-03" in shown.stdout


def test_json_is_one_document_of_all_files_that_follow_the_option(run: Run) -> None:
    shown = run("--candles", "DEMO1-1h.parquet", "DEMO2-1h.parquet", *PERIOD, "--json")
    document = json.loads(shown.stdout)
    assert sorted(document["candles"]) == ["DEMO1", "DEMO2"]
    assert document["candleFiles"] == ["DEMO1-1h.parquet", "DEMO2-1h.parquet"]
    assert document["baselineFit"] is not None


def test_a_version_that_does_not_serve_can_be_judged(run: Run, tmp_path: Path) -> None:
    version = publish_model(open_storage(str(tmp_path / "models")), tmp_path / "second bundle", "0.25")
    document = json.loads(run("--candles", "DEMO1-1h.parquet", *PERIOD, "--json", "--version", version).stdout)
    assert document["model"]["version"] == version
    assert document["outputs"]["maxRisePct"]["calibration"]["deciles"][0]["predictedPct"] == 0.25


def test_the_folder_that_training_left_is_evaluated_as_it_is(run: Run, tmp_path: Path) -> None:
    bundle = seal(tmp_path / "trained", "0.25")
    shown = run("--candles", "DEMO1-1h.parquet", *PERIOD, "--json", "--model", tmp_path / "trained")
    assert shown.exit_code == 0, shown.output
    assert json.loads(shown.stdout)["model"]["version"] == bundle.manifest.version
    refused = run("--candles", "DEMO1-1h.parquet", *PERIOD, "--record", "--model", tmp_path / "trained")
    assert refused.exit_code == 2
    assert "coinfarm model publish" in refused.stderr


def test_candles_for_the_baselines_may_come_from_other_files(run: Run) -> None:
    coin = generate("DEMO1", "1h", START_MS, 95 * 24, seed=1)
    february_ms = START_MS + 31 * 86_400_000
    Path("late").mkdir()
    Path("late/DEMO1-1h.parquet").write_bytes(parquet_from_candles(coin.between(february_ms, None)))
    alone = json.loads(run("--candles", "late/DEMO1-1h.parquet", *PERIOD, "--json").stdout)
    assert alone["baselineFit"] is None
    given = json.loads(run("--candles", "late/DEMO1-1h.parquet", *PERIOD, "--json", "--baseline-candles", "DEMO1-1h.parquet").stdout)
    whole = json.loads(run("--candles", "DEMO1-1h.parquet", *PERIOD, "--json").stdout)
    assert given == whole


def test_the_report_is_one_page_that_says_the_same(run: Run) -> None:
    shown = run("--candles", "DEMO1-1h.parquet", *PERIOD, "--report", "report.html")
    assert shown.exit_code == 0, shown.output
    page = Path("report.html").read_text(encoding="utf-8")
    headline = shown.stdout.splitlines()[0]
    assert headline in page.replace("&#39;", "'")
    assert page.count("<svg") == 8
    assert "<script" not in page
    again = run("--candles", "DEMO1-1h.parquet", *PERIOD, "--report", "again.html")
    assert again.exit_code == 0
    assert Path("again.html").read_text(encoding="utf-8") == page


def test_a_report_that_cannot_be_made_is_refused_before_the_work(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    shown = run("--candles", "DEMO1-1h.parquet", *PERIOD, "--model", "nowhere", "--report", "report.html")
    assert shown.exit_code == 1
    assert "coinfarm[report]" in shown.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(("--from", "2020-03-01", "--to", "2020-02-01"), "before it has begun", id="a period upside down"),
        pytest.param(("--from", "2021-01-01", "--to", "2021-02-01"), "DEMO1 has 0 candles from 2021-01-01", id="no candles then"),
        pytest.param(
            ("--from", "2020-02-01", "--to", "2020-03-01", "--version", "20200101-00000000"), "20200101-00000000", id="no version"
        ),
    ],
)
def test_what_cannot_be_judged_is_one_line_and_no_traceback(run: Run, arguments: tuple[str, ...], said: str) -> None:
    shown = run("--candles", "DEMO1-1h.parquet", *arguments)
    assert (shown.exit_code, shown.stdout) == (1, "")
    assert said in shown.stderr
    assert "Traceback" not in shown.stderr


def test_what_is_recorded_is_what_versions_are_promoted_by(run: Run, tmp_path: Path) -> None:
    storage = open_storage(str(tmp_path / "models"))
    far_off = publish_model(storage, tmp_path / "second bundle", "50")
    assert run("--candles", "DEMO1-1h.parquet", *PERIOD, "--record").exit_code == 0
    with pytest.raises(PromotionRefused, match="was not judged as"):
        promote(storage, far_off)
    assert run("--candles", "DEMO1-1h.parquet", *PERIOD, "--record", "--version", far_off).exit_code == 0
    with pytest.raises(PromotionRefused, match=r"it scores -.* on DEMO1 from 2020-02-01 up to 2020-04-01 with stride 6, worse than"):
        promote(storage, far_off)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        pytest.param(["--include-in-sample"], "--record or --include-in-sample", id="on what was learnt"),
        pytest.param(["--model", "model.keras"], "coinfarm model publish", id="of a bare file"),
    ],
)
def test_what_cannot_be_recorded_is_told_before_the_work(options: list[str], said: str, run: Run) -> None:
    refused = run("--candles", "DEMO1-1h.parquet", *PERIOD, "--record", *options)
    assert refused.exit_code == 2
    assert said in refused.stderr
