"""`coinfarm --version`: the versions of Coinfarm, Python, the engines and the reference model."""

import platform
import sys
from collections.abc import Callable

import click

_ENGINES = (("OpenVINO", "openvino"), ("Keras", "keras"), ("TensorFlow", "tensorflow-cpu"), ("TensorFlow", "tensorflow"), ("JAX", "jax"))
"""Names of engines, and the distributions that contain them."""


def _show(context: click.Context, _: click.Parameter, is_given: bool) -> None:
    if not is_given or context.resilient_parsing:
        return
    click.echo(
        f"coinfarm {_version('coinfarm') or '(not installed; running from source)'}\n"
        f"Python {platform.python_version()} on {sys.platform} {platform.machine()}\n"
        f"engines: {', '.join(_engines()) or 'none'}\n"
        f"reference model {_reference_model()}"
    )
    context.exit()


def version_option(command: Callable[..., None]) -> Callable[..., None]:
    """Add `--version`, which needs no command and loads no engine."""
    show = "Show the versions of Coinfarm, Python, the engines and the reference model."
    return click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_show, help=show)(command)


def _engines() -> list[str]:
    """The installed engines. They are not loaded, which would take seconds."""
    found = ((name, _version(distribution)) for name, distribution in _ENGINES)
    return [f"{name} {version}" for name, version in found if version]


def _version(distribution: str) -> str | None:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def _reference_model() -> str:
    import json
    from importlib.resources import files

    version: str = json.loads((files("coinfarm") / "reference_model/current.json").read_text())["version"]
    return version
