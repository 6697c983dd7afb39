"""The conclusion from what was inferred."""

from dataclasses import replace
from math import inf, nan

import pytest

from coinfarm.backtesting.inference.break_even import BreakEven
from coinfarm.backtesting.inference.edge_inference import EdgeInference, no_inference
from coinfarm.backtesting.inference.verdict import Conclusion, decide_verdict

EARNS = EdgeInference(
    edge_bps=8.0,
    low_bps=3.0,
    high_bps=13.0,
    p_value=0.01,
    loss_p_value=0.99,
    adjusted_p_value=0.01,
    days=92,
    days_with_trades=80,
    effective_trading_days=60.0,
    effective_blocks=40.0,
    block_days=2,
    largest_day_share=0.1,
    losing_days=30,
    detectable_bps=7.0,
    needed_days=70.0,
)
LOSES = replace(EARNS, edge_bps=-8.0, low_bps=-13.0, high_bps=-3.0, p_value=0.99, adjusted_p_value=0.99, loss_p_value=0.01)
WEAK = replace(EARNS, p_value=0.2, adjusted_p_value=0.2, needed_days=300.2)
MAKES, LOST, UNKNOWN = Conclusion.MAKES_MONEY, Conclusion.LOSES_MONEY, Conclusion.INCONCLUSIVE


@pytest.mark.parametrize(
    ("inference", "expected"),
    [
        pytest.param(EARNS, MAKES, id="earns"),
        pytest.param(LOSES, LOST, id="loses"),
        pytest.param(WEAK, UNKNOWN, id="weak"),
        pytest.param(replace(EARNS, adjusted_p_value=0.3), UNKNOWN, id="one of many tries"),
        pytest.param(replace(EARNS, effective_blocks=9.9), UNKNOWN, id="few blocks"),
        pytest.param(replace(LOSES, effective_blocks=9.9), UNKNOWN, id="few blocks with a loss"),
        pytest.param(replace(EARNS, effective_blocks=9.9, adjusted_p_value=0.004), MAKES, id="few blocks, but a clear profit"),
        pytest.param(
            replace(EARNS, effective_trading_days=9.9, effective_blocks=9.9, adjusted_p_value=0.001), UNKNOWN, id="few trading days"
        ),
        pytest.param(replace(EARNS, largest_day_share=0.6), UNKNOWN, id="one lucky day"),
        pytest.param(replace(LOSES, largest_day_share=0.6), UNKNOWN, id="one unlucky day"),
        pytest.param(no_inference(92, 1), UNKNOWN, id="one day"),
    ],
)
def test_concludes_from_significance_and_enough_blocks(inference: EdgeInference, expected: Conclusion) -> None:
    verdict = decide_verdict(BreakEven(30.0, 22.0, 120, 100.0, inference), 3)
    assert verdict.conclusion is expected
    assert verdict.headline.startswith(expected.capitalize())
    assert verdict.reasons


@pytest.mark.parametrize(
    ("inference", "detectable", "days"),
    [
        pytest.param(WEAK, "7.0 bps", "209 more days", id="weak"),
        pytest.param(replace(WEAK, effective_blocks=4.6), "7.0 bps", "209 more days", id="few blocks"),
        pytest.param(replace(WEAK, needed_days=inf), "7.0 bps", "no number of days", id="no edge"),
        pytest.param(no_inference(92, 1), "no edge", "828 more days", id="one day"),
    ],
)
def test_an_unknown_result_says_what_could_have_been_found_and_how_many_days_are_missing(
    inference: EdgeInference, detectable: str, days: str
) -> None:
    reasons = " ".join(decide_verdict(BreakEven(30.0, 22.0, 120, 100.0, inference), 1).reasons)
    assert detectable in reasons
    assert days in reasons


def test_no_trades_give_no_verdict() -> None:
    verdict = decide_verdict(BreakEven(nan, nan, 0, 0.0, no_inference(92, 0)), 1)
    assert verdict.conclusion is UNKNOWN
    assert len(verdict.reasons) == 3


def test_without_trades_says_how_many_orders_were_not_filled() -> None:
    nothing = BreakEven(nan, nan, 0, 0.0, no_inference(92, 0))
    assert "thresholds" in decide_verdict(nothing, 1, 0).reasons[0]
    assert "7 orders" in (text := decide_verdict(nothing, 1, 7).reasons[0])
    assert "market.min_order" in text


def test_blocks_that_need_more_days_than_the_edge_decide() -> None:
    few = replace(WEAK, effective_blocks=2.0, needed_days=100.0)
    assert "368 more days" in decide_verdict(BreakEven(30.0, 22.0, 120, 100.0, few), 1).reasons[-1]


def test_a_leak_is_in_the_headline_and_first_among_the_reasons() -> None:
    verdict = decide_verdict(BreakEven(30.0, 22.0, 120, 100.0, EARNS), 1)
    leaking = verdict.with_warnings(("other",), ("leak",))
    assert leaking.reasons[:2] == ("other", "leak")
    assert "future" in leaking.headline
    assert verdict.with_warnings(("other",), ()).headline == verdict.headline


def test_profits_without_a_losing_day_leave_the_size_of_a_loss_open() -> None:
    without_losses = decide_verdict(BreakEven(30.0, 22.0, 120, 100.0, replace(EARNS, losing_days=0)), 1)
    with_losses = decide_verdict(BreakEven(30.0, 22.0, 120, 100.0, EARNS), 1)
    assert without_losses.conclusion is MAKES
    (remark,) = set(without_losses.reasons) - set(with_losses.reasons)
    assert "3.8 %" in remark
