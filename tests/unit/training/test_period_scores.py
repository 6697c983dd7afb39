import numpy as np
import pytest

from coinfarm.evaluation.baselines import NaiveBaselines, scores_with_baselines
from coinfarm.training.config import DateRange
from coinfarm.training.dataset import WindowDataset, build_dataset
from coinfarm.training.period_scores import period_scores
from tests.support.synthetic_candles import day, hours, minutes

PERIODS = DateRange(start=day(0), stop=day(15)), DateRange(start=day(15), stop=day(30))


def datasets(*series) -> list[WindowDataset]:
    return [build_dataset(series, period, (30,), stride=5) for period in PERIODS]


def test_the_baselines_of_an_interval_are_fitted_on_its_own_windows() -> None:
    train, test = datasets(hours(30), minutes(30 * 1440))
    predicted = test.targets_pct + np.arange(len(test))[:, None] % 3
    found = period_scores(predicted, PERIODS[1], test, train)
    assert (found["from"], found["to"], found["frames"]) == ("2020-01-16", "2020-01-31", len(test))
    assert list(found["intervals"]) == ["1h", "1m"]
    for number, scores in enumerate(found["intervals"].values()):
        part, fit_on = test.series_index == number, train.series_index == number
        naive = NaiveBaselines.fit(train.range_pct[fit_on], train.targets_pct[fit_on])
        assert scores == scores_with_baselines(predicted[part], test.targets_pct[part], test.range_pct[part], naive)


def test_one_interval_has_no_parts() -> None:
    train, test = datasets(hours(30))
    found = period_scores(test.targets_pct, PERIODS[1], test, train)
    assert "intervals" not in found
    assert found["model"]["maxRisePct"]["r2"] == pytest.approx(1.0)
