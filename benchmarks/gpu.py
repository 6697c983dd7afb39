"""`make bench-gpu`: the speed of rendering and prediction on a GPU by batch size, and the parity to float32 Keras.

It needs Keras with JAX or with a TensorFlow for GPUs, but no OpenVINO.
"""

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.candles import bench_candles
from benchmarks.reference import reference_bundle
from benchmarks.timing import median_s
from coinfarm.candles.candles import Candles
from coinfarm.candles.files import parse_candles
from coinfarm.candles.gaps import fill_gaps
from coinfarm.compilation.parity import Outputs, parity, passes
from coinfarm.engines.backends import select_gpu_backend
from coinfarm.engines.gpu_detection import has_gpu
from coinfarm.engines.keras_files import load_networks
from coinfarm.engines.keras_gpu import KerasGpuEngine
from coinfarm.models.bundle import Bundle
from coinfarm.prediction.model_manager import LoadedModel
from coinfarm.prediction.predictor import Predictor
from coinfarm.prediction.series import Series
from image_render.render import Frames, render_frames
from image_render.rows import Rows, pack_rows
from image_render.spec import STANDARD
from image_render.windows import Columns, windows

_HERE = Path(__file__).parent
_BATCHES = (1, 16, 256, 1024, 4096)
_SERIES_FRAMES = {"gpu": 200_000, "cpu": 500}
_PARITY_FRAMES = {"gpu": 2_000, "cpu": 200}
_REFERENCE_BATCH = 100


def main() -> int:
    """Measure, print the results, and write gpu.json to this folder."""
    arguments = _arguments()
    if arguments.device == "gpu" and (not has_gpu() or select_gpu_backend() is None):
        print(
            "No GPU is available to JAX or TensorFlow: nothing was measured. On a machine with one, "
            "pip install '.[gpu]' and run this again; use --device cpu to test on the CPU."
        )
        return 0
    if arguments.device == "cpu":
        os.environ.setdefault("KERAS_BACKEND", "jax")
    candles, source = _candles(arguments.candles, _SERIES_FRAMES[arguments.device] + STANDARD.window_candles - 1)
    bundle = reference_bundle()

    started = time.perf_counter()
    engine = KerasGpuEngine(bundle, arguments.device)
    machine = {
        "date": datetime.now(UTC).date().isoformat(),
        "engine": engine.name,
        "device": engine.description,
        "processorCores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "candles": source,
        "model": bundle.manifest.version,
        "loadSeconds": round(time.perf_counter() - started, 1),
        "batchFoundAtWarmUp": engine.batch_frames,
    }
    print("\n".join(f"{name}: {value}" for name, value in machine.items()), flush=True)

    sample = _spread(windows(candles.columns), _PARITY_FRAMES[arguments.device])
    names = [output.name for output in bundle.manifest.outputs]
    measured = parity(names, float32_keras(bundle, render_frames(sample)), engine.start_rows(pack_rows(sample))())
    print(f"Parity to float32 Keras on the CPU, {len(sample.close):,} frames, rendered by image_render:")
    for name, output in measured.items():
        rms_pct = 100 * output.rms_difference_share
        print(f"  {name:<14} correlation {output.correlation:.6f}, rms difference {rms_pct:.2f} % of the standard deviation")
    print(f"  parity check: {'passed' if passes(measured) else 'FAILED'}", flush=True)

    by_batch = {batch: _frames_per_s(engine, pack_rows(sample), batch) for batch in _BATCHES if batch <= engine.batch_frames}
    for batch, frames_per_s in by_batch.items():
        print(f"Frames/s in batches of {batch:>5}, rows to outputs: {frames_per_s:>10,.0f}", flush=True)
    total_per_s = _candles_to_predictions_per_s(bundle, engine, candles)
    print(f"Frames/s, candles to predictions: {total_per_s:,.0f}; 3.15 million frames in {3.15e6 / total_per_s:,.0f} s")

    results = {
        "machine": machine,
        "parity": {name: output.model_dump(by_alias=True) for name, output in measured.items()},
        "parityFrames": len(sample.close),
        "passes": passes(measured),
        "framesPerSecondByBatch": by_batch,
        "candlesToPredictionsFramesPerSecond": total_per_s,
    }
    arguments.json.write_text(json.dumps(results, indent=2) + "\n")
    print(f"Written: {arguments.json}")
    return 0


def float32_keras(bundle: Bundle, frames: Frames) -> Outputs:
    """The outputs `(N, outputs)` of Keras for frames `(N, 200, 150, 3)`, on the CPU, where float32 is not rounded to TF32."""
    import keras

    with keras.device("cpu:0"):
        networks = load_networks(bundle)
        parts = [frames[at : at + _REFERENCE_BATCH].astype(np.float32) for at in range(0, len(frames), _REFERENCE_BATCH)]
        return np.concatenate([_outputs(networks, part) for part in parts])


def _outputs(networks: list[Any], frames: Any) -> Outputs:
    import keras

    heads = [head for network in networks for head in keras.tree.flatten(network(frames, training=False))]
    return np.concatenate([np.asarray(head).reshape(len(frames), -1) for head in heads], axis=1)


def _frames_per_s(engine: KerasGpuEngine, rows: Rows, batch: int) -> float:
    """Frames per second, with one batch sent while the previous one is processed, like the predictor."""
    resized = np.resize(rows, (batch, *rows.shape[1:]))
    pending: Callable[[], Any] = engine.start_rows(resized)

    def run_next() -> None:
        nonlocal pending
        following = engine.start_rows(resized)
        pending()
        pending = following

    seconds = median_s(run_next)
    pending()
    return batch / seconds


def _candles_to_predictions_per_s(bundle: Bundle, engine: KerasGpuEngine, candles: Candles) -> float:
    predictor = Predictor(LoadedModel(bundle, engine, load_ms=0.0), max_batch=1)
    started = time.perf_counter()
    predictions = predictor.predict(Series(candles))
    return len(predictions) / (time.perf_counter() - started)


def _candles(path: Path | None, count: int) -> tuple[Candles, str]:
    if path is None:
        return bench_candles(count)
    return fill_gaps(parse_candles(path.read_bytes(), path.name))[-count:], path.name


def _spread(view: Columns, count: int) -> Columns:
    """`count` windows, evenly spread over all."""
    chosen = np.linspace(0, len(view.close) - 1, count).astype(np.intp)
    return Columns(*(column[chosen] for column in view))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__)
    parser.add_argument("--device", choices=["gpu", "cpu"], default="gpu", help="cpu: only check that it works, slowly")
    parser.add_argument("--candles", type=Path, help="the candles; by default real ones next to the repository, or synthetic ones")
    parser.add_argument("--json", type=Path, default=_HERE / "gpu.json", help="the file for the results")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
