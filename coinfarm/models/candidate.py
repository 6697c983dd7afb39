"""Makes a bundle of what a person wants to publish: a bundle's folder, a Keras archive, or one archive for each output."""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from coinfarm.documents import translate_validation_errors
from coinfarm.errors import ModelError, system_error_text
from coinfarm.models.bundle import Bundle
from coinfarm.models.manifest import MODEL_FILE, Layout, Member, Output, Unit
from coinfarm.models.model_file import BUNDLE, KERAS_ARCHIVE, check_is_keras_archive, kind_of, wrong_kind
from coinfarm.models.network_config import read_network_config
from coinfarm.models.output_names import check_order, outputs_by_name, parse_outputs, recognised_output
from coinfarm.outputs import OUTPUT_NAMES

GivenUnit = Literal["percent", "window_range", "fraction"]
ReturnMaps = Mapping[str, tuple[float, ...]]


@dataclass(frozen=True)
class Interface:
    """What a network was trained to take and to give, as far as its file does not say it.

    `outputs` is a text like `rise,-decline,end`, with a minus for declines that are positive. `return_maps` has the value of every class
    of an output that gives the probabilities of classes, or, with `is_class_index`, the index of one. `layout` and `pixels` are those of
    `coinfarm.models.manifest.Member`.
    """

    outputs: str | None = None
    unit: GivenUnit = "percent"
    layout: Layout | None = None
    pixels: tuple[float, float] | None = None
    return_maps: ReturnMaps = field(default_factory=dict)
    is_class_index: bool = False


def bundle_to_publish(
    source: Path | None, folder: Path, *, name: str | None = None, interface: Interface | None = None, members: Sequence[str] = ()
) -> Bundle:
    """The bundle in the folder `source`, or a new one in the empty `folder`: of the Keras archive `source`, or of `members`.

    Each of `members` is a text like `rise=a.keras` or `rise,decline=b.keras`. `name` and `interface` are for new bundles only: another
    bundle has its own. Raises `ModelError` for a damaged bundle, a file of another kind, and outputs that are missing or unclear.
    """
    if source is not None and not members:
        kind = kind_of(source)
        if kind == BUNDLE:
            return _existing(source, name, interface)
        if kind != KERAS_ARCHIVE:
            raise wrong_kind(str(source), kind)
        if _is_in_bundle(source):
            return _existing(source.parent, name, interface)
        interface = interface or Interface()
        return _create(folder, name or source.stem, [(source, MODEL_FILE, _outputs(source, interface))], interface)
    if source is not None or not members:
        raise ModelError("pass either one model or --member for each network, not both")
    return _of_members(members, folder, name, interface or Interface())


def read_return_maps(path: Path) -> ReturnMaps:
    """The value of every class: a JSON list of numbers for all outputs, or an object of such lists by output. Raises `ModelError`."""
    example = '[-2.0, -0.5, 0.0, 0.5, 2.0], or {"rise": […], "decline": […], "end": […]}'
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise ModelError(system_error_text(error)) from error
    except (ValueError, RecursionError):
        raise ModelError(f"{path} is not JSON: write the return of every class as {example}") from None
    by_name = document if isinstance(document, dict) else dict.fromkeys(OUTPUT_NAMES, document)
    maps: dict[str, tuple[float, ...]] = {}
    for name, values in by_name.items():
        output = recognised_output(name)
        is_list = isinstance(values, list) and all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
        if output is None or not is_list or len(values) < 2:
            raise ModelError(f"{path}: {name!r} is not an output with two or more returns: write {example}")
        maps[output] = tuple(float(value) for value in values)
    return maps


def _is_in_bundle(archive: Path) -> bool:
    """Whether a manifest beside the archive describes it. Raises `ModelError` if there is one that is damaged."""
    if kind_of(archive.parent) != BUNDLE:
        return False
    return any(member.file == archive.name for member in Bundle.open(archive.parent).manifest.members)


def _existing(folder: Path, name: str | None, interface: Interface | None) -> Bundle:
    if name is not None or interface not in (None, Interface()):
        raise ModelError(f"{folder} has a manifest, which says all that: leave these options out, or publish a copy of its .keras file")
    return Bundle.open(folder)


def _outputs(path: Path, interface: Interface) -> tuple[Output, ...]:
    names = read_network_config(path).outputs
    if interface.outputs is not None:
        named = parse_outputs(interface.outputs)
        check_order(named, names, str(path))
    else:
        named = tuple((output, None) for output in outputs_by_name(names, str(path)))
    return tuple(_output(name, factor, interface) for name, factor in named)


def _output(name: str, factor: float | None, interface: Interface) -> Output:
    unit: Unit = "window_range" if interface.unit == "window_range" else "percent"
    if interface.unit == "fraction":
        factor = 100.0 * (factor or 1.0)
    return_map = interface.return_maps.get(name)
    return Output(
        name=name,
        unit=unit,
        factor=factor,
        return_map=return_map,
        probabilities=True if return_map and not interface.is_class_index else None,
    )


def _of_members(texts: Sequence[str], folder: Path, name: str | None, interface: Interface) -> Bundle:
    if interface.outputs is not None:
        raise ModelError("--outputs is for one model: with --member, name the outputs there, such as --member rise,decline=a.keras")
    networks = []
    for text in texts:
        given, equals, file = text.partition("=")
        if not equals:
            raise ModelError(f"--member {text}: write the output and its network, such as rise=a.keras")
        check_is_keras_archive(path := Path(file), file)
        outputs = tuple(_output(output, factor, interface) for output, factor in parse_outputs(given))
        networks.append((path, f"{'-'.join(output.name for output in outputs)}.keras", outputs))
    return _create(folder, name or networks[0][0].stem, networks, interface)


def _create(folder: Path, name: str, networks: Sequence[tuple[Path, str, tuple[Output, ...]]], interface: Interface) -> Bundle:
    for path, file, _ in networks:
        shutil.copyfile(path, folder / file)
    outputs = tuple(output for _, _, each in networks for output in each)
    missing = [each for each in OUTPUT_NAMES if each not in {output.name for output in outputs}]
    if missing or len(outputs) > len(OUTPUT_NAMES):
        named = ", ".join(output.name for output in outputs)
        raise ModelError(f"the networks give {named}, but a model gives {', '.join(OUTPUT_NAMES)}, each once: name each with --member")
    with translate_validation_errors(str(networks[0][0]), ModelError):
        members = tuple(
            Member(file=file, outputs=tuple(output.name for output in each), layout=interface.layout, pixels=interface.pixels)
            for _, file, each in networks
        )
    return Bundle.create(folder, name=name, outputs=outputs, members=members)
