"""Reads the configuration of a network from its Keras archive, without Keras: what its outputs are called, and what could run code."""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from coinfarm.errors import ModelError

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.weights.h5"
MAX_CONFIG_BYTES = 1 << 24
_METADATA_FILE = "metadata.json"
_FUNCTIONAL = "output_layers"


class NetworkConfig(NamedTuple):
    """`outputs` names the outputs in the order in which Keras flattens them; None if the network has a single, unnamed one.

    `layers_of_code` are those that contain or load code: a Lambda, a lambda as activation, a SavedModel. `custom_classes` are the classes
    that are not Keras' own. `keras_version` is that of the file, if it says so.
    """

    outputs: tuple[str, ...] | None
    layers_of_code: tuple[str, ...]
    custom_classes: tuple[str, ...]
    keras_version: str = ""


def read_network_config(path: Path) -> NetworkConfig:
    """The configuration in a Keras archive. Raises `ModelError` if it is damaged."""
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.getinfo(CONFIG_FILE).file_size > MAX_CONFIG_BYTES:
                raise ModelError(f"{path}: its {CONFIG_FILE} is larger than {MAX_CONFIG_BYTES:,} bytes, so it is not that of a network")
            config = json.loads(archive.read(CONFIG_FILE))
            metadata = json.loads(archive.read(_METADATA_FILE)) if _METADATA_FILE in archive.namelist() else {}
    except (OSError, KeyError, ValueError, RecursionError, zipfile.BadZipFile) as error:
        raise ModelError(f"{path}: its {CONFIG_FILE} cannot be read ({error}): save the model again") from error
    if not isinstance(config, dict):
        raise ModelError(f"{path}: its {CONFIG_FILE} is not that of a network: save the model again")
    return parse_network_config(config)._replace(keras_version=str(metadata.get("keras_version", "")))


def parse_network_config(config: dict[str, Any]) -> NetworkConfig:
    """The parts of a network's own configuration that matter here."""
    objects = list(objects_of(config))
    of_code = (str(_settings(each).get("name", "lambda")) for each in objects if _has_code(each))
    custom = (each["class_name"] for each in objects if not _is_of_keras(each))
    return NetworkConfig(_outputs(config), tuple(dict.fromkeys(of_code)), tuple(dict.fromkeys(custom)))


def _outputs(config: dict[str, Any]) -> tuple[str, ...] | None:
    details = config.get("config")
    layers = details.get(_FUNCTIONAL) if isinstance(details, dict) else None
    names = tuple(_output_names(layers))
    return names if len(names) > 1 else None


def _output_names(layers: Any) -> Iterator[str]:
    """The key of each output in a dict, sorted as Keras does, and the layer's name elsewhere."""
    if isinstance(layers, dict):
        for key in sorted(layers):
            below = list(_output_names(layers[key]))
            yield from [key] if len(below) == 1 else below
    elif isinstance(layers, list) and len(layers) == 3 and isinstance(layers[0], str):
        yield layers[0]
    elif isinstance(layers, list):
        for each in layers:
            yield from _output_names(each)


def objects_of(value: Any) -> Iterator[dict[str, Any]]:
    """Every object of a class in the configuration."""
    waiting = [value]
    while waiting:
        each = waiting.pop(0)
        if isinstance(each, dict):
            if isinstance(each.get("class_name"), str):
                yield each
            waiting += each.values()
        elif isinstance(each, list):
            waiting += each


def _settings(each: dict[str, Any]) -> dict[str, Any]:
    settings = each.get("config")
    return settings if isinstance(settings, dict) else {}


def _has_code(each: dict[str, Any]) -> bool:
    return each["class_name"] in ("Lambda", "__lambda__", "TFSMLayer") or any(_is_lambda(value) for value in _settings(each).values())


def _is_lambda(value: Any) -> bool:
    """Whether it is a lambda as an argument: Keras writes its code without a class, or a name without its code."""
    return value == "<lambda>" or (isinstance(value, dict) and "value" in value and "class_name" not in value)


def _is_of_keras(each: dict[str, Any]) -> bool:
    """Keras' own classes are in its modules and not registered under a name; a tensor or a shape has neither."""
    if "module" not in each:
        return True
    module = each["module"] or ""
    registered = each.get("registered_name") or ""
    return (module.partition(".")[0] in ("keras", "builtins") and ">" not in registered) or each["class_name"].startswith("__")
