"""Labels of points that must not cover each other."""

from itertools import combinations

import matplotlib
import numpy as np
import pytest

from benchmarks.point_labels import place_labels

matplotlib.use("agg")


@pytest.mark.parametrize("spread", [0.0, 0.02, 1.0])
def test_labels_cover_neither_each_other_nor_points_nor_the_legend(spread: float) -> None:
    import matplotlib.pyplot as plt

    figure, panel = plt.subplots(figsize=(9, 5.5))
    at = 0.5 + spread * (np.random.default_rng(1).random((8, 2)) - 0.5)
    panel.plot(*at.T, "o", label="points")
    panel.set(xlim=(-0.2, 1.2), ylim=(-0.2, 1.2))
    legend = panel.legend(loc="upper right")
    texts = place_labels(figure, panel, [(x, y, f"network {number}") for number, (x, y) in enumerate(at)])
    boxes = [text.get_window_extent() for text in texts]
    assert [text.get_text() for text in texts] == [f"network {number}" for number in range(8)]
    assert not any(one.overlaps(other) for one, other in combinations([*boxes, legend.get_window_extent()], 2))
    assert not any(box.contains(*panel.transData.transform(point)) for box in boxes for point in at)
    assert all(box.x0 >= panel.bbox.x0 and box.x1 <= panel.bbox.x1 for box in boxes)
    plt.close(figure)
