"""The commands of `coinfarm model`."""

import json

import numpy as np
import pytest

from coinfarm.candles.synthetic import START_OF_2026_MS, generate
from coinfarm.compilation.sample import CoinSample
from coinfarm.models.publish import record_evaluation
from coinfarm.publishing.labelled_frames import LabelledFrames
from coinfarm.storage import open_storage
from tests.support.cli_runner import coinfarm
from tests.support.evaluation_documents import evaluation_json
from tests.support.fake_models import FakeEngine, create_bundle, promote_model, publish_model
from tests.support.keras_archives import write_keras_archive


@pytest.fixture
def root(tmp_path):
    return tmp_path / "models"


@pytest.fixture
def storage(root):
    return open_storage(str(root))


@pytest.fixture
def first(storage, tmp_path):
    """The version that serves."""
    return promote_model(storage, tmp_path / "first", "1")


@pytest.fixture
def second(storage, first, tmp_path):
    return publish_model(storage, tmp_path / "second", "2")


@pytest.fixture
def model():
    """Runs `coinfarm model`."""
    return lambda *arguments: coinfarm("model", *arguments)


def test_promotes_shows_and_rolls_back(model, root, first, second):
    assert model("promote", root, second, "--note", "better").stdout == f"{second}\n"
    assert json.loads(model("show", root, second).stdout)["version"] == second
    assert model("rollback", root).stdout == f"{first}\n"
    assert model("rollback", root, "--undo").stdout == f"{second}\n"
    assert model("promote", root, "20200101-00000000").exit_code == 1


def test_list_marks_the_version_in_service_and_shows_the_latest_score(model, root, storage, first, second):
    record_evaluation(storage, first, evaluation_json(first, 0.9, **{"from": "2019-03-01", "to": "2019-05-01"}))
    record_evaluation(storage, first, evaluation_json(first, 0.15, 0.12, 0.0))
    rows = [line for line in model("list", root).stdout.splitlines() if line.startswith("│")]
    row = {version: next(line for line in rows if version in line) for version in (first, second)}
    assert row[first].startswith("│ *")
    assert "0.0900" in row[first]
    assert "BTCUSD" in row[first]
    assert row[second].startswith("│  ")


def test_list_as_json(model, root, storage, first, second):
    record_evaluation(storage, second, evaluation_json(second, 0.2))
    record_evaluation(storage, second, evaluation_json(second, 0.7, stride=100, frames=2_617))  # of the same days, but fewer frames
    listed = {entry["version"]: entry for entry in json.loads(model("list", root, "--json").stdout)}
    assert {version: entry["serves"] for version, entry in listed.items()} == {first: True, second: False}
    assert listed[first]["engines"] == ["keras"]
    assert listed[first]["evaluation"] is None
    assert listed[second]["evaluation"]["score"] == pytest.approx(0.2)
    assert listed[second]["evaluation"]["symbols"] == ["BTCUSD"]


def test_list_shows_a_damaged_version_with_its_fault(monkeypatch, model, root, storage, first, second):
    storage.write(f"versions/{second}/manifest.json", b"{")
    listed = {entry["version"]: entry for entry in json.loads(model("list", root, "--json").stdout)}
    assert listed[first]["fault"] is None
    assert "manifest.json" in listed[second]["fault"]
    monkeypatch.setenv("COLUMNS", "200")  # for the path
    assert "manifest.json" in model("list", root).stdout


@pytest.mark.parametrize("command", ["list", "history", "rollback", "show", "card", "promote"])
def test_a_root_without_a_version_is_an_error_that_names_the_remedy(model, command, tmp_path):
    shown = model(command, tmp_path / "missing", *(["20260101-00000000"] if command in ("show", "card", "promote") else []))
    assert (shown.exit_code, shown.stdout) == (1, "")
    assert str(tmp_path / "missing") in shown.stderr
    assert "coinfarm model publish" in shown.stderr
    assert not (tmp_path / "missing").exists()


def test_a_worse_version_needs_a_reason(model, root, storage, first, second):
    for version, r2 in ((first, 0.1), (second, 0.05)):
        record_evaluation(storage, version, evaluation_json(version, r2))
    rejected = model("promote", root, second)
    assert (rejected.exit_code, rejected.stdout) == (1, "")
    assert "0.0500" in rejected.stderr
    assert "--force --reason TEXT" in rejected.stderr
    for options in (["--force"], ["--reason", "why"], ["--force", "--reason", ""]):
        assert model("promote", root, second, *options).exit_code == 2
    forced = model("promote", root, second, "--force", "--reason", "ten times as fast")
    assert (forced.exit_code, forced.stdout) == (0, f"{second}\n")
    shown = model("history", root).stdout
    assert shown.index(second) < shown.index("ten times as fast") < shown.index("0.0500") < shown.index(first)
    now, before = json.loads(model("history", root, "--json").stdout)
    assert (now["version"], now["forced"]["reason"], before["version"]) == (second, "ten times as fast", first)


def _bundle(tmp_path):
    bundle = create_bundle(tmp_path / "bundle", "3")
    return bundle.folder, bundle.manifest.version


def _file(tmp_path, document):
    path = tmp_path / "evaluation.json"
    path.write_text(json.dumps(document))
    return path


@pytest.fixture
def fake_engine(monkeypatch):
    """The engine of the bundles in these tests, which are no Keras models."""
    monkeypatch.setattr("coinfarm.engines.loading.load_engine", lambda bundle, *_: FakeEngine(bundle))
    candles = CoinSample((generate("DEMOA", "1m", START_OF_2026_MS, 5_000, seed=1),), ("DEMOA",))
    monkeypatch.setattr(CoinSample, "synthetic", lambda: candles)


@pytest.mark.usefixtures("fake_engine")
@pytest.mark.parametrize("is_evaluated", [True, False])
def test_publishes_a_version_and_promotes_it_only_with_an_evaluation(model, root, storage, first, tmp_path, is_evaluated):
    record_evaluation(storage, first, evaluation_json(first, 0.1))
    folder, version = _bundle(tmp_path)
    options = ["--evaluation", _file(tmp_path, evaluation_json(version, 0.3))] if is_evaluated else []
    shown = model("publish", folder, "--to", root, "--no-compile", "--promote", *options)
    assert (shown.exit_code, shown.stdout) == (0 if is_evaluated else 1, f"{version}\n")
    assert (first in shown.stderr) != is_evaluated
    assert json.loads(storage.read("current.json").data)["version"] == (version if is_evaluated else first)


def test_a_model_that_cannot_run_is_not_published(model, root, storage, tmp_path):
    rejected = model("publish", _bundle(tmp_path)[0], "--to", root, "--no-compile", "--promote")
    assert rejected.exit_code == 1
    assert "model.keras" in rejected.stderr
    assert list(storage.list()) == []


@pytest.mark.usefixtures("fake_engine")
def test_a_model_that_means_something_else_is_published_only_if_allowed(model, root, storage, tmp_path, monkeypatch):
    labelled = LabelledFrames.from_candles(CoinSample.synthetic().coins, 30)
    shares = labelled.targets_pct / labelled.range_pct[:, None]
    monkeypatch.setattr(FakeEngine, "predict", lambda *_: shares.astype(np.float32))
    folder, version = _bundle(tmp_path)
    rejected = model("publish", folder, "--to", root, "--no-compile")
    assert rejected.exit_code == 1
    assert "--unit window_range" in rejected.stderr
    assert list(storage.list()) == []
    assert model("publish", folder, "--to", root, "--no-compile", "--allow-mismatch").stdout == f"{version}\n"


@pytest.mark.usefixtures("fake_engine")
def test_a_model_that_always_predicts_the_same_is_published_with_a_warning(model, root, tmp_path):
    folder, version = _bundle(tmp_path)  # of a constant
    shown = model("publish", folder, "--to", root, "--no-compile")
    assert (shown.exit_code, shown.stdout) == (0, f"{version}\n")
    assert "same for every frame" in shown.stderr


def test_an_index_of_a_class_needs_the_returns(model, root, tmp_path):
    rejected = model("publish", write_keras_archive(tmp_path / "a.keras"), "--to", root, "--class-index")
    assert rejected.exit_code == 2
    assert "--return-map" in rejected.stderr


@pytest.mark.usefixtures("fake_engine")
def test_a_published_version_is_not_compiled_again_but_repaired(model, root, storage, tmp_path):
    folder, version = _bundle(tmp_path)
    model("publish", folder, "--to", root, "--no-compile")
    again = model("publish", folder, "--to", root)  # compiling would fail: it is no Keras model
    assert (again.exit_code, again.stdout) == (0, f"{version}\n")
    assert version in again.stderr
    storage.write(f"versions/{version}/model.keras", b"x")
    assert "model.keras" in model("publish", folder, "--to", root).stderr
    assert "model.keras" not in model("publish", folder, "--to", root).stderr


@pytest.mark.parametrize(
    ("document", "named"),
    [
        pytest.param([], "evaluation.json", id="no object"),
        pytest.param(evaluation_json("20260101-00000000"), "20260101-00000000", id="of another model"),
    ],
)
def test_checks_an_evaluation_before_publishing(document, named, model, root, storage, tmp_path):
    rejected = model("publish", _bundle(tmp_path)[0], "--to", root, "--no-compile", "--evaluation", _file(tmp_path, document))
    assert (rejected.exit_code, rejected.stdout) == (1, "")
    assert named in rejected.stderr
    assert list(storage.list()) == []


def test_prints_or_writes_a_card(model, root, storage, first, tmp_path):
    record_evaluation(storage, first, evaluation_json(first, 0.1234))
    printed = model("card", root, first).stdout
    assert printed.startswith(f"# fake {first}\n")
    assert "**0.1234**" in printed
    path = tmp_path / "card.md"
    assert model("card", root, first, "-o", path).stdout == f"{path}\n"
    assert path.read_text() == printed == storage.read(f"versions/{first}/card.md").data.decode()
