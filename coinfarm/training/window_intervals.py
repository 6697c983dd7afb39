"""The intervals of a dataset's windows, in which networks that learn several at once are calibrated and scored."""

import numpy as np
from numpy.typing import NDArray

from coinfarm.training.dataset import WindowDataset


def interval_names(dataset: WindowDataset) -> tuple[str, ...]:
    """The intervals that the dataset has windows of, each once, in the order of its series."""
    return tuple(dict.fromkeys(dataset.intervals[number] for number in np.unique(dataset.series_index)))


def windows_of(dataset: WindowDataset, interval: str) -> NDArray[np.bool_]:
    """Which windows `(n,)` are of the interval."""
    return np.array([name == interval for name in dataset.intervals])[dataset.series_index]
