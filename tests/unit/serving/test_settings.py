from pathlib import Path
from typing import Any

import pytest

from coinfarm.errors import CoinfarmError
from coinfarm.serving.settings import Settings, reference_model_uri


@pytest.mark.parametrize(
    ("variable", "text", "value"),
    [
        ("MODEL_URI", "s3://bucket/models/mine", "s3://bucket/models/mine"),
        ("MODEL_REFRESH_S", "2.5", 2.5),
        ("MODEL_REFRESH_S", "0", 0.0),
        ("MODEL_CACHE_DIR", "/tmp/elsewhere", Path("/tmp/elsewhere")),
        ("ENGINE", "openvino-int8", "openvino-int8"),
        ("MAX_BATCH", "32", 32),
        ("MAX_FRAMES", "50", 50),
        ("MAX_BODY_BYTES", "1000", 1_000),
        ("MAX_RECORD_FRAMES", "70000", 70_000),
        ("MAX_CANDLE_FILE_BYTES", "5000", 5_000),
        ("CANDLES_ROOT", "s3://bucket/candles", "s3://bucket/candles"),
        ("RESULTS_ROOT", "/data/results", "/data/results"),
        ("ANSWER_CACHE_FRAMES", "0", 0),
    ],
)
def test_reads_each_variable(variable: str, text: str, value: Any) -> None:
    changed = Settings.from_environment({variable: text})
    assert getattr(changed, variable.lower()) == value
    assert changed.model_copy(update={variable.lower(): getattr(Settings(), variable.lower())}) == Settings()


def test_every_field_is_tested() -> None:
    tested = {arguments[0].lower() for arguments in test_reads_each_variable.pytestmark[0].args[1]}  # type: ignore[attr-defined]
    assert tested == set(Settings.model_fields)


def test_defaults() -> None:
    settings = Settings.from_environment({})
    assert settings.model_uri == reference_model_uri()
    assert (settings.model_refresh_s, settings.max_batch, settings.max_frames, settings.max_body_bytes) == (60, 100, 1_000, 6_000_000)
    assert (settings.candles_root, settings.results_root) == (None, None)


def test_the_reference_model_is_in_the_package() -> None:
    assert Path(reference_model_uri()).parent.name == "coinfarm"


def test_ignores_empty_variables() -> None:
    """A template passes an unset parameter as an empty string."""
    assert Settings.from_environment({"CANDLES_ROOT": "", "MAX_BATCH": "", "MODEL_URI": ""}) == Settings()


def test_ignores_other_variables() -> None:
    assert Settings.from_environment({"PATH": "/bin", "max_batch": "7", "AWS_REGION": "eu-central-1"}) == Settings()


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("MAX_BATCH", "0"),
        ("MAX_BATCH", "5000"),
        ("MAX_BATCH", "many"),
        ("MAX_FRAMES", "1.5"),
        ("MAX_BODY_BYTES", "6MB"),
        ("MAX_RECORD_FRAMES", "-1"),
        ("MAX_CANDLE_FILE_BYTES", "0"),
        ("MODEL_REFRESH_S", "-1"),
        ("MODEL_REFRESH_S", "hourly"),
        ("ANSWER_CACHE_FRAMES", "-1"),
    ],
)
def test_invalid_values_are_named(variable: str, text: str) -> None:
    with pytest.raises(CoinfarmError, match=f"{variable}='{text}'"):
        Settings.from_environment({variable: text})


def test_settings_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().max_batch = 7  # type: ignore[misc]
