"""Explanations of engines whose dependence on pixels is known."""

import io
import json
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from PIL import Image

from coinfarm.errors import CandleError, CoinfarmError
from coinfarm.models.manifest import Output
from coinfarm.outputs import OUTPUT_NAMES
from coinfarm.prediction.predictor import Predictor
from coinfarm.serving.explanation import PARTS, explain, window_at
from image_render.spec import BODY, VOLUME, WICK
from image_render.windows import window_range_pct, windows
from tests.support.pixel_engine import PixelEngine, loaded
from tests.support.synthetic_candles import MINUTE_MS, START_MS, minutes


class KnownEngine:
    """Rise: volume of candles 100 to 104. Decline: minus the body of the last candle. End change: always 0.25."""

    name = "known"

    def predict(self, frames):
        rise = frames[:, 100:105, :, VOLUME].sum(axis=(1, 2)) / 100
        decline = frames[:, 199, :, BODY].sum(axis=1) / -100
        return np.stack([rise, decline, np.full(len(frames), 0.25)], axis=1).astype(np.float32)


def _explained(folder, engine, *, group_candles=5, **details):
    return explain(Predictor(loaded(folder / "bundle", engine, **details), max_batch=64), minutes(200), group_candles)


def _effects(explanation, output, part):
    return explanation.effects_pct[OUTPUT_NAMES.index(output), list(PARTS).index(part)]


def test_finds_the_candles_that_a_prediction_depends_on(tmp_path):
    explanation = _explained(tmp_path, KnownEngine())
    frame = explanation.frame
    volume = _effects(explanation, "maxRisePct", "volume")
    assert np.flatnonzero(volume).tolist() == [20]
    assert volume[20] == pytest.approx(frame[100:105, :, VOLUME].sum() / 100, rel=1e-6)
    body = _effects(explanation, "maxDeclinePct", "body")
    assert np.flatnonzero(body).tolist() == [39]
    assert body[39] == pytest.approx(frame[199, :, BODY].sum() / -100, rel=1e-6)
    for output, other, part in (("maxRisePct", "body", "volume"), ("maxDeclinePct", "wick", "body")):
        assert not _effects(explanation, output, other).any()
        np.testing.assert_array_equal(_effects(explanation, output, "all"), _effects(explanation, output, part))
    assert not explanation.effects_pct[OUTPUT_NAMES.index("endChangePct")].any()


@pytest.mark.parametrize(("group_candles", "batches"), [(1, 13), (64, 1), (200, 1)])
def test_effects_of_a_linear_engine_add_up(group_candles, batches, tmp_path):
    """`PixelEngine` predicts the share of pixels in each channel, so every pixel is erased exactly once."""
    engine = PixelEngine()
    explanation = _explained(tmp_path, engine, group_candles=group_candles)
    groups = -(-200 // group_candles)
    assert explanation.starts.tolist() == [max(200 - group_candles * left, 0) for left in range(groups, 0, -1)]
    assert engine.calls == [1, *[64] * (batches - 1), 4 * groups + 1 - 64 * (batches - 1)]
    assert explanation.effects_pct.shape == (3, 4, groups)
    shares = explanation.frame.mean(axis=(0, 1))
    sums = explanation.effects_pct.sum(axis=2)
    expected = np.zeros((3, 4))
    for output, channel in enumerate((BODY, WICK, VOLUME)):
        expected[output, [channel, 3]] = shares[channel]
    np.testing.assert_allclose(sums, expected, atol=1e-5)


def test_effects_of_window_range_outputs_are_percent(tmp_path):
    in_ranges = tuple(Output(name=name, unit="window_range") for name in OUTPUT_NAMES)
    in_percent = _explained(tmp_path / "percent", PixelEngine()).effects_pct
    range_pct = window_range_pct(windows(minutes(200).columns))[0]
    np.testing.assert_allclose(
        _explained(tmp_path / "range", PixelEngine(), outputs=in_ranges).effects_pct, in_percent * range_pct, rtol=1e-6
    )


def test_the_document_contains_prediction_and_effects(tmp_path):
    explanation = _explained(tmp_path, KnownEngine())
    document = json.loads(json.dumps(explanation.to_dict()))
    assert document["model"]["engine"] == "known"
    assert document["predictions"]["endChangePct"] == 0.25
    assert document["predictions"]["maxRisePct"] == pytest.approx(document["effectsPct"]["maxRisePct"]["volume"][20], abs=1e-5)
    assert {output: list(parts) for output, parts in document["effectsPct"].items()} == {name: list(PARTS) for name in OUTPUT_NAMES}
    assert len(document["groups"]) == len(document["effectsPct"]["maxRisePct"]["all"]) == 40
    assert document["groups"][0] == {"openTime": START_MS, "closeTime": START_MS + 5 * MINUTE_MS - 1}
    assert document["groups"][-1]["closeTime"] == document["closeTime"] == START_MS + 200 * MINUTE_MS - 1


def test_the_chart_shows_the_effects_of_the_requested_outputs(tmp_path):
    explanation = _explained(tmp_path, KnownEngine())
    assert explanation.to_png() == _explained(tmp_path / "again", KnownEngine()).to_png(), "the chart is reproducible"
    every, rise, decline = (
        np.asarray(Image.open(io.BytesIO(explanation.to_png(outputs))).convert("RGB"))
        for outputs in (OUTPUT_NAMES, ("maxRisePct",), ("maxDeclinePct",))
    )
    assert len(every) > len(rise) == len(decline)
    # The bars in the colours of the strongest effects, below the heading: the first columns with them.
    raised, lowered = (
        np.all(chart[-160:] == colour, axis=2).any(axis=0).argmax() for chart, colour in ((rise, (203, 92, 13)), (decline, (94, 60, 153)))
    )
    assert raised > 0
    assert lowered - raised == 95 * 4  # from candle 100 to candle 195, 4 pixels each


def test_rejects_a_mostly_filled_window(tmp_path):
    window = minutes(200)
    window.filled[:101] = True
    with pytest.raises(CoinfarmError):
        explain(Predictor(loaded(tmp_path / "bundle", PixelEngine()), max_batch=64), window)


@pytest.mark.parametrize(
    ("time", "last_candle"),
    [(None, 299), (datetime(2020, 1, 1, 3, 19), 199), (datetime(2020, 1, 1, 6, tzinfo=timezone(timedelta(hours=2))), 240)],
    ids=["the last window", "the first window", "another time zone"],
)
def test_window_at_a_time_in_its_last_candle(time, last_candle):
    window = window_at(minutes(300), time)
    assert len(window) == 200
    assert window.open_time[-1] == START_MS + last_candle * MINUTE_MS


@pytest.mark.parametrize("time", [datetime(2020, 1, 1, 3, 18, 59), datetime(2020, 1, 1, 5, tzinfo=UTC)], ids=["too early", "too late"])
def test_a_time_without_a_window_is_an_error_with_the_possible_times(time):
    with pytest.raises(CoinfarmError, match=r"2020-01-01 03:19 UTC.*2020-01-01 04:59 UTC"):
        window_at(minutes(300), time)
    with pytest.raises(CandleError, match="199 candles"):
        window_at(minutes(199), None)
