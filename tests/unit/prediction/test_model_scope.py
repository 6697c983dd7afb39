"""What a model's predictions are about, in the metadata of their files."""

from pathlib import Path

import pytest

from coinfarm.errors import CoinfarmError
from coinfarm.prediction.model_scope import UNKNOWN_SCOPE, ModelScope
from tests.support.fake_models import create_bundle


@pytest.mark.parametrize("scope", [ModelScope(30, "1m"), ModelScope(12), ModelScope(interval="1h"), UNKNOWN_SCOPE])
def test_metadata_keeps_what_is_known(scope: ModelScope) -> None:
    assert ModelScope.from_metadata({b"other": b"1", **scope.metadata()}) == scope
    assert scope.is_known == bool(scope.metadata())


@pytest.mark.parametrize("horizon", [b"0", b"-5", b"99999999999999999999", b"many"])
def test_rejects_an_invalid_horizon(horizon: bytes) -> None:
    with pytest.raises(ValueError, match=horizon.decode()):
        ModelScope.from_metadata({b"horizon_candles": horizon})


def test_reads_the_horizon_of_a_manifest_without_training_data(tmp_path: Path) -> None:
    assert ModelScope.of(create_bundle(tmp_path / "model", horizon_candles=7).manifest) == ModelScope(7, None)


def test_files_of_older_releases_agree_with_newer_ones() -> None:
    assert ModelScope.common([ModelScope(30), UNKNOWN_SCOPE, ModelScope(30, "1m")]) == ModelScope(30, "1m")
    assert ModelScope.common([]) == UNKNOWN_SCOPE


@pytest.mark.parametrize(("other", "named"), [(ModelScope(12, "1m"), "12, 30"), (ModelScope(30, "1h"), "1h, 1m")])
def test_rejects_predictions_of_different_models(other: ModelScope, named: str) -> None:
    with pytest.raises(CoinfarmError, match=named):
        ModelScope.common([ModelScope(30, "1m"), other])


def test_an_unknown_interval_differs_from_none() -> None:
    assert ModelScope(interval="1m").differs_from("1h")
    assert not ModelScope(interval="1m").differs_from("1m")
    assert not UNKNOWN_SCOPE.differs_from("1h")


def test_a_model_of_several_intervals_differs_from_others_only() -> None:
    scope = ModelScope.from_metadata({b"model_interval": b"60m, 1m"})
    assert scope == ModelScope(interval="1m, 1h")
    assert [scope.differs_from(interval) for interval in ("1m", "1h", "60m", "15m")] == [False, False, False, True]
