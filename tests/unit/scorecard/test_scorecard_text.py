from coinfarm.models.live_reference import TradeFigures
from coinfarm.scorecard.scorecard_document import LiveCounts, PaperProfit, Scorecard
from coinfarm.scorecard.scorecard_text import headline, paper_reasons, reasons


def test_names_the_predictions_that_are_not_scored(card: Scorecard) -> None:
    counts = LiveCounts(
        predictions=9_000, scored=8_000, pending=500, in_sample=300, missing_candles=200, in_sample_unknown=1, corrected_candles=1
    )
    text = " ".join(reasons(card.scores[0].model_copy(update={"counts": counts})))
    for count in ("8,000 of 9,000", "500 ", "300 ", "200 ", "1 candle was corrected", "training data of the model is unknown"):
        assert count in text
    assert "at a gap" not in text


def test_says_when_the_first_outcome_is_known(card: Scorecard) -> None:
    empty = {"together": None, "by_symbol": {}, "first_close_ms": None, "last_close_ms": None, "next_outcome_ms": 1_577_836_800_000}
    score = card.scores[0].model_copy(update=empty)
    assert "2020-01-01 00:00 UTC" in reasons(score)[-1]
    assert headline(score).endswith("15m, the next 30 candles.")


def test_says_where_the_thresholds_are_from_and_what_was_too_late() -> None:
    paper = PaperProfit(
        strategy="mine",
        thresholds=(0.1, 1.0),
        chosen_on="live",
        in_time=10,
        late=1_234,
        conclusion="does not make money",
        live=TradeFigures(days=5, trades=1, return_pct=-1.0),
        evaluated=None,
        baselines=(),
        equity=(),
    )
    first, late = paper_reasons(paper)
    assert "first part of the live days" in first
    assert "−1.0 %" in first
    assert "1,234 predictions" in late
    assert "a rule decides" in paper_reasons(paper.model_copy(update={"thresholds": None, "late": 0}))[0]
