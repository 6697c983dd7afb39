"""The page as one file, which asks for the URL and the key of an API."""

import base64
import hashlib
import html
import re
from urllib.parse import urlsplit

from coinfarm.errors import CoinfarmError
from handler.web.page_files import EXAMPLE, INDEX, page_files

_IMPORT = re.compile(r'^import \{ ([\w, ]+) \} from "\./([\w.]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|class|const) (\w+))", re.MULTILINE)
_CHART_LIBRARY = "vendor/lightweight-charts/lightweight-charts.js"
_ANY_API = "https: http://127.0.0.1:* http://localhost:*"


def single_file(api_url: str | None = None) -> str:
    """The HTML. Its content security policy allows only its own scripts and style, and requests to `api_url`, or without one to any API.

    Raises `CoinfarmError` for an `api_url` that is not a URL.
    """
    style, library, script = page_files()["page.css"].text, page_files()[_CHART_LIBRARY].text, bundled("main.js")
    policy = (
        f"default-src 'none'; script-src {_hash(library)} {_hash(script)}; style-src {_hash(style)}; img-src data: blob:; "
        f"connect-src {_ANY_API if api_url is None else _origin(api_url)}; base-uri 'none'; form-action 'none'"
    )
    attributes = "data-single-file" + (f' data-api-url="{html.escape(api_url)}"' if api_url else "")
    parts = {
        '<html lang="en">': f'<html lang="en" {attributes}>',
        '<meta charset="utf-8">': f'<meta charset="utf-8">\n<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<link rel="stylesheet" href="assets/page.css">': f"<style>{style}</style>",
        f'<script defer src="assets/{_CHART_LIBRARY}"></script>\n': "",
        '<script type="module" src="assets/main.js"></script>\n': "",
        "</body>": f'<script type="text/csv" id="example-candles">{page_files()[EXAMPLE].text}</script>\n'
        f'<script>{library}</script>\n<script type="module">{script}</script>\n</body>',
    }
    page = page_files()[INDEX].text
    for placeholder, part in parts.items():
        assert page.count(placeholder) == 1, placeholder
        page = page.replace(placeholder, part)
    return page


def bundled(entry: str) -> str:
    """One script from a module and all that it imports: each a function that returns what the module exports."""
    parts: dict[str, str] = {}
    _collect(entry, parts)
    return "const modules = {};\n" + "".join(parts.values())


def _collect(name: str, parts: dict[str, str]) -> None:
    source = page_files()[name].text
    for _, imported in _IMPORT.findall(source):
        if imported not in parts:
            _collect(imported, parts)
    exports = ", ".join(_EXPORT.findall(source))
    body = _EXPORT.sub("", _IMPORT.sub(r'const { \1 } = modules["\2"];\n', source))
    parts[name] = f'modules["{name}"] = (() => {{\n{body}return {{ {exports} }};\n}})();\n'


def _hash(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def _origin(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not re.fullmatch(r"[\w.:\[\]-]+", parts.netloc):
        raise CoinfarmError(f"{url!r} is not the URL of an API: use one like https://api.example.com/v1")
    return f"{parts.scheme}://{parts.netloc}"
