"""Two plots: throughput by batch size, and the cost of a million frames."""

from pathlib import Path

import numpy as np

from benchmarks import costs
from benchmarks.engines import Speed
from coinfarm.backfill import prices


def plot_throughput(speeds: dict[str, list[Speed]], path: Path) -> None:
    """One panel per network, one line per engine."""
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(1, len(speeds), figsize=(11, 4.5), sharey=True, layout="constrained")
    for panel, (network, engines) in zip(panels, speeds.items(), strict=True):
        for speed in engines:
            panel.plot(list(speed.frames_per_s), list(speed.frames_per_s.values()), marker="o", label=speed.engine)
        panel.set(title=network, xscale="log", yscale="log", xlabel="frames in a batch")
        panel.set_xticks([1, 10, 100], labels=["1", "10", "100"])
        panel.grid(alpha=0.3, which="both")
        panel.legend(fontsize=8)
    panels[0].set_ylabel("frames per second")
    figure.savefig(path)
    plt.close(figure)


def plot_costs(frames_per_s: float, cores: int, path: Path) -> None:
    """Lambda at the measured speed, and GPU instances, which were not measured, at any speed."""
    import matplotlib.pyplot as plt

    figure, panel = plt.subplots(figsize=(8, 4.5), layout="constrained")
    speed = np.geomspace(100, 100_000, 50)
    for name, usd_per_h in prices.INSTANCE_USD_PER_H.items():
        for kind, share in {"on demand": 1.0, "spot": prices.SPOT_PRICE_RATIO}.items():
            panel.plot(speed, costs.instance_usd_per_million(speed, usd_per_h * share), label=f"{name}, {kind}", alpha=0.8)  # type: ignore[arg-type]
    usd = costs.lambda_usd_per_million(frames_per_s, cores)
    panel.plot(frames_per_s, usd, "k*", markersize=14, label=f"Lambda, measured: {frames_per_s:,.0f} frames/s, ${usd:.4f}")
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
