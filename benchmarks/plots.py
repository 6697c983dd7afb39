"""Throughput by batch size, the cost of a million frames, and throughput by multiply-adds.

To draw them again from results.json: python -m benchmarks.plots.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import costs
from benchmarks.bundle_comparison import FIRST_RELEASE, REFERENCE
from benchmarks.performance_page import RESULTS
from benchmarks.point_labels import place_labels
from coinfarm.backfill import prices

Results = dict[str, Any]
_MARKS = {REFERENCE: ("tab:red", "the reference model"), FIRST_RELEASE: ("tab:green", f"the reference model of {FIRST_RELEASE}")}


def write_plots(results: Results, folder: Path = RESULTS.parent) -> None:
    """Write the three plots as PNG files."""
    plot_throughput(results["framesPerSecond"], folder / "throughput.png")
    figures = results["comparison"]["figures"]
    plot_costs(figures["parquetFramesPerSecond"], results["machine"]["cores"], folder / "costs.png")
    plot_multiply_adds(results["networks"], results["comparison"], folder / "multiply-adds.png")


def plot_throughput(networks: dict[str, list[Results]], path: Path) -> None:
    """One panel per network, one line per engine."""
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(1, len(networks), figsize=(11, 4.5), sharey=True, layout="constrained")
    for panel, (network, engines) in zip(panels, networks.items(), strict=True):
        for engine in engines:
            by_batch = engine["framesPerSecondByBatch"]
            panel.plot([int(batch) for batch in by_batch], list(by_batch.values()), marker="o", label=engine["engine"])
        panel.set(title=network, xscale="log", yscale="log", xlabel="frames in a batch")
        panel.set_xticks([1, 10, 100], labels=["1", "10", "100"])
        panel.grid(alpha=0.3, which="both")
        panel.legend(fontsize=8)
    panels[0].set_ylabel("frames per second")
    figure.savefig(path)
    plt.close(figure)


def plot_costs(frames_per_s: dict[str, float], cores: int, path: Path) -> None:
    """Lambda at the measured speeds, by model, and GPU instances, which were not measured, at any speed."""
    import matplotlib.pyplot as plt

    figure, panel = plt.subplots(figsize=(8, 4.5), layout="constrained")
    speed = np.geomspace(100, 100_000, 50)
    for name, usd_per_h in prices.INSTANCE_USD_PER_H.items():
        for kind, share in {"on demand": 1.0, "spot": prices.SPOT_PRICE_RATIO}.items():
            panel.plot(speed, costs.instance_usd_per_million(speed, usd_per_h * share), label=f"{name}, {kind}", alpha=0.8)  # type: ignore[arg-type]
    for model, (color, title) in _MARKS.items():
        usd = costs.lambda_usd_per_million(frames_per_s[model], cores)
        label = f"Lambda, {title}: {frames_per_s[model]:,.0f} frames/s, ${usd:.4f}"
        panel.plot(frames_per_s[model], usd, "*", color=color, markeredgecolor="black", markersize=14, label=label)
    panel.set(
        xscale="log",
        yscale="log",
        xlabel="frames per second",
        ylabel="dollars per million frames",
        title=f"Cost of a million frames (list prices, {prices.PRICES_DATE})",
    )
    panel.grid(alpha=0.3, which="both")
    panel.legend(fontsize=8)
    figure.savefig(path)
    plt.close(figure)


def plot_multiply_adds(networks: list[Results], comparison: Results, path: Path) -> None:
    """Frames per second against multiply-adds: the candidates, and the two reference models in their published forms."""
    import matplotlib.pyplot as plt

    figure, panel = plt.subplots(figsize=(9, 5.5), layout="constrained")
    points = [(each["multiply_adds"] / 1e6, each["framesPerSecond"], each["candidate"]) for each in networks]
    for engine in dict.fromkeys(each["engine"] for each in networks):
        of_engine = [point for point, each in zip(points, networks, strict=True) if each["engine"] == engine]
        panel.plot([x for x, _, _ in of_engine], [y for _, y, _ in of_engine], "o", label=f"candidates of coinfarm compare, {engine}")
    for model, (color, title) in _MARKS.items():
        published = comparison["models"][model]
        x, y = published["multiplyAdds"] / 1e6, comparison["figures"]["engineFramesPerSecond"][model]
        panel.plot(x, y, "*", color=color, markeredgecolor="black", markersize=16, label=f"{title}, {published['engine']}")
        points.append((x, y, ""))
    panel.set(
        xscale="log",
        yscale="log",
        xlabel="multiply-adds of a frame, million",
        ylabel="frames per second",
        title="Throughput and multiply-adds of networks",
    )
    for axis, values in ((panel.xaxis, [x for x, _, _ in points]), (panel.yaxis, [y for _, y, _ in points])):
        _label_decades(axis, min(values), max(values))
    panel.grid(alpha=0.3, which="both")
    panel.margins(0.12)
    panel.legend(fontsize=8, loc="upper right")
    place_labels(figure, panel, points)
    figure.savefig(path, dpi=120)
    plt.close(figure)


def _label_decades(axis: Any, smallest: float, largest: float) -> None:
    """Ticks at 1, 2 and 5 times the powers of ten, as plain numbers."""
    ticks = [step * 10.0**power for power in range(-1, 7) for step in (1, 2, 5)]
    axis.set_ticks([tick for tick in ticks if smallest / 2.5 <= tick <= largest * 2.5], minor=False)
    axis.set_major_formatter(lambda value, _: f"{value:,g}" if value < 1000 else f"{value:,.0f}")
    axis.set_ticks([], minor=True)


if __name__ == "__main__":
    write_plots(json.loads(RESULTS.read_text()))
