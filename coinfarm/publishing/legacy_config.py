"""Configurations of networks as Keras 2 wrote them, in the form that Keras 3 reads."""

from collections.abc import Callable, Iterator
from typing import Any

from coinfarm.publishing.legacy_layers import LAYER_KEYS, NETWORKS, layers_with_input, renewed_layer
from coinfarm.publishing.legacy_operations import without_batch_lengths


def upgraded(config: Any) -> Any:
    """The configuration of a network, or any part of it, for Keras 3. Raises `CoinfarmError` if it cannot be translated."""
    plain = _without_tuples(config)
    return _upgraded(_renamed(plain, {name: name.replace("/", "_") for name in _names_with_slashes(plain)}))


def _without_tuples(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_tuples(each) for each in value]
    if not isinstance(value, dict):
        return value
    if value.get("class_name") == "__tuple__":
        return _without_tuples(value["items"])
    return {key: _without_tuples(each) for key, each in value.items()}


def _names_with_slashes(value: Any) -> Iterator[str]:
    """The names of layers, such as those of MobileNetV3, that Keras 3 does not allow."""
    if isinstance(value, dict):
        if isinstance(name := value.get("name"), str) and "/" in name and "class_name" in value:
            yield name
        for each in value.values():
            yield from _names_with_slashes(each)
    elif isinstance(value, list):
        for each in value:
            yield from _names_with_slashes(each)


def _renamed(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [_renamed(each, names) for each in value]
    if isinstance(value, dict):
        return {key: _renamed(each, names) for key, each in value.items()}
    return names.get(value, value) if isinstance(value, str) else value


def _upgraded(config: Any) -> Any:
    if isinstance(config, list):
        return [_upgraded(each) for each in config]
    if not isinstance(config, dict):
        return config
    if "output_layers" in config and "layers" in config:
        config = {**config, "layers": without_batch_lengths(config["layers"])}
    if config.get("class_name") == "Sequential":
        network = config["config"] if isinstance(config["config"], dict) else {"name": "sequential", "layers": config["config"]}
        config = {**config, "config": {**network, "layers": layers_with_input(network["layers"])}}
    renewed = {key: _upgraded(value) for key, value in config.items()}
    for key in LAYER_KEYS:
        if isinstance(layers := renewed.get(key), list):
            renewed[key] = [renewed_layer(layer) if "class_name" in layer else layer for layer in layers]
        elif isinstance(layers, dict) and "class_name" in layers:
            renewed[key] = renewed_layer(layers)
    if renewed.get("class_name") in ("Functional", "Model"):
        renewed["class_name"] = "Functional"
        if "module" in renewed:
            renewed["module"] = "keras.src.models.functional"
    if "output_layers" in renewed and "layers" in renewed:
        return _renumbered({**renewed, **{key: _single(renewed[key]) for key in ("input_layers", "output_layers") if key in renewed}})
    return renewed


def _single(references: Any) -> Any:
    """The only input or output itself: a list of one means something else in Keras 3."""
    return references[0] if isinstance(references, list) and len(references) == 1 else references


def _renumbered(network: dict[str, Any]) -> dict[str, Any]:
    """Count the calls of nested networks from 0: Keras 2 counted their own construction too."""
    nested = {layer["config"]["name"] for layer in network["layers"] if layer.get("class_name") in NETWORKS}
    connections = [network["output_layers"], *(layer.get("inbound_nodes", []) for layer in network["layers"])]
    lowest: dict[str, int] = {}
    for name, call in _references(connections, nested):
        lowest[name] = min(call, lowest.get(name, call))

    def renumber(reference: list[Any]) -> list[Any]:
        return [reference[0], reference[1] - lowest[reference[0]], *reference[2:]]

    layers = [{**layer, "inbound_nodes": _mapped(layer.get("inbound_nodes", []), nested, renumber)} for layer in network["layers"]]
    return {**network, "layers": layers, "output_layers": _mapped(network["output_layers"], nested, renumber)}


def _is_reference(value: Any, names: set[str]) -> bool:
    """Whether it is `[layer, number of its call, number of the output, …]`."""
    return (
        isinstance(value, list)
        and len(value) >= 3
        and isinstance(value[0], str)
        and value[0] in names
        and all(isinstance(number, int) for number in value[1:3])
    )


def _references(value: Any, names: set[str]) -> Iterator[tuple[str, int]]:
    if _is_reference(value, names):
        yield value[0], value[1]
        yield from _references(value[3:], names)
    elif isinstance(value, list | dict):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _references(each, names)


def _mapped(value: Any, names: set[str], change: Callable[[list[Any]], list[Any]]) -> Any:
    if _is_reference(value, names):
        return [*change(value[:3]), *_mapped(value[3:], names, change)]
    if isinstance(value, list):
        return [_mapped(each, names, change) for each in value]
    if isinstance(value, dict):
        return {key: _mapped(each, names, change) for key, each in value.items()}
    return value
