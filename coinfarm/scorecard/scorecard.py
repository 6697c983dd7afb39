"""The scorecard of a live store: its predictions scored against what happened, beside the evaluation of their model."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from coinfarm.candles.arrays import Values
from coinfarm.candles.day import day_start_ms
from coinfarm.candles.interval import canonical_interval, interval_ms
from coinfarm.candles.symbol import canonical_symbol
from coinfarm.errors import NotFound
from coinfarm.evaluation.features import Observations
from coinfarm.evaluation.fitted_baselines import FittedBaselines, unfitted_baselines
from coinfarm.live.live_store import LiveFeed, LiveStore
from coinfarm.models.evaluation_document import EvaluationRecord
from coinfarm.models.live_reference import LiveReference
from coinfarm.outputs import OUTPUT_NAMES
from coinfarm.scorecard import DEFAULT_DAYS
from coinfarm.scorecard.live_outcomes import LiveOutcomes, live_outcomes
from coinfarm.scorecard.live_scores import evaluated_scores_of, evaluated_scores_together, live_scores
from coinfarm.scorecard.model_record import ModelRecord, read_model_record
from coinfarm.scorecard.paper_trading import PaperStrategy, paper_profit
from coinfarm.scorecard.scorecard_document import Comparison, EvaluationPeriod, LiveScore, Scorecard, SkillTest
from coinfarm.scorecard.skill_answer import skill_test, untested
from coinfarm.scorecard.skill_history import LivePredictions, skill_history
from image_render.spec import STANDARD

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class ScorecardSpec:
    """What to score: the last `days` days that have rows, the newest `version` of each exchange and interval, all horizons and symbols, if
    they are not named. The sequential test is of all days. `paper` is the strategy of the paper profit. A brief scorecard has
    the scores of the model over all symbols and the test alone, at a fifth of the time: for metrics that are computed again and again.
    """

    exchange: str | None = None
    interval: str | None = None
    version: str | None = None
    horizon_candles: int | None = None
    symbols: tuple[str, ...] = ()
    days: int = DEFAULT_DAYS
    paper: PaperStrategy = field(default_factory=PaperStrategy)
    is_brief: bool = False


def scorecard(store: LiveStore, model_uri: str, spec: ScorecardSpec = ScorecardSpec(), now: datetime | None = None) -> Scorecard:
    """Score the predictions in the store; `model_uri` is the root of the models that made them.

    Raises `NotFound` if the store has no predictions of what the spec names, or the model root has no such version, and what reading both
    raises.
    """
    as_of = now or datetime.now(UTC)
    scores: list[LiveScore] = []
    found: set[str] = set()
    for feed in _feeds(store, spec):
        rows, first_ms = _rows(store, feed, spec)
        versions = _versions(rows)
        found.update(versions)
        version = spec.version or next(iter(versions), None)
        if version in versions:
            record = read_model_record(model_uri, version)
            scores += _scores(rows, store, feed, record, first_ms, spec, int(as_of.timestamp() * 1000))
    if not scores:
        raise NotFound(_nothing(store, spec, found))
    others = found - {score.version for score in scores}
    return Scorecard(store=store.root, as_of=as_of, days=spec.days, scores=tuple(scores), other_versions=tuple(sorted(others)))


def _feeds(store: LiveStore, spec: ScorecardSpec) -> list[LiveFeed]:
    interval = None if spec.interval is None else canonical_interval(spec.interval)
    return [feed for feed in store.feeds() if spec.exchange in (None, feed.exchange) and interval in (None, feed.interval)]


def _rows(store: LiveStore, feed: LiveFeed, spec: ScorecardSpec) -> "tuple[pa.Table, int]":
    """The rows of the days to score, and of the windows before; and the time from which predictions are scored."""
    first_ms = day_start_ms(store.days(feed)[-spec.days :][0])
    windows_ms = STANDARD.window_candles * interval_ms(feed.interval)
    return store.read(feed, first_ms - windows_ms, symbols=map(canonical_symbol, spec.symbols)), first_ms


def _versions(rows: "pa.Table") -> list[str]:
    """The versions that made predictions, the one with the newest first."""
    import pyarrow.compute as pc

    newest = rows.filter(pc.is_valid(rows["model_version"])).group_by("model_version").aggregate([("open_time", "max")])
    return [str(each) for each in newest.sort_by([("open_time_max", "descending")])["model_version"].to_pylist()]


def _scores(
    rows: "pa.Table", store: LiveStore, feed: LiveFeed, record: ModelRecord, first_ms: int, spec: ScorecardSpec, now_ms: int
) -> Iterator[LiveScore]:
    for horizon in record.columns:
        if spec.horizon_candles in (None, horizon.candles):
            outcomes = live_outcomes(rows, feed.interval, record.version, horizon, first_ms, now_ms)
            predictions = LivePredictions(store, feed, record.version, horizon, spec.symbols)
            yield _score(predictions, outcomes, record.evaluation(feed.interval, horizon.candles), first_ms, spec, now_ms)


def _score(
    predictions: LivePredictions,
    outcomes: LiveOutcomes,
    evaluation: EvaluationRecord | None,
    first_ms: int,
    spec: ScorecardSpec,
    now_ms: int,
) -> LiveScore:
    horizon, step_ms = predictions.horizon.candles, predictions.step_ms
    reference = None if evaluation is None else evaluation.live_reference
    close_time = outcomes.observations.close_time
    together, by_symbol, paper = None, {}, None
    if len(outcomes):
        baselines = {} if spec.is_brief else _baselines(outcomes.observations, reference)
        together = _together(outcomes, baselines, evaluation, step_ms, horizon)
    if len(outcomes) and not spec.is_brief:
        by_symbol = _by_symbol(outcomes, baselines, evaluation, step_ms, horizon)
        paper = paper_profit(spec.paper, outcomes, horizon, None if reference is None else reference.paper)
    return LiveScore(
        exchange=predictions.feed.exchange,
        interval=predictions.feed.interval,
        version=predictions.version,
        horizon_candles=horizon,
        counts=outcomes.counts,
        first_close_ms=int(close_time.min()) if len(outcomes) else None,
        last_close_ms=int(close_time.max()) if len(outcomes) else None,
        next_outcome_ms=outcomes.next_outcome_ms,
        evaluation=None if evaluation is None else _period(evaluation),
        skill=_skill(predictions, outcomes, evaluation, first_ms, now_ms),
        paper=paper,
        together=together,
        by_symbol=by_symbol,
    )


def _baselines(observations: Observations, reference: LiveReference | None) -> dict[str, Values]:
    """The predictions of the baselines, `(n, 3)` in percent each; the fitted ones only if they are stored."""
    fitted = None if reference is None else reference.baselines
    return unfitted_baselines(observations) | ({} if fitted is None else FittedBaselines.from_record(fitted).predict(observations))


def _together(
    outcomes: LiveOutcomes, baselines: dict[str, Values], evaluation: EvaluationRecord | None, step_ms: int, horizon: int
) -> Comparison:
    live = live_scores(outcomes.observations, outcomes.predicted_pct, baselines, _quantiles(evaluation), step_ms, horizon)
    return Comparison(live=live, evaluated=None if evaluation is None else evaluated_scores_together(evaluation))


def _by_symbol(
    outcomes: LiveOutcomes, baselines: dict[str, Values], evaluation: EvaluationRecord | None, step_ms: int, horizon: int
) -> dict[str, Comparison]:
    found = {}
    for symbol in dict.fromkeys(outcomes.observations.symbols.tolist()):
        here = outcomes.observations.symbols == symbol
        of_coin = {name: values[here] for name, values in baselines.items()}
        observations, predicted = outcomes.observations.rows(here), outcomes.predicted_pct[here]
        live = live_scores(observations, predicted, of_coin, _quantiles(evaluation), step_ms, horizon)
        found[symbol] = Comparison(live=live, evaluated=None if evaluation is None else evaluated_scores_of(evaluation, symbol))
    return found


def _quantiles(evaluation: EvaluationRecord | None) -> Values | None:
    """Those of `error_bands`, if they are stored."""
    reference = None if evaluation is None else evaluation.live_reference
    return None if reference is None else np.array([reference.error_quantiles[name] for name in OUTPUT_NAMES])


def _skill(
    predictions: LivePredictions, outcomes: LiveOutcomes, evaluation: EvaluationRecord | None, first_ms: int, now_ms: int
) -> SkillTest:
    step_ms, horizon = predictions.step_ms, predictions.horizon.candles
    if evaluation is None:
        reason = f"The model has no recorded evaluation of {predictions.feed.interval} candles: `coinfarm evaluate --record` makes one."
        return untested(reason, step_ms, horizon)
    if evaluation.live_reference is None:
        reason = "The recorded evaluation is of an earlier release: repeat it with `coinfarm evaluate --record`."
        return untested(reason, step_ms, horizon)
    if not len(outcomes):
        return untested("No prediction can be scored yet.", step_ms, horizon)
    reference = evaluation.live_reference.skill
    multiples = np.array(reference.range_multiples)
    live = skill_history(predictions, predictions.skill(outcomes, multiples), first_ms, now_ms, multiples)
    return skill_test(live, reference, step_ms, horizon, now_ms)


def _period(evaluation: EvaluationRecord) -> EvaluationPeriod:
    return EvaluationPeriod(
        from_date=evaluation.from_date, to_date=evaluation.to_date, symbols=tuple(evaluation.candles), frames=evaluation.frames
    )


def _nothing(store: LiveStore, spec: ScorecardSpec, versions: set[str]) -> str:
    feeds = ", ".join(f"{feed.exchange} {feed.interval}" for feed in store.feeds())
    if not feeds:
        return f"{store.root} has no live predictions yet: `coinfarm watch --store {store.root}` makes them"
    horizon = None if spec.horizon_candles is None else f"the next {spec.horizon_candles} candles"
    wanted = ", ".join(filter(None, (spec.exchange, spec.interval, spec.version, *spec.symbols, horizon)))
    made = f"predictions of {', '.join(sorted(versions))}" if versions else "no predictions"
    return f"{store.root} has no predictions{f' of {wanted}' if wanted else ''}: it has candles of {feeds}, with {made} in these days"
