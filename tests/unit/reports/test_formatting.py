import pytest

from coinfarm.reports.formatting import bounds_text, coins_text, number_text, percent_text, plural_text, score_text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (score_text(-0.25), "−0.250"),
        (score_text(-0.0001), "0.000"),
        (score_text(None), "–"),
        (bounds_text((-1.0, 2.0), 1), "[−1.0, 2.0]"),
        (bounds_text(None), ""),
        (percent_text(53.32, (52.5, 54.1)), "53.3 % [52.5, 54.1]"),
        (percent_text(None, (52.5, 54.1)), "–"),
        (number_text(-1234.56), "-1,234.6"),
        (number_text(float("nan")), "–"),
        (number_text(2e9), "2.0e+09"),
        (coins_text(("BTCUSDT", "ETHUSDT"), "1h"), "BTCUSDT, ETHUSDT 1h"),
        (coins_text(("BTCUSDT",), None), "BTCUSDT"),
        (coins_text([str(at) for at in range(15)], "1m"), "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 3 others 1m"),
        (plural_text(1, "day"), "1 day"),
        (plural_text(1234, "day"), "1,234 days"),
    ],
)
def test_numbers(text, expected):
    assert text == expected
