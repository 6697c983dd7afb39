"""The options that say how a network without a manifest was trained: what it takes, and what its outputs mean."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from coinfarm.cli.paths import EXISTING_FILE

if TYPE_CHECKING:
    from coinfarm.models.candidate import Interface


def interface_options(command: Callable[..., None]) -> Callable[..., None]:
    """Adds the options, whose values `to_interface` takes, and `--member`, as `members`."""
    for option in (
        click.option(
            "--outputs",
            help="The order of its outputs, such as rise,decline,end; -decline if its declines are positive.  [default: their names]",
        ),
        click.option(
            "--unit",
            type=click.Choice(["percent", "window_range", "fraction"]),
            default="percent",
            show_default=True,
            help="The unit of its outputs: percent of the last close, shares of the window's price range, or fractions (0.01 is 1 %).",
        ),
        click.option(
            "--layout",
            help="The axes of its input, such as rows,candles,channels; -rows if the first row is the highest price.  "
            "[default: candles,rows,channels]",
        ),
        click.option("--pixels", help="The values of a clear and of a set pixel in its input, such as 0,255.  [default: 0,1]"),
        click.option(
            "--return-map",
            type=EXISTING_FILE,
            help="If its outputs are probabilities of classes: a JSON file with the return of every class.",
        ),
        click.option("--class-index", "is_class_index", is_flag=True, help="Its outputs are indices of the classes in --return-map."),
        click.option("--member", "members", multiple=True, help="One network of several and its output, such as rise=a.keras."),
    ):
        command = option(command)
    return command


def to_interface(
    outputs: str | None, unit: Any, layout: str | None, pixels: str | None, return_map: Path | None, is_class_index: bool
) -> "Interface":
    """The interface that the options describe. Raises `click.UsageError`, and `ModelError` for a return map that cannot be read."""
    from coinfarm.models.candidate import Interface, read_return_maps
    from coinfarm.models.manifest import checked_layout

    try:
        axes = None if layout is None else checked_layout(tuple(axis.strip() for axis in layout.split(",")))
    except ValueError as error:
        raise click.UsageError(f"--layout {layout}: {error}") from None
    try:
        clear, filled = (0.0, 1.0) if pixels is None else (float(value) for value in pixels.split(","))
    except ValueError:
        raise click.UsageError(f"--pixels {pixels}: write two numbers, such as 0,255") from None
    if clear == filled:
        raise click.UsageError(f"--pixels {pixels}: a clear and a set pixel must differ")
    if is_class_index and return_map is None:
        raise click.UsageError("--class-index needs --return-map, the return of every class")
    maps = {} if return_map is None else read_return_maps(return_map)
    given_pixels = None if pixels is None else (clear, filled)
    return Interface(outputs, unit, axes, given_pixels, maps, is_class_index)
