"""The findings of a scorecard in words."""

from coinfarm.reports.formatting import coins_text, minute_text, plural_text
from coinfarm.scorecard.scorecard_document import LiveCounts, LiveScore


def headline(score: LiveScore) -> str:
    """The answer, and what it is about."""
    coins = coins_text(tuple(score.by_symbol), score.interval) if score.by_symbol else score.interval
    return f"{score.skill.answer.capitalize()}: {score.version} on {score.exchange}, {coins}, the next {score.horizon_candles} candles."


def reasons(score: LiveScore) -> list[str]:
    """The reason of the answer, the period, and which predictions were not scored."""
    found = [score.skill.reason, *_period(score), *_excluded(score.counts)]
    if score.next_outcome_ms is not None and score.together is None:
        found.append(f"The first outcome is known at {minute_text(score.next_outcome_ms)} UTC.")
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
    reasons = {
        "wait for their outcome": counts.pending,
        "lack candles in the store, in their window or horizon": counts.missing_candles,
        "are in sample": counts.in_sample,
        "are at a gap of the exchange": counts.across_gaps,
    }
    named = [f"{count:,} {reason}" for reason, count in reasons.items() if count]
    found = [f"Not scored: {'; '.join(named)}."] if named else []
    if counts.in_sample_unknown:
        found.append("The training data of the model is unknown: some of these predictions may be in sample.")
    if counts.corrected_candles:
        found.append(f"{plural_text(counts.corrected_candles, 'candle')} were corrected by the exchange after their prediction.")
    return found
