"""Frames a second of every engine, from frames that are drawn already, at batches of one, ten and a hundred."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.plain_keras import predict_plainly
from benchmarks.timing import median_s
from coinfarm.compilation.compile import Compilation, compile_bundle
from coinfarm.compilation.sample import Sample
from coinfarm.engines import Engine, load_engine
from coinfarm.models.bundle import Bundle
from coinfarm.models.manifest import MODEL_FILE
from image_render.draw import Frames, draw_frames
from image_render.windows import Columns

BATCHES = (1, 10, 100)
_MAX_BATCH = 100


@dataclass(frozen=True)
class Speed:
    """One engine: frames a second by batch, how many times plain Keras at a batch of 100, and the worst correlation with Keras."""

    engine: str
    frames_per_s: dict[int, float]
    ratio: float
    worst_correlation: float | None


def compiled(network: Any, name: str, folder: Path, sample: Sample) -> Compilation:
    """A network as a bundle with every compiled form that keeps the parity."""
    source, target = folder / "source", folder / "compiled"
    source.mkdir(parents=True)
    target.mkdir()
    network.save(source / MODEL_FILE)
    return compile_bundle(Bundle.seal(source, name=name), target, sample, max_bytes=None, progress=lambda _: None)


def speeds(bundle: Bundle, network: Any, view: Columns) -> list[Speed]:
    """Plain Keras, drawing included, then every engine that this processor runs; `view` holds 100 windows `(100, 200)`."""
    frames = draw_frames(view)
    plain = len(frames) / median_s(lambda: predict_plainly(network, view), budget_s=4.0)
    found = [Speed("plain Keras", {len(frames): plain}, 1.0, None)]
    forms = {f"openvino-{form.name}": form for form in bundle.manifest.engines.forms}
    for choice in ("keras", *forms):
        engine = load_engine(bundle, choice, _MAX_BATCH)  # type: ignore[arg-type]
        by_batch = {batch: _frames_per_s(engine, frames[:batch]) for batch in BATCHES}
        form = forms.get(choice)
        worst = min(parity.correlation for parity in form.parity.values()) if form else None
        found.append(Speed(choice, by_batch, by_batch[100] / plain, worst))
    return found


def _frames_per_s(engine: Engine, frames: Frames) -> float:
    return len(frames) / median_s(lambda: engine.predict(frames))
