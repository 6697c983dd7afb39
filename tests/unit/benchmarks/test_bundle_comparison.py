"""The comparison of the reference model with that of version 0.1.0."""

from pathlib import Path
from unittest.mock import Mock

import pytest

from benchmarks import bundle_comparison, reference
from benchmarks.bundle_comparison import FIGURES, alternate, comparison_table
from benchmarks.reference import FIRST_RELEASE_URI
from coinfarm.models.bundle import Bundle
from coinfarm.models.model_source import current_version
from coinfarm.models.store import open_model_source
from coinfarm.serving.settings import reference_model_uri
from tests.support.demo_requests import demo_candles
from tests.support.table_text import assert_fits

URIS = {"reference": "new", "0.1.0": "old"}


def test_the_model_of_0_1_0_is_complete() -> None:
    version = current_version(open_model_source(FIRST_RELEASE_URI))
    assert version == "20261122-4c5fb33f"
    assert Bundle.open(Path(FIRST_RELEASE_URI, "versions", version)).manifest.engines.forms


def test_measures_in_turns_and_takes_the_best_round() -> None:
    measured: list[str] = []
    speeds = {"new": iter([300.0, 500.0, 400.0]), "old": iter([200.0, 100.0, 150.0])}
    seconds = {"new": iter([2.0, 3.0, 4.0]), "old": iter([4.0, 8.0, 6.0])}

    def measure(uri: str) -> dict[str, float]:
        measured.append(uri)
        return {"parquetFramesPerSecond": next(speeds[uri]), "coldStartS": next(seconds[uri])}

    figures = alternate(URIS, [measure], rounds=3)
    assert measured == ["new", "old", "old", "new", "new", "old"]
    assert figures == {
        "parquetFramesPerSecond": {"reference": 500.0, "0.1.0": 200.0, "ratio": pytest.approx(2.5)},
        "coldStartS": {"reference": 2.0, "0.1.0": 4.0, "ratio": pytest.approx(0.5)},
    }


@pytest.mark.parametrize(("model_uri", "measured"), [(None, reference_model_uri()), ("build/models", "build/models")])
def test_compares_the_reference_model_or_another_one(monkeypatch: pytest.MonkeyPatch, model_uri: str | None, measured: str) -> None:
    loaded: list[str] = []
    monkeypatch.setattr(bundle_comparison, "Service", lambda settings: loaded.append(settings.model_uri) or Mock())
    monkeypatch.setattr(bundle_comparison, "_description", Mock(return_value={}))
    monkeypatch.setattr(bundle_comparison, "alternate", lambda uris, _measures, _rounds: uris)
    figures = bundle_comparison.compare(demo_candles(), model_uri=model_uri)["figures"]
    assert figures == {"reference": measured, "0.1.0": reference.FIRST_RELEASE_URI}
    assert loaded == [measured, reference.FIRST_RELEASE_URI]


def test_table_has_all_figures_and_both_versions() -> None:
    models = {name: {"version": f"version-of-{uri}", "engine": "openvino"} for name, uri in URIS.items()}
    figures = {name: {"reference": 3.0, "0.1.0": 2.0, "ratio": 1.5} for name in FIGURES}
    shown = assert_fits(comparison_table({"models": models, "rounds": 1, "figures": figures}), 120)
    assert "version-of-new" in shown
    assert "version-of-old" in shown
    assert shown.count("1.50") == len(FIGURES)


def test_exits_if_the_model_of_0_1_0_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(reference, "FIRST_RELEASE_URI", str(tmp_path / "bundle"))
    with pytest.raises(SystemExit, match="bundle is missing"):
        reference.require_first_release()
