"""The scores of a trained network on one period, overall and by interval, as they are stored in a manifest's metrics."""

from coinfarm.candles.arrays import Values
from coinfarm.evaluation.baselines import NaiveBaselines, scores_with_baselines
from coinfarm.evaluation.metrics import Metrics
from coinfarm.training.config import DateRange
from coinfarm.training.dataset import WindowDataset
from coinfarm.training.window_intervals import interval_names, windows_of


def period_scores(predicted_pct: Values, period: DateRange, dataset: WindowDataset, train: WindowDataset) -> Metrics:
    """The scores of predictions `(n, outputs)` for the period's windows, beside baselines that are fitted on the training windows.

    With several intervals there are also those of each that has training windows, beside baselines that are fitted on these.
    """
    naive = NaiveBaselines.fit(train.range_pct, train.targets_pct)
    scores = {
        "from": str(period.start),
        "to": str(period.stop),
        **scores_with_baselines(predicted_pct, dataset.targets_pct, dataset.range_pct, naive, dataset.output_names),
    }
    names = [name for name in interval_names(dataset) if name in interval_names(train)]
    by_interval = {name: _interval_scores(name, predicted_pct, dataset, train) for name in names}
    return scores | {"intervals": by_interval} if len(interval_names(dataset)) > 1 else scores


def _interval_scores(name: str, predicted_pct: Values, dataset: WindowDataset, train: WindowDataset) -> Metrics:
    here, fit_on = windows_of(dataset, name), windows_of(train, name)
    naive = NaiveBaselines.fit(train.range_pct[fit_on], train.targets_pct[fit_on])
    return scores_with_baselines(predicted_pct[here], dataset.targets_pct[here], dataset.range_pct[here], naive, dataset.output_names)
