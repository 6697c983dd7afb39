"""Models that need options, from the Keras file to `coinfarm predict`: compiled, published and promoted."""

import csv
import io
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from click.testing import CliRunner

from coinfarm.candles.parquet_file import parquet_from_candles
from coinfarm.cli import main
from coinfarm.compilation import attempts
from coinfarm.compilation import compile as compilation
from coinfarm.compilation.compile import compile_bundle
from coinfarm.models.promotion import promote
from coinfarm.models.publish import publish
from coinfarm.storage import open_storage
from image_render.render import render_frames
from image_render.windows import windows
from tests.support.model_kinds import ModelKind
from tests.support.model_page import bundle_of, expected_values, models_of, sample
from tests.support.option_kinds import OPTION_KINDS
from tests.support.synthetic_candles import minutes

pytestmark = pytest.mark.tensorflow

STRIDE = 150
NAMES = ("layout", "positive declines", "heads of different", "--member, --layout, --pixels")
KINDS = [kind for kind in OPTION_KINDS if kind.outcome == "compiled" and any(name in kind.name for name in NAMES)]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_predict_gives_what_the_networks_predict(
    kind: ModelKind, keras: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "recipes", lambda graph: ())  # quantisation takes seconds
    monkeypatch.setattr(attempts, "processor_flags", lambda: frozenset({"sse4_2", "avx2"}))
    monkeypatch.setattr(compilation, "frames_per_s", lambda engines, frames: [1.0, 2.0])  # of Keras, and of the form
    for folder in ("files", "source", "compiled"):
        (tmp_path / folder).mkdir()
    keras.utils.set_random_seed(1)
    models = models_of(keras, kind)
    source = bundle_of(kind, models, tmp_path / "files", tmp_path / "source")
    bundle = compile_bundle(source, tmp_path / "compiled", sample(), max_bytes=None, progress=lambda _: None).bundle
    assert bundle.manifest.engines.forms
    storage = open_storage(str(tmp_path / "root"))
    publish(storage, bundle)
    promote(storage, bundle.manifest.version)

    candles = minutes(200 + 10 * STRIDE)
    (tmp_path / "DEMOUSD-1m.parquet").write_bytes(parquet_from_candles(candles))
    command = ["predict", tmp_path / "DEMOUSD-1m.parquet", "--model", tmp_path / "root", "--stride", STRIDE, "--csv"]
    result = CliRunner().invoke(main, [str(argument) for argument in command], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    found = np.array([[float(row[name]) for name in ("max_rise_pct", "max_decline_pct", "end_change_pct")] for row in rows])
    expected = expected_values(keras, kind, models, render_frames(windows(candles.columns, stride=STRIDE)))
    assert found.shape == expected.shape == (11, 3)
    np.testing.assert_allclose(found, expected, atol=0.05 * expected.std(axis=0).min())
