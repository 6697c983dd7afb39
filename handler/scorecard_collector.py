"""The live scorecard as Prometheus metrics: how well the stored predictions came true, beside the model's evaluation."""

import logging
import threading
import time
from collections.abc import Iterator
from typing import get_args

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from coinfarm.errors import CoinfarmError
from coinfarm.live.live_store import LiveStore
from coinfarm.scorecard import SERVED_DAYS
from coinfarm.scorecard.scorecard import ScorecardSpec, scorecard
from coinfarm.scorecard.scorecard_document import Answer, Comparison, LiveScore, Scorecard, Scores

logger = logging.getLogger(__name__)

_KEPT_S = 300
_SPEC = ScorecardSpec(days=SERVED_DAYS)
_SERIES = ["exchange", "interval", "version", "horizon"]
_TOGETHER = "all"
"""The label of all symbols together."""
_SCORED = ("r2", "rank_correlation", "coverage_pct")


class LiveScoreCollector(Collector):
    """The scores of one store. A scrape never waits for them: they are computed in the background, at most every five minutes."""

    def __init__(self, store: LiveStore, model_uri: str) -> None:
        self._store = store
        self._model_uri = model_uri
        self._lock = threading.Lock()
        self._started_at: float | None = None
        self._card: Scorecard | None = None
        self._computing: threading.Thread | None = None

    def collect(self) -> Iterator[GaugeMetricFamily]:
        self._refresh()
        card = self._card
        return iter(()) if card is None else score_metrics(card)

    def wait(self) -> None:
        """Wait for the scores that are being computed."""
        if self._computing is not None:
            self._computing.join()

    def _refresh(self) -> None:
        with self._lock:
            is_due = self._started_at is None or time.monotonic() - self._started_at >= _KEPT_S
            if is_due and (self._computing is None or not self._computing.is_alive()):
                self._started_at = time.monotonic()
                self._computing = threading.Thread(target=self._compute, name="live score", daemon=True)
                self._computing.start()

    def _compute(self) -> None:
        try:
            self._card = scorecard(self._store, self._model_uri, _SPEC)
        except CoinfarmError as error:  # there may be no predictions yet
            logger.warning("there is no live score: %s", error)
        except Exception:
            logger.exception("the live score could not be computed")


def score_metrics(card: Scorecard) -> Iterator[GaugeMetricFamily]:
    """The metrics of a scorecard."""
    labels = [*_SERIES, "symbol", "output", "score"]
    live = GaugeMetricFamily("coinfarm_live_score", "A score of the live predictions.", labels=labels)
    evaluated = GaugeMetricFamily("coinfarm_evaluated_score", "The same score in the model's recorded evaluation.", labels=labels)
    answer = GaugeMetricFamily(
        "coinfarm_live_answer", "1 for the answer of the sequential test, 0 for the others.", labels=[*_SERIES, "answer"]
    )
    predictions = GaugeMetricFamily("coinfarm_live_predictions", "Stored predictions, by what became of them.", labels=[*_SERIES, "state"])
    as_of = GaugeMetricFamily("coinfarm_live_scored_timestamp_seconds", "When the scores were computed.", card.as_of.timestamp())
    for score in card.scores:
        series = [score.exchange, score.interval, score.version, str(score.horizon_candles)]
        for each in get_args(Answer):
            answer.add_metric([*series, each], float(score.skill.answer == each))
        for state, count in score.counts:
            if state != "predictions":
                predictions.add_metric([*series, state], count)
        for symbol, comparison in _comparisons(score):
            for family, scores in ((live, comparison.live), (evaluated, comparison.evaluated)):
                for output, name, value in _values(scores):
                    family.add_metric([*series, symbol, output, name], value)
    return iter((live, evaluated, answer, predictions, as_of))


def _comparisons(score: LiveScore) -> Iterator[tuple[str, Comparison]]:
    if score.together is not None:
        yield _TOGETHER, score.together
    yield from score.by_symbol.items()


def _values(scores: Scores | None) -> Iterator[tuple[str, str, float]]:
    """Output, name and value of each score that is known."""
    if scores is None:
        return
    for output, found in scores.outputs.items():
        for name in _SCORED:
            value = getattr(found, name)
            if value is not None:
                yield output, name, value
    if scores.direction.right_pct is not None:
        yield "endChangePct", "direction_accuracy_pct", scores.direction.right_pct
