"""Writes the table of docs/models.md: every kind of model, and how it is served.

`python -m tests.support.model_page` after a change; with names of groups or models only their rows are written again.
"""

import re
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from coinfarm.compilation import attempts
from coinfarm.compilation.attempts import BATCH_FRAMES, try_forms
from coinfarm.compilation.parity import Outputs, parity, passes
from coinfarm.compilation.sample import Sample
from coinfarm.engines.keras import KerasEngine
from coinfarm.errors import ModelError
from coinfarm.models.bundle import Bundle
from coinfarm.models.candidate import bundle_to_publish
from coinfarm.outputs import OUTPUT_NAMES
from coinfarm.prediction.frame_batch import in_percent
from image_render.render import render_frames
from image_render.windows import windows
from tests.support.architecture_kinds import ARCHITECTURE_KINDS
from tests.support.interface_kinds import INTERFACE_KINDS
from tests.support.layer_kinds import LAYER_KINDS
from tests.support.model_kinds import ModelKind
from tests.support.network_kinds import NETWORK_KINDS
from tests.support.operation_kinds import OPERATION_KINDS
from tests.support.option_kinds import OPTION_KINDS
from tests.support.repository import ROOT
from tests.support.series_kinds import SERIES_KINDS
from tests.support.synthetic_candles import minutes

KINDS = [*NETWORK_KINDS, *INTERFACE_KINDS, *OPTION_KINDS, *OPERATION_KINDS, *LAYER_KINDS, *SERIES_KINDS, *ARCHITECTURE_KINDS]
PAGE = ROOT / "docs/models.md"
WRONG = "**wrong**"
_TABLE = re.compile(r"(?<=<!-- table of models -->\n\n).*?(?=\n\n<!-- end -->)", re.DOTALL)
_HEADER = "| | model | outcome |\n| --- | --- | --- |\n"
_ANY_PROCESSOR = frozenset({"sse4_2", "avx2"})


@cache
def sample() -> Sample:
    """Ten frames for the probes of compilation, and twenty to compare."""
    frames = render_frames(windows(minutes(6_000).columns, stride=200))
    return Sample(frames[::3], np.concatenate([frames[1::3], frames[2::3]]), ("DEMOUSD",))


def outcome(kind: ModelKind) -> str:
    """How a model of this kind is served after it was saved and loaded, and whether its predictions are those of Keras before that."""
    import keras

    keras.utils.set_random_seed(1)
    models = models_of(keras, kind)
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as bundle_folder:
        try:
            served_by, outputs = _serve(bundle_of(kind, models, Path(folder), Path(bundle_folder)))
        except ModelError as error:
            return f"rejected: {cell(str(error).replace(f'{folder}/', ''))}"
    is_equal = passes(parity(OUTPUT_NAMES, expected_values(keras, kind, models, sample().parity), outputs))
    return served_by if is_equal else f"{WRONG}, {served_by}"


def models_of(keras: Any, kind: ModelKind) -> dict[str, Any]:
    """The networks of a kind, by output if there are several."""
    model = kind.build(keras)
    return model if isinstance(model, dict) else {"": model}


def bundle_of(kind: ModelKind, models: dict[str, Any], folder: Path, bundle_folder: Path) -> Bundle:
    """The bundle that `model publish` makes of networks, which are saved in the empty `folder`, in the empty `bundle_folder`."""
    files = {name: folder / f"{name or 'model'}.keras" for name in models}
    for name, file in files.items():
        models[name].save(file)
    members = [f"{name}={file}" for name, file in files.items() if name]
    return bundle_to_publish(None if members else files[""], bundle_folder, interface=kind.interface, members=members)


def expected_values(keras: Any, kind: ModelKind, models: dict[str, Any], frames: Any) -> Outputs:
    """The predictions of the networks as they were built, in percent, `(N, 3)` in the order of `OUTPUT_NAMES`."""
    values: Outputs = kind.values(np.concatenate([_given(keras, model, kind.inputs(frames)) for model in models.values()], axis=1))
    return values


def _serve(bundle: Bundle) -> tuple[str, Outputs]:
    """What `model publish` makes of a bundle, in 32-bit floats, and its predictions, `(N, 3)` in the order of `OUTPUT_NAMES`."""
    frames = sample().parity
    keras = KerasEngine(bundle, BATCH_FRAMES)
    expected = keras.predict(frames)
    with patch.object(attempts, "processor_flags", lambda: _ANY_PROCESSOR), patch.object(attempts, "recipes", lambda graph: ()):
        (attempt, engine), *_ = try_forms(bundle, keras.traced, expected, sample(), lambda _: None)
    if engine is None:
        return f"Keras, because OpenVINO's graph {cell(attempt.rejection or '')}", _values(bundle, expected)
    return "compiled", _values(bundle, engine.predict(frames))


def _values(bundle: Bundle, raw: Outputs) -> Outputs:
    return in_percent(raw, bundle.manifest.outputs, np.ones(len(raw))).astype(np.float32)


def _given(keras: Any, model: Any, inputs: Any) -> Outputs:
    """What a network as it was built gives, `(N, outputs)`; heads with names in the order of the names."""
    x = inputs.astype(np.float32)
    outputs = model(dict.fromkeys(model.input, x) if isinstance(getattr(model, "input", None), dict) else x, training=False)
    heads = [outputs[name] for name in OUTPUT_NAMES] if isinstance(outputs, dict) else keras.tree.flatten(outputs)
    return np.concatenate([np.asarray(head, np.float32).reshape(len(inputs), -1) for head in heads], axis=1)


def rows_of(page: str) -> dict[tuple[str, str], str]:
    """The outcome by group and name, from the table of a page."""
    found = _TABLE.search(page)
    lines = found[0].splitlines()[2:] if found else []
    cells = [re.split(r"(?<!\\) \| ", line.strip("| ")) for line in lines]
    return {(group, name): outcome for group, name, outcome in cells}


def page_with_rows(page: str, outcomes: dict[tuple[str, str], str]) -> str:
    keys = [(kind.group, kind.name) for kind in KINDS]
    rows = "\n".join(f"| {key[0]} | {key[1]} | {outcomes[key]} |" for key in keys if key in outcomes)
    return _TABLE.sub(lambda _: _HEADER + rows, page)


def cell(text: str, max_length: int = 300) -> str:
    """A text for a table in Markdown, abbreviated."""
    text = re.sub(r"model \d{8}-\w{8}", "the model", re.sub(r" of model \d{8}-\w{8}", "", text))  # versions contain the date
    shown = text if len(text) <= max_length else f"{text[:max_length].rpartition(' ')[0]} …"
    return re.sub(r"([|<>*_`\[\]])", r"\\\1", shown)


def main(names: list[str]) -> None:
    page = PAGE.read_text()
    outcomes = rows_of(page)
    for kind in KINDS:
        if not names or {kind.group, kind.name} & {*names}:
            outcomes[kind.group, kind.name] = outcome(kind)
            print(kind.group, kind.name, outcomes[kind.group, kind.name], sep=" | ", flush=True)
            PAGE.write_text(page_with_rows(page, outcomes))


if __name__ == "__main__":
    main(sys.argv[1:])
