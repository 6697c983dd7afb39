"""Models that mean something else than declared, made from what happened itself."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from coinfarm.candles.synthetic import START_OF_2026_MS, generate
from coinfarm.errors import ModelError
from coinfarm.models.bundle import Bundle
from coinfarm.models.manifest import Member, Output
from coinfarm.outputs import OUTPUT_NAMES
from coinfarm.publishing.label_check import check_labels
from coinfarm.publishing.labelled_frames import LabelledFrames

LABELLED = LabelledFrames.from_candles([generate("DEMOA", "1m", START_OF_2026_MS, 100_000, seed=1)], 30, 500)
NOISE = 0.3 * np.random.default_rng(1).standard_normal(LABELLED.targets_pct.shape)
TRUTH = LABELLED.targets_pct + NOISE
SHARES = TRUTH / LABELLED.range_pct[:, None]
DARK = LABELLED.frames.mean(axis=(1, 2, 3))


class Predicting:
    """Predicts the same values for the labelled frames, whatever they are."""

    name = "keras"

    def __init__(self, values: Any) -> None:
        self._values = np.asarray(values, np.float32)

    def predict(self, frames: Any) -> Any:
        return self._values[np.linspace(0, len(self._values) - 1, len(frames)).astype(int)]


def bundle(folder: Path, names: tuple[str, ...] = OUTPUT_NAMES, **output: Any) -> Bundle:
    (folder / "model.keras").write_text("1")
    outputs = tuple(Output(name=name, **output) for name in names)
    return Bundle.create(folder, name="mine", outputs=outputs, members=(Member(file="model.keras", outputs=names),))


def check(folder: Path, values: Any, **output: Any) -> Any:
    engine = Predicting(values)
    return check_labels(bundle(folder, **output), engine, LABELLED, lambda _: engine)


@pytest.mark.parametrize(
    ("values", "output"),
    [
        pytest.param(TRUTH, {}, id="percent"),
        pytest.param(SHARES, {"unit": "window_range"}, id="shares of the range"),
        pytest.param(TRUTH / 100, {"factor": 100.0}, id="fractions"),
        pytest.param(TRUTH[:, ::-1], {"names": OUTPUT_NAMES[::-1]}, id="another order"),
    ],
)
def test_predictions_that_mean_what_is_declared_fit(values: Any, output: dict[str, Any], tmp_path: Path) -> None:
    found = check(tmp_path, values, **output)
    assert found.mismatch is None
    assert found.warning is None
    assert min(fit.correlation for fit in found.fits.values()) > 0.75
    assert found.fits["maxRisePct"].r2 == pytest.approx(1 - NOISE[:, 0].var() / LABELLED.targets_pct[:, 0].var(), abs=0.02)


@pytest.mark.parametrize(
    ("values", "output", "options"),
    [
        pytest.param(SHARES, {}, "--unit window_range", id="shares read as percent"),
        pytest.param(TRUTH, {"unit": "window_range"}, "--unit percent", id="percent read as shares"),
        pytest.param(TRUTH / 100, {}, "--unit fraction", id="fractions read as percent"),
        pytest.param(TRUTH * [1, -1, 1], {}, "--outputs rise,-decline,end", id="positive declines"),
        pytest.param(TRUTH[:, [2, 1, 0]], {}, "--outputs end,decline,rise", id="rise and end swapped"),
        pytest.param(TRUTH[:, [1, 0, 2]], {}, "--outputs decline,rise,end", id="rise and decline swapped"),
        pytest.param(TRUTH[:, [1, 0, 2]] / 100, {}, "--outputs decline,rise,end --unit fraction", id="two at once"),
    ],
)
def test_another_meaning_is_named_with_its_options(values: Any, output: dict[str, Any], options: str, tmp_path: Path) -> None:
    assert options in check(tmp_path, values, **output).mismatch


@pytest.mark.parametrize(
    ("pixels", "layout", "option"),
    [((0.0, 255.0), None, "--pixels 0,255"), (None, ("candles", "-rows", "channels"), "--layout candles,-rows,channels")],
)
def test_other_inputs_are_found_by_trying_them(pixels: Any, layout: Any, option: str, tmp_path: Path) -> None:
    def load_engine(variant: Bundle) -> Predicting:
        (member,) = variant.manifest.members
        return Predicting(TRUTH if (member.pixels, member.layout) == (pixels, layout) else np.zeros_like(TRUTH))

    found = check_labels(bundle(tmp_path), Predicting(np.zeros_like(TRUTH)), LABELLED, load_engine)
    assert found is not None
    assert found.mismatch is not None
    assert option in found.mismatch


@pytest.mark.parametrize("values", [np.zeros_like(TRUTH), np.tile([0.4, -0.4, 0.0], (500, 1)), np.outer(DARK, [1, 1, 1])])
def test_an_untrained_model_is_only_a_warning(values: Any, tmp_path: Path) -> None:
    found = check(tmp_path, values)
    assert found.mismatch is None
    assert found.warning is not None or max(fit.correlation for fit in found.fits.values()) > 0.05


@pytest.mark.parametrize("engine", ["keras", "openvino"])
def test_a_model_that_predicts_constants_only_is_a_warning_of_its_own(engine: str, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(Predicting, "name", engine)
    constant = np.tile([0.4, -0.4, 0.1], (len(TRUTH), 1))
    (tmp_path / "all").mkdir()
    found = check(tmp_path / "all", constant * (1 + 1e-7 * NOISE))  # the noise of sums in floats
    assert found.mismatch is None
    assert "--pixels" in found.warning
    assert "same for every frame" in found.warning
    (tmp_path / "end").mkdir()
    assert check(tmp_path / "end", np.where([True, True, False], TRUTH, 0)).warning is None  # the end change may be unpredictable


def test_predictions_that_are_not_finite_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="NaN"):
        check(tmp_path, np.full_like(TRUTH, np.nan))


def test_too_few_frames_say_nothing(tmp_path: Path) -> None:
    few = LabelledFrames.from_candles([generate("DEMOA", "1m", START_OF_2026_MS, 100_000, seed=1)], 30, 199)
    assert check_labels(bundle(tmp_path), Predicting(TRUTH), few, lambda _: Predicting(TRUTH)) is None
    assert len(LabelledFrames.from_candles([generate("DEMOA", "1m", START_OF_2026_MS, 229, seed=1)], 30)) == 0
