"""Reads the network and the weights of a SavedModel that Keras 2 wrote, without loading its graph."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from coinfarm.errors import CoinfarmError

_METADATA_FILE = "keras_metadata.pb"
_GRAPH_KEY = "_CHECKPOINTABLE_OBJECT_GRAPH"
_RENAMED = {"depthwise_kernel": "kernel"}
"""Weights of DepthwiseConv; those of SeparableConv kept the name."""


def read_saved_config(folder: Path) -> dict[str, Any]:
    """The configuration of the network. Raises `CoinfarmError` for a folder without it, as of Keras 3 or of plain TensorFlow."""
    from tensorflow.python.keras.protobuf.saved_metadata_pb2 import SavedMetadata

    path = folder / _METADATA_FILE
    if not path.is_file():
        raise CoinfarmError(f"it has no {_METADATA_FILE}, so it is a graph without its layers")
    metadata = SavedMetadata()
    metadata.ParseFromString(path.read_bytes())
    root: dict[str, Any] = next((json.loads(node.metadata) for node in metadata.nodes if node.node_path == "root"), {})
    if "config" not in root:
        raise CoinfarmError("its network is a class of its own, without a configuration")
    return {"class_name": root["class_name"], "config": root["config"]}


def restore_saved_weights(folder: Path, network: Any) -> None:
    """Set the weights of a network to those in the folder. Raises `CoinfarmError` if they do not match one by one."""
    import tensorflow as tf
    from tensorflow.core.protobuf.trackable_object_graph_pb2 import TrackableObjectGraph

    checkpoint = tf.train.load_checkpoint(str(folder / "variables" / "variables"))
    graph = TrackableObjectGraph()
    graph.ParseFromString(checkpoint.get_tensor(_GRAPH_KEY))
    listed = _children(graph, _children(graph, 0)["variables"])
    stored = [graph.nodes[listed[str(number)]].attributes[0] for number in range(len(listed))]
    values = [checkpoint.get_tensor(attribute.checkpoint_key) for attribute in stored]
    expected = [(weight.name, tuple(weight.shape)) for weight in network.weights]
    found = [
        (attribute.full_name.rpartition("/")[2].partition(":")[0], np.shape(value)) for attribute, value in zip(stored, values, strict=True)
    ]
    renamed = [(_RENAMED.get(name, name), shape) for name, shape in found]
    if len(found) != len(expected) or any(weight not in pair for weight, *pair in zip(expected, found, renamed, strict=True)):
        raise CoinfarmError(f"its {len(found)} weights are not those of its network, which has {len(expected)}")
    network.set_weights(values)


def _children(graph: Any, node: int) -> dict[str, int]:
    return {child.local_name: child.node_id for child in graph.nodes[node].children}
