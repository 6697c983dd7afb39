"""The findings of a scorecard in words."""

from coinfarm.reports.formatting import coins_text, minute_text, percent_text, plural_text
from coinfarm.scorecard.scorecard_document import LiveCounts, LiveScore, PaperProfit


def subject(score: LiveScore) -> str:
    """What is scored: `20260101-0a1b2c3d on binance, BTCUSDT, ETHUSDT 1m, the next 30 candles`."""
    coins = coins_text(tuple(score.by_symbol), score.interval)
    return f"{score.version} on {score.exchange}, {coins}, the next {score.horizon_candles} candles"


def headline(score: LiveScore) -> str:
    """The answer, and what it is about."""
    return f"{score.skill.answer.capitalize()}: {subject(score)}."


def reasons(score: LiveScore) -> list[str]:
    """The reason of the answer, the period, and which predictions were not scored."""
    found = [score.skill.reason, *_period(score), *_excluded(score.counts)]
    if score.next_outcome_ms is not None and score.together is None:
        found.append(f"The first outcome is known at {minute_text(score.next_outcome_ms)} UTC.")
    return found


def paper_reasons(paper: PaperProfit) -> list[str]:
    """What was traded on paper, and what came of it."""
    sources = {
        "strategy": "its own",
        "evaluation": "those that were chosen in the evaluation",
        "live": "chosen on the first part of the live days",
    }
    thresholds = "a rule decides" if paper.thresholds is None else f"thresholds: {sources[paper.chosen_on]}"
    found = [
        f"The strategy {paper.strategy} ({thresholds}) on paper: {paper.conclusion}, with "
        f"{percent_text(paper.live.return_pct)} of the capital after {plural_text(paper.live.trades, 'trade')}.",
    ]
    if paper.late:
        found.append(
            f"{plural_text(paper.late, 'prediction')} came too late to be traded: more than a minute after the close, or a candle."
        )
    return found


def _period(score: LiveScore) -> list[str]:
    if score.first_close_ms is None or score.last_close_ms is None:
        return []
    live = f"{score.counts.scored:,} of {score.counts.predictions:,} predictions are scored"
    live += f", from {minute_text(score.first_close_ms)} to {minute_text(score.last_close_ms)} UTC"
    if score.evaluation is None:
        return [f"{live}."]
    evaluation = score.evaluation
    coins = coins_text(evaluation.symbols, score.interval)
    return [f"{live}; evaluated were {evaluation.frames:,} of {coins} from {evaluation.from_date} up to {evaluation.to_date}."]


def _excluded(counts: LiveCounts) -> list[str]:
    """One sentence with the predictions that are not scored, by reason; none if all are."""
    reasons = [
        (counts.pending, "waits for its outcome", "wait for their outcome"),
        (
            counts.missing_candles,
            "lacks candles in the store, in its window or horizon",
            "lack candles in the store, in their window or horizon",
        ),
        (counts.in_sample, "is in sample", "are in sample"),
        (counts.across_gaps, "is at a gap of the exchange", "are at a gap of the exchange"),
    ]
    named = [f"{count:,} {one if count == 1 else several}" for count, one, several in reasons if count]
    found = [f"Not scored: {'; '.join(named)}."] if named else []
    if counts.in_sample_unknown:
        found.append("The training data of the model is unknown: some of these predictions may be in sample.")
    if counts.corrected_candles:
        were = "was" if counts.corrected_candles == 1 else "were"
        found.append(f"{plural_text(counts.corrected_candles, 'candle')} {were} corrected by the exchange after the prediction.")
    return found
