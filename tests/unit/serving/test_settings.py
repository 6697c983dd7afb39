import pytest

from coinfarm.errors import CoinfarmError
from coinfarm.serving.settings import Settings


def test_reads_variables():
    settings = Settings.from_environment({"MODEL_URI": "s3://bucket/mine", "MODEL_REFRESH_S": "2.5", "MAX_BATCH": "32", "ENGINE": "keras"})
    assert (settings.model_uri, settings.model_refresh_s, settings.max_batch, settings.engine) == ("s3://bucket/mine", 2.5, 32, "keras")


def test_ignores_empty_and_other_variables():
    """A template passes an unset parameter as an empty string."""
    assert Settings.from_environment({"CANDLES_ROOT": "", "MAX_BATCH": "", "PATH": "/bin", "max_frames": "7"}) == Settings()


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("MAX_BATCH", "0"),
        ("MAX_BATCH", "4097"),
        ("MAX_FRAMES", "1.5"),
        ("MAX_BODY_BYTES", "6MB"),
        ("ENGINE", "tpu"),
        ("CORS_ORIGINS", "charts.example.com"),
        ("CORS_ORIGINS", "https://a.example/"),
    ],
)
def test_invalid_values_are_named(variable, text):
    with pytest.raises(CoinfarmError, match=f"{variable}='{text}'"):
        Settings.from_environment({variable: text})


@pytest.mark.parametrize(
    ("text", "origins"),
    [("*", ("*",)), ("https://a.example:8443 ,http://localhost", ("https://a.example:8443", "http://localhost")), ("", ())],
)
def test_origins_are_a_list(text, origins):
    assert Settings.from_environment({"CORS_ORIGINS": text}).allowed_origins == origins
