"""Bundles with a compiled form that needs no TensorFlow: a graph of one mean per channel, written with OpenVINO's own operations."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coinfarm.compilation.forms import BF16, COLUMN_TABLES_FILE, F32, INT8, INT8_BF16
from coinfarm.engines.column_tables import ColumnTables
from coinfarm.engines.openvino_import import import_openvino
from coinfarm.models.bundle import Bundle
from coinfarm.models.compiled_form import CompiledForm, CompiledForms, MeasuredForm, Parity
from coinfarm.outputs import OUTPUT_NAMES
from tests.support.fake_models import create_bundle

BY_SPEED = (INT8_BF16, INT8, BF16, F32)
_EXACT = {name: Parity(correlation=1, rms_difference_share=0) for name in OUTPUT_NAMES}


def channel_means(frames: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The output of the graph for frames `(N, 200, 150, 3)`."""
    return frames.mean(axis=(1, 2), dtype=np.float64).astype(np.float32)


def channel_means_graph(*, element_type: str = "u8", outputs: int = 3) -> Any:
    """From planes `(N, 3, 200, 150)` to `(N, 3)`, or to fewer outputs."""
    openvino = import_openvino()
    from openvino import opset13 as operations

    planes = operations.parameter([-1, 3, 200, 150], getattr(openvino.Type, element_type), name="planes")
    means = operations.reduce_mean(operations.convert(planes, "f32"), np.array([2, 3]), keep_dims=False)
    selected = operations.gather(means, np.arange(outputs), np.int64(1))
    return openvino.Model([selected], [planes])


def random_tables(*, features: int = 3, offsets: tuple[int, ...] = (0,), stride: int = 1, positions: int = 200) -> ColumnTables:
    """Tables with random weights, and a bias that differs by position."""
    random = np.random.default_rng(1)
    weights = random.standard_normal((len(offsets), 3, 150, features))
    return ColumnTables.from_weights(weights, random.standard_normal((positions, features)), np.array(offsets, np.int32), stride)


def rows_bundle(folder: Path, tables: ColumnTables) -> Bundle:
    """A bundle whose only form takes rows, and predicts the means of the three features of `tables` over all positions."""
    openvino = import_openvino()
    from openvino import opset13 as operations

    form = F32.model_copy(update={"tables": COLUMN_TABLES_FILE})
    features = operations.parameter([-1, *tables.shape], openvino.Type.f32, name="features")
    graph = openvino.Model([operations.reduce_mean(features, np.array([1]), keep_dims=False)], [features])
    (folder / "compiled").mkdir(parents=True)
    tables.save(folder / COLUMN_TABLES_FILE)
    return compiled_bundle(folder, form, graph=graph)


def compiled_bundle(folder: Path, *forms: CompiledForm, graph: Any = None, content: str = "1.0", **details: Any) -> Bundle:
    """A bundle with these forms, the fastest first, and `content` instead of a Keras model. `details` are for `Bundle.create`."""
    bundle = create_bundle(folder, content, **details)
    for form in forms:
        (folder / form.file).parent.mkdir(exist_ok=True)
        import_openvino().save_model(graph or channel_means_graph(), folder / form.file)
    measured = [MeasuredForm(**dict(form), parity=_EXACT, frames_per_s=1000 - at) for at, form in enumerate(forms)]
    return bundle.with_engines(CompiledForms(forms=tuple(measured)))
