"""Jinja2 templates of this distribution."""

from collections.abc import Callable, Mapping
from typing import Any


def render(package: str, name: str, filters: "Mapping[str, Callable[..., Any]] | None" = None, **values: Any) -> str:
    """Render the template file `name` of `package` with the values.

    Text is escaped in `.html.j2` templates only: elsewhere, as in Markdown, `&lt;` would be shown as it is written.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    environment = Environment(
        loader=PackageLoader(package, "."),
        autoescape=select_autoescape(enabled_extensions=("html.j2",), default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(filters or {})
    return environment.get_template(name).render(values)
