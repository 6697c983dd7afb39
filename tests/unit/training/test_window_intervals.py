from coinfarm.training.config import DateRange
from coinfarm.training.dataset import build_dataset
from coinfarm.training.window_intervals import interval_names, windows_of
from tests.support.synthetic_candles import day, hours, minutes


def test_series_of_one_interval_belong_together() -> None:
    """The series of two hours has no window."""
    series = [hours(11, symbol="DEMO1"), minutes(240), hours(12, symbol="DEMO2"), minutes(120)]
    dataset = build_dataset(series, DateRange(start=day(0), stop=day(20)), (30,))
    assert interval_names(dataset) == ("1h", "1m")
    assert set(dataset.series_index[windows_of(dataset, "1h")]) == {0, 2}
    assert set(dataset.series_index[windows_of(dataset, "1m")]) == {1}
    assert not windows_of(dataset, "5m").any()
