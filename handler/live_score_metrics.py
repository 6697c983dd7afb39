"""The scorecard's metrics in CloudWatch, once an hour: those of `coinfarm scorecard --days 30`."""

from typing import TYPE_CHECKING

from coinfarm.errors import CoinfarmError, NotFound
from coinfarm.live.live_store import LiveFeed, LiveStore
from coinfarm.scorecard import SERVED_DAYS
from coinfarm.serving.service import Service
from handler.telemetry import count, gauge, logger

if TYPE_CHECKING:
    from coinfarm.scorecard.scorecard_document import LiveScore

HOUR_MS = 3_600_000


def are_due(closed_ms: int) -> bool:
    """Whether scores are recorded after the candle that closed at this time: blocks of the test are days, so an hour is soon enough."""
    return closed_ms % HOUR_MS == 0


def record_scores(store: LiveStore, feed: LiveFeed, service: Service) -> None:
    """Record the scores of the newest version at its first horizon. An error is logged: the predictions are made and published."""
    from coinfarm.scorecard.scorecard import ScorecardSpec, scorecard

    spec = ScorecardSpec(exchange=feed.exchange, interval=feed.interval, days=SERVED_DAYS, is_brief=True)
    try:
        scores = scorecard(store, service.settings.model_uri, spec).scores
    except NotFound as error:
        logger.info("no live scores yet", extra={"reason": str(error)})
    except CoinfarmError as error:
        count("FailedScorecards")
        logger.error("live scores failed", extra={"reason": str(error)})
    else:
        _record(min(scores, key=lambda each: each.horizon_candles))


def _record(score: "LiveScore") -> None:
    logger.info("live scores", extra={"version": score.version, "answer": score.skill.answer, "reason": score.skill.reason})
    gauge("WorseThanEvaluated", score.skill.answer == "worse than evaluated")
    gauge("ScoredPredictions", score.counts.scored)
    gauge("LiveSkill", score.skill.mean)
    gauge("EvaluatedSkill", score.skill.evaluated_mean)
    if score.together is None:
        return
    for name, scores in (("Live", score.together.live), ("Evaluated", score.together.evaluated)):
        if scores is not None:
            gauge(f"{name}DirectionPct", scores.direction.right_pct)
            for output, of_output in scores.outputs.items():
                gauge(f"{name}R2{output[0].upper()}{output[1:].removesuffix('Pct')}", of_output.r2)
