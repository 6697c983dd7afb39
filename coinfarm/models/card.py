"""The model card: one version of a model as a page of Markdown, written from its manifest and its evaluations."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError
from pydantic.alias_generators import to_camel

from coinfarm.models.compiled_form import MAX_RMS_DIFFERENCE_SHARE, MIN_CORRELATION
from coinfarm.models.manifest import Manifest
from coinfarm.models.training_data import TrainingData
from coinfarm.models.version import bundle_key
from coinfarm.outputs import OUTPUT_NAMES, OUTPUT_TITLES
from coinfarm.reports.formatting import minute_text
from coinfarm.storage import Storage

if TYPE_CHECKING:
    from coinfarm.models.evaluations import EvaluationRecord

CARD_FILE = "card.md"

_MEANINGS = {
    "maxRisePct": "how far the price will rise: 100 × (highest high / last close − 1)",
    "maxDeclinePct": "how far it will fall: 100 × (lowest low / last close − 1), negative",
    "endChangePct": "where it will end: 100 × (last close of the horizon / last close − 1)",
}
_UNITS = {"percent": "percent", "window_range": "units of the window's price range, which the predictor converts to percent"}


def write_card(storage: Storage, manifest: Manifest, evaluations: "Sequence[EvaluationRecord]") -> None:
    """Put the card beside the manifest, in the place of an older one: it says nothing that is not kept elsewhere, so it may change."""
    text = model_card(manifest, evaluations)
    storage.write(bundle_key(manifest.version, CARD_FILE), text.encode(), content_type="text/markdown; charset=utf-8")


def model_card(manifest: Manifest, evaluations: "Sequence[EvaluationRecord]") -> str:
    """The card of a version; what is not known of it is left out, or said to be unknown."""
    parts = (
        _introduction(manifest),
        _data(manifest.training),
        _architecture(manifest),
        _metrics(manifest, evaluations),
        _forms(manifest),
        _limits(manifest),
        _repetition(manifest, evaluations),
        _files(manifest),
    )
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def _introduction(manifest: Manifest) -> Iterator[str]:
    frame = manifest.frame
    yield f"# {manifest.name} {manifest.version}"
    yield ""
    yield (
        f"A network that sees the last {frame.window_candles} candles of a market as a binary image of {frame.window_candles} × "
        f"{frame.price_rows} pixels in three channels (body, wick, volume), scaled to the window, and predicts the next "
        f"{manifest.horizon_candles} candles, in percent of the last close:"
    )
    yield ""
    for output in manifest.outputs:
        yield f"- `{output.name}`, {_MEANINGS[output.name]}"
    yield ""
    for unit in dict.fromkeys(output.unit for output in manifest.outputs):
        names = [f"`{output.name}`" for output in manifest.outputs if output.unit == unit]
        which = "all of them" if len(names) == len(manifest.outputs) else _listed(names)
        yield f"The network outputs {which} in {_UNITS[unit]}."
    if manifest.created_at is not None:
        yield f"Created on {manifest.created_at:%Y-%m-%d}."


def _data(training: TrainingData | None) -> Iterator[str]:
    yield "## Data"
    yield ""
    if training is None:
        yield "The bundle does not say what the model was trained on, so it is unknown which windows are in-sample."
        return
    yield (
        f"Candles of {_listed(training.symbols)}, {training.interval}, from {training.from_date} up to {training.to_date}. It was "
        f"trained on {training.frames:,} frames. A window that begins before {_cutoffs(training)} is in-sample: every prediction says so, "
        "and evaluations leave it out."
    )
    yield ""
    yield from _table(
        ("split", "from", "up to", "frames"),
        [(name, str(split.from_date), str(split.to_date), f"{split.frames:,}") for name, split in training.splits.items()],
        numbers=3,
    )


def _cutoffs(training: TrainingData) -> str:
    times: dict[str, list[str]] = {}
    for symbol, cutoff_ms in training.cutoff_ms.items():
        times.setdefault(f"{minute_text(cutoff_ms)} UTC", []).append(symbol)
    if len(times) == 1:
        return next(iter(times))
    return ", ".join(f"{time} ({_listed(symbols)})" for time, symbols in times.items())


def _architecture(manifest: Manifest) -> Iterator[str]:
    yield "## Architecture"
    yield ""
    layers = manifest.architecture
    if layers is None:
        yield "The bundle does not list the layers."
        return
    parameters, multiply_adds = sum(layer.parameters for layer in layers), sum(layer.multiply_adds for layer in layers)
    yield f"{len(layers)} layers, {parameters:,} parameters, {multiply_adds / 1e6:,.1f} million multiply-adds a frame."
    yield ""
    yield from _table(
        ("layer", "kind", "output", "parameters", "multiply-adds"),
        [
            (
                layer.name,
                layer.kind,
                " × ".join(map(str, layer.output_shape)),
                f"{layer.parameters:,}" if layer.parameters else "",
                f"{layer.multiply_adds:,}" if layer.multiply_adds else "",
            )
            for layer in layers
        ],
        numbers=3,
    )


class _Part(BaseModel):
    """Of a document that is kept whole, what the card tells; what is missing is not told."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, validate_by_name=True)


class _Share(_Part):
    right_pct: float | None = None
    interval_pct: tuple[float, float] | None = None


class _Calls(_Part):
    overall: _Share = _Share()


class _DailyRankCorrelation(_Part):
    mean: float | None = None
    t_statistic: float | None = None
    days: int = 0


class _Output(_Part):
    r2: float | None = None
    r2_interval: tuple[float, float] | None = None
    direction_right_pct: float | None = None
    daily_rank_correlation: _DailyRankCorrelation = _DailyRankCorrelation()


class _Baseline(_Part):
    outputs: dict[str, _Output]
    direction: _Share = _Share()


class _Counts(_Part):
    in_sample: int | None = None
    effective: float | None = None


class _Bootstrap(_Part):
    level: float | None = None


class _Evaluation(_Part):
    outputs: dict[str, _Output]
    direction: _Calls = _Calls()
    baselines: dict[str, _Baseline] = Field(default_factory=dict)
    counts: _Counts = _Counts()
    bootstrap: _Bootstrap = _Bootstrap()


class _SplitMetrics(_Part):
    """What training has measured on one of its splits, which is kept in the manifest."""

    from_date: str = Field(alias="from")
    to_date: str = Field(alias="to")
    frames: int
    model: dict[str, _Output]
    baselines: dict[str, dict[str, _Output]] = Field(default_factory=dict)


def _metrics(manifest: Manifest, evaluations: "Sequence[EvaluationRecord]") -> Iterator[str]:
    yield "## How good it is"
    yield ""
    yield "R² is the share of the variance that is predicted; 0 is as good as a constant."
    splits = dict(_measured_splits(manifest.metrics or {}))
    if not evaluations and not splits:
        yield ""
        yield "No evaluation has been recorded yet."
    for record in sorted(evaluations, key=lambda record: (record.to_date, record.from_date), reverse=True):
        yield ""
        yield from _evaluation(record)
    for name, split in splits.items():
        yield ""
        yield f"### Measured with Keras at the end of training: {name}, {split.from_date} up to {split.to_date}, {split.frames:,} frames"
        yield ""
        directions = {who: of.get("endChangePct", _Output()).direction_right_pct for who, of in split.baselines.items()}
        yield from _score_table(
            split.model,
            _Share(right_pct=split.model.get("endChangePct", _Output()).direction_right_pct),
            {who: (of, directions[who]) for who, of in split.baselines.items()},
        )


def _measured_splits(metrics: dict[str, JsonValue]) -> Iterator[tuple[str, _SplitMetrics]]:
    """Those that are as our own training writes them; a bundle from elsewhere may hold any."""
    for name, document in metrics.items():
        try:
            yield name, _SplitMetrics.model_validate(document)
        except ValidationError:
            continue


def _evaluation(record: "EvaluationRecord") -> Iterator[str]:
    yield f"### {_listed(sorted(record.candles))}, {record.from_date} up to {record.to_date}, every {_ordinal(record.stride)}window"
    yield ""
    try:
        found = _Evaluation.model_validate(record.document)
    except ValidationError:
        found = _Evaluation(outputs={name: _Output(r2=r2) for name, r2 in record.r2.items()})
    judged = f"{record.frames:,} frames"
    if found.counts.effective is not None:
        judged += f", at most {found.counts.effective:,.0f} of them independent, because horizons overlap"
    if found.counts.in_sample:
        judged += f"; {found.counts.in_sample:,} in-sample windows were left out"
    yield f"{judged}. Score (the mean R² of the outputs): **{record.score:.4f}**."
    if found.bootstrap.level is not None:
        yield f"In brackets: {100 * found.bootstrap.level:g} % intervals from a block bootstrap."
    yield ""
    yield from _score_table(
        found.outputs, found.direction.overall, {who: (of.outputs, of.direction.right_pct) for who, of in found.baselines.items()}
    )
    daily = [
        f"{OUTPUT_TITLES[name]} {of.mean:.3f} (t = {of.t_statistic:.1f} over {of.days} days)"
        for name in OUTPUT_NAMES
        if (of := found.outputs.get(name, _Output()).daily_rank_correlation).mean is not None and of.t_statistic is not None
    ]
    if daily:
        yield ""
        yield f"Mean daily rank correlation: {', '.join(daily)}."


def _score_table(
    model: dict[str, _Output], direction: _Share, baselines: dict[str, tuple[dict[str, _Output], float | None]]
) -> Iterator[str]:
    rows = [("**this model**", *(_r2(model.get(name)) for name in OUTPUT_NAMES), _percent(direction.right_pct, direction.interval_pct))]
    for who, (outputs, right_pct) in baselines.items():
        rows.append((_spaced(who), *(_r2(outputs.get(name)) for name in OUTPUT_NAMES), _percent(right_pct, None)))
    return _table(("", *(f"R² of {OUTPUT_TITLES[name]}" for name in OUTPUT_NAMES), "direction correct"), rows, numbers=1)


def _r2(output: _Output | None) -> str:
    if output is None or output.r2 is None:
        return "–"
    interval = output.r2_interval
    return f"{output.r2:.3f}" + ("" if interval is None else f" [{interval[0]:.3f}, {interval[1]:.3f}]")


def _percent(value: float | None, interval: tuple[float, float] | None) -> str:
    if value is None:
        return "–"
    return f"{value:.1f} %" + ("" if interval is None else f" [{interval[0]:.1f}, {interval[1]:.1f}]")


def _forms(manifest: Manifest) -> Iterator[str]:
    yield "## Engines"
    yield ""
    engines = manifest.engines
    if not engines.forms:
        yield "Keras runs it: the bundle has no compiled forms."
        return
    yield (
        "The fastest compiled form that the processor supports runs it, or else Keras. A form is published only if each output correlates "
        f"with float32 Keras by at least {MIN_CORRELATION} and differs from it by at most {100 * MAX_RMS_DIFFERENCE_SHARE:g} % of its "
        "standard deviation (rms). The table shows both."
    )
    if trial := engines.trial:
        yield (
            f"Measured on {trial.parity_frames:,} frames of {_listed(trial.candles)} that were not used for calibration, on "
            f"{trial.processor} with OpenVINO {trial.openvino.partition('-')[0]}, where Keras runs "
            f"{trial.keras_frames_per_s:,.0f} frames/s."
        )
    yield ""
    yield from _table(
        ("form", "processor needs", *(OUTPUT_TITLES[name] for name in OUTPUT_NAMES), "frames/s"),
        [
            (
                form.name,
                ", ".join(" or ".join(group) for group in form.needs) or "anything",
                *(f"{form.parity[name].correlation:.5f}, {100 * form.parity[name].rms_difference_share:.2f} %" for name in OUTPUT_NAMES),
                f"{form.frames_per_s:,.0f}",
            )
            for form in engines.forms
        ],
        numbers=2,
    )


def _limits(manifest: Manifest) -> Iterator[str]:
    yield "## Limits"
    yield ""
    yield "- A good prediction is not a profit. Whether trading on it pays the fees, `coinfarm backtest` estimates."
    if manifest.training is not None:
        training = manifest.training
        yield (
            f"- It was trained on {_listed(training.symbols)} at {training.interval} up to {training.to_date}. Evaluate it on "
            "other markets, other intervals and later times before you rely on it there."
        )
    yield "- The image is scaled to its window: it shows the shape of the moves, but neither the price nor their size."
    yield (f"- Horizons of {manifest.horizon_candles} candles overlap, so neighbouring windows are not independent observations.")
    yield (
        "- Missing candles are drawn flat at the last close, without volume. A window with more than half of its candles missing gets no "
        "prediction."
    )
    yield f"- It needs frames of geometry {manifest.frame.version} (`{manifest.frame.digest[:8]}`), which it was trained on."


def _repetition(manifest: Manifest, evaluations: "Sequence[EvaluationRecord]") -> Iterator[str]:
    yield "## Reproduce it"
    yield ""
    yield "```text"
    if manifest.training is not None:
        yield "coinfarm train CONFIG -o BUNDLE        # with the configuration of its training"
    yield "coinfarm model publish BUNDLE --to ROOT --candles CANDLES"
    for record in sorted(evaluations, key=lambda record: (record.to_date, record.from_date), reverse=True):
        yield f"coinfarm evaluate --model ROOT --version {manifest.version} --candles CANDLES \\"
        yield f"  --from {record.from_date} --to {record.to_date} --stride {record.stride}"
    yield "```"
    if evaluations:
        yield ""
        yield "Digests of the candles of each evaluation:"
        yield ""
        digests = {
            (symbol, record.from_date, record.to_date, digest) for record in evaluations for symbol, digest in record.candles.items()
        }
        yield from _table(
            ("symbol", "from", "up to", "sha256"),
            [(symbol, str(start), str(stop), f"`{digest}`") for symbol, start, stop, digest in sorted(digests)],
        )


def _files(manifest: Manifest) -> Iterator[str]:
    yield "## Files"
    yield ""
    yield from _table(
        ("file", "bytes", "sha256"),
        [(f"`{name}`", f"{file.bytes:,}", f"`{file.sha256}`") for name, file in manifest.files.items()],
    )


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], numbers: int | None = None) -> Iterator[str]:
    """Columns from `numbers` on stand to the right."""
    yield f"| {' | '.join(heads)} |"
    yield f"| {' | '.join('---:' if numbers is not None and at >= numbers else '---' for at in range(len(heads)))} |"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _ordinal(stride: int) -> str:
    """`10th `, to stand after "every"; nothing for 1."""
    if stride == 1:
        return ""
    ending = "th" if stride % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(stride % 10, "th")
    return f"{stride}{ending} "


def _spaced(name: str) -> str:
    """`constantTimesRange` as `constant times range`."""
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name)
