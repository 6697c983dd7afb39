"""Versions of a model made quickly: the same network with a scaled last layer, in the Keras file and in the compiled forms."""

import io
import shutil
import zipfile
from pathlib import Path

import h5py
import numpy as np

from coinfarm.engines.openvino_import import import_openvino
from coinfarm.models.bundle import Bundle
from coinfarm.models.manifest import MODEL_FILE

_WEIGHTS_FILE = "model.weights.h5"
_LAST_LAYER = "layers/dense_1/vars"


def scaled_model(bundle: Bundle, folder: Path, factor: float) -> Bundle:
    """A new version in a new folder whose predictions are `factor` times those of the reference model `bundle`."""
    folder.mkdir()
    manifest = bundle.manifest
    _scale_keras(bundle.folder / MODEL_FILE, folder / MODEL_FILE, factor)
    scaled = Bundle.create(folder, name=manifest.name, outputs=manifest.outputs, training=manifest.training)
    for file in {form.file for form in manifest.engines.forms}:
        (folder / file).parent.mkdir(exist_ok=True)
        _scale_compiled(bundle.folder / file, folder / file, factor)
    for tables in {form.tables for form in manifest.engines.forms if form.tables}:  # of the first layers, which stay as they are
        shutil.copyfile(bundle.folder / tables, folder / tables)
    return scaled.with_engines(manifest.engines)  # scaling does not change correlations or relative deviations


def _scale_keras(source: Path, target: Path, factor: float) -> None:
    with zipfile.ZipFile(source) as before, zipfile.ZipFile(target, "w") as after:
        for name in before.namelist():
            data = before.read(name)
            after.writestr(name, _scaled_weights(data, factor) if name == _WEIGHTS_FILE else data)


def _scaled_weights(data: bytes, factor: float) -> bytes:
    buffer = io.BytesIO(data)
    with h5py.File(buffer, "r+") as weights:
        for values in weights[_LAST_LAYER].values():
            values[...] = values[...] * factor
    return buffer.getvalue()


def _scale_compiled(source: Path, target: Path, factor: float) -> None:
    openvino = import_openvino()
    from openvino import opset13 as operations

    graph = openvino.Core().read_model(source)
    add = graph.outputs[0].get_node().input(0).get_source_output().get_node()
    product = add.input(0).get_source_output().get_node()
    if (add.get_type_name(), product.get_type_name()) != ("Add", "MatMul"):
        raise RuntimeError(f"{source} does not end in a dense layer, but in {product.get_type_name()} and {add.get_type_name()}")
    for node in (add, product):
        values = node.input(1).get_source_output().get_node().data
        node.input(1).replace_source_output(operations.constant((values * factor).astype(np.float32)).output(0))
    openvino.save_model(graph, target, compress_to_fp16=False)
