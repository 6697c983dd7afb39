"""Custom layers that the owner of this machine trusts: classes that installed packages offer as entry points.

Their code runs in the process that loads a model, with its permissions. A model can only name them, never bring them along.
"""

from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from coinfarm.errors import ModelError

GROUP = "coinfarm.layers"
"""The group of entry points: the name of each is that of a class, its value where the class is."""


def trusted_layers(class_names: Sequence[str]) -> dict[str, Any]:
    """Those of these classes that an installed package offers, by the names under which Keras looks them up.

    Imports the packages. Raises `ModelError` for one that cannot be imported.
    """
    found: dict[str, Any] = {}
    for entry in entry_points(group=GROUP) if class_names else ():
        if entry.name in class_names:
            found |= dict.fromkeys(_registered_names(entry.name, loaded := _load(entry)), loaded)
    return found


def missing_layers(class_names: Sequence[str]) -> str:
    """What to do about classes that no installed package offers."""
    names = ", ".join(class_names)
    return (
        f"it uses {names}, which Keras does not have: build the network with layers of Keras; or, if you trust the code, install a package "
        f"that offers {names} as entry points of {GROUP} (docs/your-model.md)"
    )


def _load(entry: EntryPoint) -> Any:
    try:
        return entry.load()
    except Exception as error:  # whatever the package raises
        raise ModelError(f"the layer {entry.name} cannot be loaded from {entry.value} ({error!r}): install its package again") from error


def _registered_names(name: str, loaded: Any) -> tuple[str, ...]:
    """A class may be registered with Keras under the name of a package too, such as `my_package>Scale`."""
    import keras

    return name, keras.saving.get_registered_name(loaded)
