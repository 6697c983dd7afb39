"""Which output of a network is which: by the names that people give them, or by the option `--outputs`."""

import re
from collections.abc import Sequence

from coinfarm.errors import ModelError
from coinfarm.outputs import OUTPUT_NAMES

EXAMPLE = "rise,decline,end"
_WORDS: dict[str, frozenset[str]] = {
    "maxRisePct": frozenset({"rise", "up", "high", "highest", "gain", "upside", "increase"}),
    "maxDeclinePct": frozenset({"decline", "down", "low", "lowest", "fall", "drop", "loss", "downside", "drawdown", "decrease"}),
    "endChangePct": frozenset({"end", "close", "final", "last"}),
}


def recognised_output(name: str) -> str | None:
    """The output that a name like `rise`, `max_rise` or `maxRisePct` means; None if it could be any, or more than one."""
    words = set(re.findall(r"[a-z]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", name).lower()))
    found = [output for output, known in _WORDS.items() if words & known]
    return found[0] if len(found) == 1 else None


def outputs_by_name(names: Sequence[str] | None, where: str) -> tuple[str, ...]:
    """The outputs of a network whose outputs have these names, in their order; a single unnamed one has the order of `OUTPUT_NAMES`.

    Raises `ModelError` if the names leave open which is which.
    """
    if names is None:
        return OUTPUT_NAMES
    found = [recognised_output(name) for name in names]
    outputs = tuple(output for output in found if output is not None)
    if len(names) > len(OUTPUT_NAMES):
        raise ModelError(
            f"{where} has {len(names)} outputs, {', '.join(names)}: save a network of rise, decline and end alone, such as "
            "keras.Model(model.input, [model.get_layer(name).output for name in …])"
        )
    if len(outputs) < len(found) or len(set(outputs)) < len(outputs):
        raise ModelError(
            f"{where} has the outputs {', '.join(names)}, whose names do not say which is which: publish it with --outputs and rise, "
            f"decline and end in the order of these outputs, such as --outputs {EXAMPLE}"
        )
    return outputs


def parse_outputs(text: str) -> tuple[tuple[str, float | None], ...]:
    """The outputs in a text like `rise,-decline,end`, in its order, and the factor −1 for those with a minus.

    Raises `ModelError` for a name that is unknown or given twice.
    """
    parsed = [_parse_output(part.strip()) for part in text.split(",")]
    names = [name for name, _ in parsed]
    if len(set(names)) < len(names):
        raise ModelError(f"{text!r} names an output twice: name each once, such as {EXAMPLE}")
    return tuple(parsed)


def check_order(given: Sequence[tuple[str, float | None]], names: Sequence[str] | None, where: str) -> None:
    """Raises `ModelError` if the outputs of a network have the names of the given ones, in another order: Keras sorts those of a dict."""
    found = [recognised_output(name) for name in names or ()]
    outputs = [output for output, _ in given]
    if found != outputs and sorted(map(str, found)) == sorted(outputs):
        raise ModelError(f"{where} has the outputs {', '.join(names or ())}, in this order: give them to --outputs in it, or rename them")


def _parse_output(text: str) -> tuple[str, float | None]:
    name = recognised_output(text)
    if name is None:
        raise ModelError(f"{text!r} is none of rise, decline and end: name the outputs in the network's order, such as {EXAMPLE}")
    return name, -1.0 if text.startswith("-") else None
