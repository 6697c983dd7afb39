from datetime import date
from pathlib import Path

import numpy as np
import pytest

from coinfarm.candles.candles import Candles
from coinfarm.candles.day import DAY_MS
from coinfarm.errors import Forbidden
from coinfarm.evaluation.block_skill import BlockSkill
from coinfarm.live.live_store import LiveStore
from coinfarm.scorecard.model_record import ModelHorizon
from coinfarm.scorecard.skill_history import LivePredictions, skill_history
from coinfarm.storage import open_storage
from coinfarm.storage.folder import FolderStorage
from tests.support.live_predictions import FEED, HORIZON, MULTIPLES, VERSION, candles_of, write_rows
from tests.support.synthetic_candles import START_MS, day

DAYS, RECENT = 70, 10
WARM_UP_DAYS = 2
"""Without predictions, until there are candles for a window."""
COLUMNS = ModelHorizon(HORIZON, ("max_rise_pct", "max_decline_pct", "end_change_pct"))
SCORES = np.array(MULTIPLES)
NOW_MS = START_MS + DAYS * DAY_MS + HORIZON * 900_000


@pytest.fixture(scope="module")
def coins() -> list[Candles]:
    return [candles_of(symbol, DAYS + 1, seed) for symbol, seed in (("DEMO1", 1), ("DEMO2", 2))]


@pytest.fixture
def predictions(tmp_path: Path, coins: list[Candles]) -> LivePredictions:
    return LivePredictions(write_rows(open_storage(str(tmp_path)), coins, 0.3), FEED, VERSION, COLUMNS, ())


def history(predictions: LivePredictions, days: int = RECENT, multiples: np.ndarray = SCORES) -> BlockSkill:
    """With only the latest days given."""
    first_ms = START_MS + (DAYS - days) * DAY_MS
    recent = predictions.skill(predictions.outcomes(first_ms, START_MS + DAYS * DAY_MS), multiples)
    return skill_history(predictions, recent, first_ms, NOW_MS, multiples)


def read_days(predictions: LivePredictions, monkeypatch: pytest.MonkeyPatch) -> list[date]:
    """The days that are read from now on."""
    found: list[date] = []
    read = FolderStorage.read

    def counting(self: FolderStorage, key: str, max_bytes: int | None = None) -> object:
        if key.startswith("live/exchange"):
            found.append(date.fromisoformat(key[-18:-8]))
        return read(self, key, max_bytes)

    monkeypatch.setattr(FolderStorage, "read", counting)
    return found


def test_old_days_are_read_once(predictions: LivePredictions, monkeypatch: pytest.MonkeyPatch) -> None:
    complete = predictions.skill(predictions.outcomes(START_MS, START_MS + DAYS * DAY_MS), SCORES)
    read = read_days(predictions, monkeypatch)
    first = history(predictions)
    np.testing.assert_allclose(first.scores, np.append([np.nan] * WARM_UP_DAYS, complete.scores), atol=1e-5)
    assert (first.first_block, list(first.by_coin)) == (START_MS // DAY_MS, ["DEMO1", "DEMO2"])
    assert min(read) == day(0)
    read.clear()
    np.testing.assert_array_equal(history(predictions).scores, first.scores)
    assert min(read) == day(DAYS - RECENT - WARM_UP_DAYS - 1)


def test_scores_of_another_baseline_are_computed_again(predictions: LivePredictions) -> None:
    history(predictions)
    other = 2.0 * SCORES
    expected = predictions.skill(predictions.outcomes(START_MS, START_MS + DAYS * DAY_MS), other)
    np.testing.assert_allclose(history(predictions, multiples=other).scores[WARM_UP_DAYS:], expected.scores, atol=1e-5)


def test_a_day_without_predictions_of_the_version_has_no_score(tmp_path: Path, coins: list[Candles]) -> None:
    storage = open_storage(str(tmp_path))
    write_rows(storage, [coins[0][: 40 * 96]], 0.3, version="20260101-22222222")
    predictions = LivePredictions(write_rows(storage, coins[:1], 0.3), FEED, VERSION, COLUMNS, ())
    for _ in range(2):
        scores = history(predictions).scores
        assert len(scores) == DAYS
        assert np.flatnonzero(np.isfinite(scores)).tolist() == list(range(40, DAYS))


def test_some_symbols_are_not_stored_as_all(predictions: LivePredictions) -> None:
    one = LivePredictions(predictions.store, FEED, VERSION, COLUMNS, ("DEMO1",))
    assert list(history(one).by_coin) == ["DEMO1"]
    assert list(predictions.store.storage.list("live/_scorecard/")) == []
    assert list(history(predictions).by_coin) == ["DEMO1", "DEMO2"]


def test_a_store_that_cannot_be_written_is_scored(predictions: LivePredictions, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_arguments: object, **_options: object) -> None:
        raise Forbidden("read-only")

    monkeypatch.setattr(FolderStorage, "write", forbidden)
    assert len(history(predictions).scores) == DAYS


def test_what_is_stored_is_no_part_of_the_predictions(predictions: LivePredictions) -> None:
    history(predictions)
    assert predictions.store.feeds() == [FEED]
    assert len(predictions.store.days(FEED)) == DAYS + 1


def test_damaged_scores_are_computed_again(predictions: LivePredictions) -> None:
    expected = history(predictions).scores
    (key,) = predictions.store.storage.list("live/_scorecard/")
    predictions.store.storage.write(key, b"{")
    np.testing.assert_array_equal(
        history(LivePredictions(LiveStore(predictions.store.storage), FEED, VERSION, COLUMNS, ())).scores, expected
    )
