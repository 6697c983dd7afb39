"""The scorecard of a store, with a model root whose version was evaluated."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from coinfarm.candles.candles import Candles
from coinfarm.errors import NotFound
from coinfarm.evaluation.block_skill import block_skill
from coinfarm.evaluation.features import observations_at
from coinfarm.live.live_store import LiveFeed, LiveStore
from coinfarm.models.evaluations import store_evaluation
from coinfarm.models.live_reference import SkillRecord
from coinfarm.models.manifest import Output
from coinfarm.outputs import output_names
from coinfarm.scorecard.scorecard import ScorecardSpec, scorecard
from coinfarm.scorecard.scorecard_document import Scorecard
from coinfarm.storage import open_storage
from tests.support.fake_models import publish_model
from tests.support.live_predictions import (
    FEED,
    HORIZON,
    MULTIPLES,
    candles_of,
    evaluation_with_reference,
    predictions_of,
    rows_of,
    write_rows,
)

DAYS = 40
STEP_MS = 900_000
SKILL = 0.3
"""The share of the outcome that the evaluated model knows."""


@pytest.fixture(scope="module")
def coins() -> list[Candles]:
    return [candles_of(symbol, DAYS, seed) for symbol, seed in (("DEMO1", 1), ("DEMO2", 2))]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, coins: list[Candles]) -> tuple[str, str]:
    """A model root and the version in it, whose evaluation was of other noise on the same candles."""
    folder = tmp_path_factory.mktemp("model")
    root = str(folder / "models")
    version = publish_model(open_storage(root), folder / "bundle", "1.0")
    observed = observations_at(coins[0], np.arange(len(coins[0]) - 199 - HORIZON), HORIZON)
    predicted = predictions_of(coins[0], SKILL, seed=9)[:-HORIZON]
    skill = block_skill(observed, predicted, np.array(MULTIPLES), STEP_MS, HORIZON)
    document = evaluation_with_reference([0.0], version).model_dump(mode="json", by_alias=True)
    by_coin = {"DEMO1": tuple(skill.scores[np.isfinite(skill.scores)].tolist())}
    record = SkillRecord(block_days=1, first_block=skill.first_block, range_multiples=MULTIPLES, by_coin=by_coin)
    document["liveReference"]["skill"] = record.model_dump(mode="json", by_alias=True)
    store_evaluation(open_storage(root), version, document)
    return root, version


def after(coins: list[Candles]) -> datetime:
    """Ten candles after the last one."""
    return datetime.fromtimestamp(int(coins[0].open_time[-1]) / 1000, UTC) + timedelta(minutes=165)


def test_a_model_that_is_as_evaluated(tmp_path: Path, coins: list[Candles], model: tuple[str, str]) -> None:
    store = write_rows(open_storage(str(tmp_path)), coins, SKILL, version=model[1])
    (score,) = scorecard(store, model[0], ScorecardSpec(days=DAYS), now=after(coins)).scores
    assert (score.exchange, score.interval, score.version, score.horizon_candles) == ("binanceus", "15m", model[1], HORIZON)
    assert score.skill.answer == "as evaluated"
    assert score.counts.scored == 2 * (DAYS * 96 - 199 - HORIZON)
    assert score.together is not None
    assert score.together.evaluated is not None
    assert score.together.live.frames == score.counts.scored == sum(each.live.frames for each in score.by_symbol.values())
    assert (list(score.by_symbol), score.by_symbol["DEMO2"].evaluated) == (["DEMO1", "DEMO2"], None)
    baselines = score.together.live.baselines
    assert set(baselines) == {"zero", "persistence", "reversal"}
    assert (score.together.live.outputs["maxRisePct"].r2 or 0) > (baselines["zero"].outputs["maxRisePct"].r2 or 0)


def test_a_brief_scorecard_has_the_same_test_and_scores(tmp_path: Path, coins: list[Candles], model: tuple[str, str]) -> None:
    store = write_rows(open_storage(str(tmp_path)), coins, SKILL, version=model[1])
    (complete,) = scorecard(store, model[0], now=after(coins)).scores
    (brief,) = scorecard(store, model[0], ScorecardSpec(is_brief=True), after(coins)).scores
    assert (brief.skill, brief.counts) == (complete.skill, complete.counts)
    assert brief.together is not None
    assert complete.together is not None
    assert brief.together.live == complete.together.live.model_copy(update={"baselines": {}})
    assert (brief.by_symbol, brief.paper) == ({}, None)


def test_a_model_that_lost_its_skill(tmp_path: Path, coins: list[Candles], model: tuple[str, str]) -> None:
    store = write_rows(open_storage(str(tmp_path)), coins, 0.0, version=model[1])
    (score,) = scorecard(store, model[0], now=after(coins)).scores
    assert score.skill.answer == "worse than evaluated"


def test_the_days_and_symbols_may_be_chosen(tmp_path: Path, coins: list[Candles], model: tuple[str, str]) -> None:
    store = write_rows(open_storage(str(tmp_path)), coins, SKILL, version=model[1])
    (score,) = scorecard(store, model[0], ScorecardSpec(symbols=("demo2",), days=3), after(coins)).scores
    assert list(score.by_symbol) == ["DEMO2"]
    assert score.counts.predictions == 3 * 96
    assert (score.counts.missing_candles, score.counts.pending) == (10, HORIZON - 10)


def test_the_version_with_the_newest_rows_is_scored(tmp_path: Path, coins: list[Candles], model: tuple[str, str]) -> None:
    storage = open_storage(str(tmp_path))
    write_rows(storage, [coins[0][: 20 * 96]], SKILL, version="20260101-22222222")
    store = write_rows(storage, [coins[0]], SKILL, version=model[1])
    card = scorecard(store, model[0], now=after(coins))
    assert [score.version for score in card.scores] == [model[1]]
    assert card.other_versions == ("20260101-22222222",)
    assert card.scores[0].counts.predictions == 20 * 96
    with pytest.raises(NotFound, match="20260101-22222222"):
        scorecard(store, model[0], ScorecardSpec(version="20260101-22222222"), after(coins))


def test_a_store_without_outcomes_says_when_there_will_be_one(tmp_path: Path, coins: list[Candles], model: tuple[str, str]) -> None:
    few = [coins[0][:210]]
    store = write_rows(open_storage(str(tmp_path)), few, SKILL, version=model[1])
    (score,) = scorecard(store, model[0], now=after(few)).scores
    assert (score.skill.answer, score.together, score.by_symbol) == ("too early to tell", None, {})
    assert score.next_outcome_ms == int(few[0].open_time[199]) + (1 + HORIZON) * STEP_MS


@pytest.mark.parametrize("spec", [ScorecardSpec(), ScorecardSpec(exchange="kraken"), ScorecardSpec(interval="1h")])
def test_nothing_to_score(tmp_path: Path, coins: list[Candles], model: tuple[str, str], spec: ScorecardSpec) -> None:
    store = LiveStore(open_storage(str(tmp_path)))
    if spec != ScorecardSpec():
        write_rows(open_storage(str(tmp_path)), [coins[0][:300]], SKILL, version=model[1])
    with pytest.raises(NotFound):
        scorecard(store, model[0], spec)


def test_every_horizon_is_scored_by_itself(tmp_path: Path, coins: list[Candles]) -> None:
    models, outputs = str(tmp_path / "models"), tuple(Output(name=name) for name in output_names((10,)))
    version = publish_model(open_storage(models), tmp_path / "bundle", "1.0", outputs=outputs, horizon_candles=HORIZON)
    candles = coins[0][: 5 * 96]
    values = np.hstack([predictions_of(candles, SKILL), predictions_of(candles, 1.0, horizon_candles=10)])
    store = LiveStore(open_storage(str(tmp_path / "live")))
    store.append(FEED, rows_of(candles, values, version, (10,)))
    first, second = scorecard(store, models).scores
    assert (first.horizon_candles, second.horizon_candles) == (HORIZON, 10)
    assert second.counts.scored == first.counts.scored + HORIZON - 10
    assert first.together is not None
    assert second.together is not None
    r2 = [each.live.outputs["maxRisePct"].r2 or 0 for each in (first.together, second.together)]
    assert r2[0] < r2[1] == pytest.approx(1, abs=0.05)
    assert scorecard(store, models, ScorecardSpec(horizon_candles=10)).scores[0].counts == second.counts


def test_every_interval_is_scored_by_itself(tmp_path: Path, coins: list[Candles], model: tuple[str, str]) -> None:
    storage = open_storage(str(tmp_path))
    write_rows(storage, [coins[0][:300]], SKILL, version=model[1])
    store = write_rows(storage, [candles_of(days=3, interval="1h")], SKILL, LiveFeed("kraken", "1h"), model[1])
    card = scorecard(store, model[0])
    assert [(score.exchange, score.interval) for score in card.scores] == [("binanceus", "15m"), ("kraken", "1h")]
    assert card.scores[1].evaluation is None
    assert "evaluate --record" in card.scores[1].skill.reason
    assert Scorecard.model_validate(json.loads(card.model_dump_json(by_alias=True))) == card
