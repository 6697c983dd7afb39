"""The scaled versions of the reference model."""

import numpy as np
import pytest

from benchmarks.reference import reference_bundle
from benchmarks.soak.scaled_models import scaled_model
from coinfarm.engines.loading import load_engine
from image_render.render import render_frames
from image_render.windows import Columns, windows
from tests.support.synthetic_candles import minutes


@pytest.mark.parametrize("engine", ["auto", pytest.param("keras", marks=pytest.mark.tensorflow)])
def test_scaled_version_predicts_in_proportion(engine, tmp_path):
    reference = reference_bundle()
    doubled = scaled_model(reference, tmp_path / "doubled", 2.0)
    assert doubled.manifest.version != reference.manifest.version
    frames = render_frames(Columns(*(column[:8] for column in windows(minutes(210).columns))))
    predictions = [load_engine(bundle, engine, 8).predict(frames) for bundle in (reference, doubled)]
    np.testing.assert_allclose(predictions[1], 2 * predictions[0], rtol=1e-4)
