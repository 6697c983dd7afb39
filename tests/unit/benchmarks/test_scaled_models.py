"""The scaled versions of the reference model."""

from typing import Any

import numpy as np
import pytest

from benchmarks.soak.scaled_models import reference_bundle, scaled_model
from coinfarm.engines.loading import load_engine
from image_render.render import render_frames
from image_render.windows import Columns, windows
from tests.support.synthetic_candles import minutes


@pytest.fixture(scope="module")
def doubled(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return scaled_model(reference_bundle(), tmp_path_factory.mktemp("models") / "doubled", 2.0)


@pytest.mark.parametrize("engine", ["auto", pytest.param("keras", marks=pytest.mark.tensorflow)])
def test_scaled_version_predicts_in_proportion(engine: Any, doubled: Any) -> None:
    reference = reference_bundle()
    assert doubled.manifest.version != reference.manifest.version
    frames = render_frames(Columns(*(column[:8] for column in windows(minutes(210).columns))))
    predictions = [load_engine(bundle, engine, 8).predict(frames) for bundle in (reference, doubled)]
    np.testing.assert_allclose(predictions[1], 2 * predictions[0], rtol=1e-4)
