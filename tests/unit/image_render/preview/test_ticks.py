import pytest

from image_render.preview.ticks import price_ticks, time_ticks

MINUTE_MS = 60_000
MAY_10_2019_MS = 1_557_446_400_000


@pytest.mark.parametrize(
    ("lowest", "highest", "labels"),
    [
        pytest.param(6_330, 6_437, ["6,340", "6,360", "6,380", "6,400", "6,420"], id="dollars"),
        pytest.param(0.99, 1.01, ["0.990", "0.995", "1.000", "1.005", "1.010"], id="around one"),
        pytest.param(1e-8, 2.7e-8, ["0.000000010", "0.000000015", "0.000000020", "0.000000025"], id="tiny"),
        pytest.param(1.2e6, 9.8e6, ["2,000,000", "4,000,000", "6,000,000", "8,000,000"], id="huge"),
        pytest.param(0, 8, ["0", "1", "2", "3", "4", "5", "6", "7", "8"], id="eight steps"),
        pytest.param(0.5, 8.6, ["2", "4", "6", "8"], id="a little more than eight steps"),
        pytest.param(0, 41, ["0", "10", "20", "30", "40"], id="steps of ten"),
        pytest.param(0.2, 1.5, ["0.2", "0.4", "0.6", "0.8", "1.0", "1.2", "1.4"], id="tenths"),
        pytest.param(8_012.5, 8_012.5, ["8,012.5"], id="no range"),
        pytest.param(1e6, 1e6 + 1e-10, ["1,000,000"], id="one float wide"),
    ],
)
def test_prices_are_round(lowest: float, highest: float, labels: list[str]) -> None:
    prices, found = zip(*price_ticks(lowest, highest), strict=True)
    assert list(found) == labels
    assert prices == pytest.approx([float(label.replace(",", "")) for label in labels], rel=1e-12)


@pytest.mark.parametrize(
    ("interval_minutes", "labels"),
    [
        pytest.param(1, ["23:30", "2019-05-11", "00:30", "01:00", "01:30", "02:00", "02:30"], id="1m"),
        pytest.param(5, ["2019-05-11", "04:00", "08:00", "12:00"], id="5m"),
        pytest.param(60, ["2019-05-12", "2019-05-14", "2019-05-16", "2019-05-18"], id="1h"),
    ],
)
def test_times_are_round_and_midnight_shows_the_date(interval_minutes: int, labels: list[str]) -> None:
    first_ms = MAY_10_2019_MS + (23 * 60 + 15) * MINUTE_MS
    last_ms = first_ms + 199 * interval_minutes * MINUTE_MS
    times, found = zip(*time_ticks(first_ms, last_ms), strict=True)
    assert list(found) == labels
    step_ms = times[1] - times[0]
    assert list(times) == list(range(first_ms - first_ms % -step_ms, last_ms + 1, step_ms))


@pytest.mark.parametrize(("most", "count"), [(1, 2), (2, 3), (10, 11)])
def test_there_are_most_steps_or_fewer(most: int, count: int) -> None:
    assert len(price_ticks(0, 10, most)) == count
    assert len(time_ticks(0, most * 15 * MINUTE_MS, most)) == most + 1
    assert len(time_ticks(0, most * 15 * MINUTE_MS + 1, most)) == most // 2 + 1


def test_the_longest_step_is_a_year() -> None:
    year_ms = 365 * 1_440 * MINUTE_MS
    assert [time for time, _ in time_ticks(1, 20 * year_ms)] == [year * year_ms for year in range(1, 21)]


@pytest.mark.parametrize("interval_minutes", [1, 3, 5, 15, 30, 60, 120, 240, 360, 480, 720, 1_440])
def test_a_window_of_any_interval_has_a_few_times(interval_minutes: int) -> None:
    ticks = time_ticks(MAY_10_2019_MS, MAY_10_2019_MS + 199 * interval_minutes * MINUTE_MS)
    assert 2 <= len(ticks) <= 9
