import pytest

from coinfarm.errors import ModelError
from coinfarm.models.output_names import check_order, outputs_by_name, parse_outputs, recognised_output
from coinfarm.outputs import OUTPUT_NAMES

RISE, DECLINE, END = OUTPUT_NAMES


@pytest.mark.parametrize(
    ("name", "output"),
    [
        *((name, RISE) for name in ("rise", "max_rise", "maxRisePct", "max_rise_pct", "Upside", "head_high", "dense_rise")),
        *((name, DECLINE) for name in ("decline", "maxDeclinePct", "max_decline", "drawdown", "low", "DOWN")),
        *((name, END) for name in ("end", "endChangePct", "end_change_pct", "final_close")),
        *((name, None) for name in ("dense_7", "output_1", "change", "rise_and_decline", "", "friend", "uprising")),
    ],
)
def test_recognises_what_people_call_the_outputs(name: str, output: str | None) -> None:
    assert recognised_output(name) == output


def test_outputs_have_the_order_of_their_names() -> None:
    assert outputs_by_name(("decline", "end", "rise"), "model.keras") == (DECLINE, END, RISE)
    assert outputs_by_name(None, "model.keras") == OUTPUT_NAMES


@pytest.mark.parametrize("names", [("a", "b", "c"), ("rise", "decline", "dense"), ("rise", "max_rise", "end")])
def test_names_that_leave_it_open_are_an_error(names: tuple[str, ...]) -> None:
    with pytest.raises(ModelError, match=r"my\.keras.*--outputs"):
        outputs_by_name(names, "my.keras")


def test_parses_the_option() -> None:
    assert parse_outputs("rise, -decline,end") == ((RISE, None), (DECLINE, -1.0), (END, None))


@pytest.mark.parametrize("text", ["", "rise,rise,end", "rise,fall,sideways", "a"])
def test_rejects_an_option_with_unknown_or_repeated_names(text: str) -> None:
    with pytest.raises(ModelError, match="rise,decline,end"):
        parse_outputs(text)


def test_an_option_that_contradicts_the_names_is_an_error() -> None:
    sorted_by_keras = ("decline", "end", "rise")
    check_order(parse_outputs("-decline,end,rise"), sorted_by_keras, "model.keras")
    check_order(parse_outputs("rise,decline,end"), ("a", "b", "c"), "model.keras")
    check_order(parse_outputs("rise,decline,end"), None, "model.keras")
    with pytest.raises(ModelError, match="decline, end, rise"):
        check_order(parse_outputs("rise,decline,end"), sorted_by_keras, "model.keras")
