"""Configurations of networks as Keras 2 wrote them, in the form that Keras 3 reads."""

from collections.abc import Callable, Iterator
from typing import Any

_NETWORKS = ("Functional", "Model", "Sequential")


def upgraded(config: Any) -> Any:
    """The configuration of a network, or any part of it, for Keras 3."""
    if isinstance(config, list):
        return [upgraded(each) for each in config]
    if not isinstance(config, dict):
        return config
    if config.get("class_name") == "__tuple__":
        return upgraded(config["items"])
    renewed = {key: upgraded(value) for key, value in config.items()}
    if renewed.get("class_name") in ("Functional", "Model") and "module" in renewed:
        renewed["module"] = "keras.src.models.functional"
    if renewed.get("class_name") in ("Functional", "Model"):
        renewed["class_name"] = "Functional"
    if renewed.get("class_name") == "BatchNormalization" and isinstance(axes := renewed["config"].get("axis"), list):
        renewed["config"]["axis"] = axes[0]
    if "output_layers" in renewed and "layers" in renewed:
        return _renumbered({**renewed, **{key: _single(renewed[key]) for key in ("input_layers", "output_layers") if key in renewed}})
    return renewed


def _single(references: Any) -> Any:
    """The only input or output itself: a list of one means something else in Keras 3."""
    return references[0] if isinstance(references, list) and len(references) == 1 else references


def _renumbered(network: dict[str, Any]) -> dict[str, Any]:
    """Count the calls of nested networks from 0: Keras 2 counted their own construction too."""
    nested = {layer["config"]["name"] for layer in network["layers"] if layer.get("class_name") in _NETWORKS}
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
