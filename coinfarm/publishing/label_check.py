"""Compares the predictions of a model with what happened, before it is published, and names the likely cause if they do not fit."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from coinfarm.engines.engine import Engine
from coinfarm.errors import ModelError
from coinfarm.models.bundle import Bundle
from coinfarm.models.manifest import Output
from coinfarm.outputs import OUTPUT_NAMES, OUTPUT_TITLES
from coinfarm.prediction.frame_batch import in_percent
from coinfarm.publishing.labelled_frames import LabelledFrames
from coinfarm.publishing.readings import Reading, correlations, readings, skill

if TYPE_CHECKING:
    from coinfarm.candles.arrays import Values

_MIN_FRAMES = 200
_MIN_GAIN = 0.05
"""How much better another reading must fit before it counts as the cause."""
_TIE = 0.02
"""Within which two readings fit equally well: rises and declines resemble each other."""
_GOOD_SKILL = 0.05
"""Of a model whose inputs need not be doubted."""
_PROBED_FRAMES = 300
_UNRELATED = (
    "its predictions have no visible relation to what happened: it may be untrained, trained on other candles or on frames that were drawn "
    "in another way (--pixels, --layout), or its outputs mean something else (--outputs, --unit)"
)
_CONSTANT = (
    "it predicts the same for every frame: training may have failed (a learning rate too high leaves units that are always 0), or it "
    "needs other inputs (--pixels, --layout)"
)
_PIXELS = ((0.0, 255.0), (-1.0, 1.0), (0.0, 1 / 255), (1.0, 0.0))
_LAYOUTS = (("candles", "-rows", "channels"), ("-candles", "rows", "channels"), ("candles", "rows", "-channels"))


@dataclass(frozen=True)
class OutputFit:
    """How an output fits what happened; `r2` is beside the best constant, 0 for one that is no better."""

    correlation: float
    r2: float


@dataclass(frozen=True)
class LabelCheck:
    """`fits` is by output. `mismatch` says what the predictions seem to be instead, and with which options to publish; None if they fit.

    `warning` is for a model that has no visible relation to what happened, which a mistake may have caused or not.
    """

    frames: int
    fits: dict[str, OutputFit]
    mismatch: str | None = None
    warning: str | None = None

    def summary(self) -> str:
        """One line for people."""
        parts = (f"{OUTPUT_TITLES[name]} {fit.correlation:+.2f} (R² {fit.r2:+.2f})" for name, fit in self.fits.items())
        return f"Correlation with what happened after {self.frames:,} frames: {', '.join(parts)}."


def check_labels(bundle: Bundle, engine: Engine, labelled: LabelledFrames, load_engine: Callable[[Bundle], Engine]) -> LabelCheck | None:
    """Compare the predictions of a model for labelled frames with what happened; None for too few frames to say anything.

    Only the outputs of the first horizon are compared. `load_engine` loads the network with other inputs, if these may be wrong.
    Raises `ModelError` for predictions that are not finite.
    """
    if len(labelled) < _MIN_FRAMES:
        return None
    raw = engine.predict(labelled.frames)
    if not np.isfinite(raw).all():
        raise ModelError(f"model {bundle.manifest.version} predicts NaN or infinity: train it again with a lower learning rate")
    columns = [at for at, output in enumerate(bundle.manifest.outputs) if output.name in OUTPUT_NAMES]
    declared = tuple(bundle.manifest.outputs[at] for at in columns)
    raw = raw[:, columns]
    predicted = in_percent(raw, declared, labelled.range_pct)
    own_skill = skill(predicted, labelled.targets_pct)
    found = LabelCheck(len(labelled), _fits(predicted, labelled.targets_pct))
    better = _best(readings(raw, declared, labelled), declared, own_skill)
    if better is not None:
        return _with_mismatch(found, "its outputs", own_skill, better.skill, better.options(declared))
    constant = np.ptp(raw, axis=0) <= 1e-6 * np.abs(raw).max(axis=0)
    if constant.all():
        found = replace(found, warning=_CONSTANT)
    if own_skill >= _GOOD_SKILL or engine.name != "keras":
        return found
    probed = labelled.first(_PROBED_FRAMES)
    for option, variant in _other_inputs(bundle):
        better = _best(readings(load_engine(variant).predict(probed.frames)[:, columns], declared, probed), declared, own_skill)
        if better is not None:
            return _with_mismatch(found, "its inputs", own_skill, better.skill, f"{option} {better.options(declared)}")
    if found.warning is None and max(fit.correlation for fit in found.fits.values()) < _MIN_GAIN:
        return replace(found, warning=_UNRELATED)
    return found


def _best(tried: Iterator[Reading], declared: Sequence[Output], own_skill: float) -> Reading | None:
    """The reading that fits clearly better than the declared one; of those that fit about as well, the one with the fewest changes."""
    plausible = [reading for reading in tried if reading.is_plausible and reading.skill >= own_skill + _MIN_GAIN]
    best_skill = max((reading.skill for reading in plausible), default=0.0)
    fitting = [reading for reading in plausible if reading.skill >= best_skill - _TIE]
    return min(fitting, key=lambda reading: (reading.changes(declared), -reading.skill), default=None)


def _other_inputs(bundle: Bundle) -> Iterator[tuple[str, Bundle]]:
    """The model with the inputs that it may have been trained on instead, and the option of each."""
    for pixels in _PIXELS:
        yield f"--pixels {','.join(f'{value:.3g}' for value in pixels)}", _variant(bundle, pixels=pixels)
    for layout in _LAYOUTS if all(member.layout is None for member in bundle.manifest.members) else ():
        yield f"--layout {','.join(layout)}", _variant(bundle, layout=layout)


def _variant(bundle: Bundle, **changes: Any) -> Bundle:
    members = tuple(member.model_copy(update=changes) for member in bundle.manifest.members)
    return Bundle(bundle.manifest.model_copy(update={"members": members}), bundle.folder)


def _with_mismatch(found: LabelCheck, what: str, own_skill: float, better_skill: float, options: str) -> LabelCheck:
    return replace(
        found,
        warning=None,
        mismatch=f"{what} seem to be others than declared: its error over {found.frames:,} frames is {_share(own_skill)}, but "
        f"{_share(better_skill)} with {options}; publish it with these options, or with --allow-mismatch if they are wrong",
    )


def _share(value: float) -> str:
    return f"{100 * abs(value):.0f} % {'below' if value >= 0 else 'above'} that of a constant"


def _fits(predicted: "Values", actual: "Values") -> dict[str, OutputFit]:
    variance = np.maximum(actual.var(axis=0), 1e-12)
    r2 = 1 - ((predicted - actual) ** 2).mean(axis=0) / variance
    return {
        name: OutputFit(correlation, float(r2_of_name))
        for name, correlation, r2_of_name in zip(OUTPUT_NAMES, correlations(predicted, actual), r2, strict=True)
    }
