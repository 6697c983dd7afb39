"""Writes the table of docs/models.md: every kind of model, and how it is served.

`python -m tests.support.model_page` after a change; with names of groups only their rows are written again.
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
from coinfarm.models.candidate import bundle_to_publish
from coinfarm.outputs import OUTPUT_NAMES
from image_render.render import render_frames
from image_render.windows import windows
from tests.support.architecture_kinds import ARCHITECTURE_KINDS
from tests.support.layer_kinds import LAYER_KINDS
from tests.support.model_kinds import ModelKind
from tests.support.network_kinds import NETWORK_KINDS
from tests.support.repository import ROOT
from tests.support.series_kinds import SERIES_KINDS
from tests.support.synthetic_candles import minutes

KINDS = [*NETWORK_KINDS, *LAYER_KINDS, *SERIES_KINDS, *ARCHITECTURE_KINDS]
PAGE = ROOT / "docs/models.md"
WRONG = "**wrong**"
_TABLE = re.compile(r"(?<=<!-- table of models -->\n\n).*?(?=\n\n<!-- end -->)", re.DOTALL)
_HEADER = "| | model | outcome |\n| --- | --- | --- |\n"
_MAX_LENGTH = 110
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
    model = kind.build(keras)
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as bundle_folder:
        model.save(Path(folder, "model.keras"))
        try:
            served_by, outputs = _serve(Path(folder, "model.keras"), Path(bundle_folder))
        except ModelError as error:
            return f"rejected: {_cell(str(error))}"
    is_equal = passes(parity(OUTPUT_NAMES, _truth(keras, model), outputs))
    return served_by if is_equal else f"{WRONG}, {served_by}"


def _serve(file: Path, folder: Path) -> tuple[str, Outputs]:
    """What `model publish` makes of a file, in 32-bit floats, and its predictions, `(N, 3)` in the order of `OUTPUT_NAMES`."""
    frames = sample().parity
    bundle = bundle_to_publish(file, folder)
    order = [[output.name for output in bundle.manifest.outputs].index(name) for name in OUTPUT_NAMES]
    keras = KerasEngine(bundle, BATCH_FRAMES)
    expected = keras.predict(frames)
    with patch.object(attempts, "processor_flags", lambda: _ANY_PROCESSOR), patch.object(attempts, "recipes", lambda graph: ()):
        (attempt, engine), *_ = try_forms(bundle, keras.traced, expected, sample(), lambda _: None)
    if engine is None:
        return f"Keras, because OpenVINO's graph {_cell(attempt.rejection or '')}", expected[:, order]
    return "compiled", engine.predict(frames)[:, order]


def _truth(keras: Any, model: Any) -> Outputs:
    """The predictions of the model as it was built, `(N, 3)`; heads with names in the order of the names."""
    frames = sample().parity
    outputs = model(frames.astype(np.float32), training=False)
    heads = [outputs[name] for name in OUTPUT_NAMES] if isinstance(outputs, dict) else keras.tree.flatten(outputs)
    return np.concatenate([np.asarray(head, np.float32).reshape(len(frames), -1) for head in heads], axis=1)


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


def _cell(text: str) -> str:
    text = re.sub(r" of model \d{8}-\w{8}", "", text)  # it contains the date
    shown = text if len(text) <= _MAX_LENGTH else f"{text[:_MAX_LENGTH].rpartition(' ')[0]} …"
    return re.sub(r"([|<>*_`\[\]])", r"\\\1", shown)


def main(groups: list[str]) -> None:
    page = PAGE.read_text()
    outcomes = rows_of(page)
    for kind in KINDS:
        if not groups or kind.group in groups:
            outcomes[kind.group, kind.name] = outcome(kind)
            print(kind.group, kind.name, outcomes[kind.group, kind.name], sep=" | ", flush=True)
            PAGE.write_text(page_with_rows(page, outcomes))


if __name__ == "__main__":
    main(sys.argv[1:])
