"""The benchmark of training."""

import pytest

from benchmarks.training import TrainingSpeed, training_speeds, training_table
from tests.support.table_text import assert_fits


def test_table_compares_with_the_first_speed() -> None:
    table = training_table([TrainingSpeed("0.1.0", 200.0, 5.0), TrainingSpeed("now", 700.0, 1.25)])
    text = assert_fits(table)
    assert "3.50" in text
    assert "4.00" in text


@pytest.mark.tensorflow
def test_measures_both_networks() -> None:
    old, now = training_speeds(steps=1, rounds=1, batch_size=4)
    assert old.name == "0.1.0"
    assert min(old.frames_per_s, now.frames_per_s, old.cpu_ms_per_frame, now.cpu_ms_per_frame) > 0
