"""Whether candles may be predicted with a model, and intervals as values of options."""

import click
import pytest

from coinfarm.cli.interval_types import INTERVAL, INTERVALS
from coinfarm.cli.options import check_interval
from tests.support.fake_models import TRAINING, create_bundle


@pytest.fixture
def manifest(tmp_path):
    """Of a model that was trained on minutes and hours."""
    return create_bundle(tmp_path / "model", training=TRAINING.model_copy(update={"interval": "1m, 60m"})).manifest


@pytest.mark.parametrize("interval", ["1m", "1h"])
def test_each_interval_of_the_training_is_allowed(manifest, interval, capsys):
    check_interval(manifest, interval, any_interval=False)
    assert capsys.readouterr().err == ""


def test_another_interval_needs_an_option(manifest, capsys):
    with pytest.raises(click.ClickException, match="1m, 1h"):
        check_interval(manifest, "15m", any_interval=False)
    check_interval(manifest, "15m", any_interval=True)
    assert "15m" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [(INTERVAL, "60m", "1h"), (INTERVALS, "1d, 5m,60m,1h", ("5m", "1h", "1d")), (INTERVALS, "1m", ("1m",)), (INTERVALS, ("1m",), ("1m",))],
)
def test_intervals_have_one_spelling(kind, text, value):
    assert kind.convert(text, None, None) == value


@pytest.mark.parametrize(("kind", "text"), [(INTERVAL, "1M"), (INTERVAL, "1m,5m"), (INTERVALS, "5m,,1h"), (INTERVALS, "")])
def test_other_texts_are_usage_errors(kind, text):
    with pytest.raises(click.UsageError):
        kind.convert(text, None, None)
