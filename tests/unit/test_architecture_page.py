"""The layers in docs/architecture.md are those of the import contract."""

import re
import tomllib

from tests.support.repository import ROOT


def test_page_shows_the_layers_of_the_contract():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    table = (ROOT / "docs/architecture.md").read_text().split("## Layers\n\n```text\n")[1].split("```")[0]
    shown = [re.split(r"  +", line)[0].replace(", ", ", coinfarm/").split(", ") for line in table.splitlines()]
    assert [path for layer in shown for path in layer if not (ROOT / path).exists()] == []
    modules = [{path.removesuffix(".py").replace("/", ".") for path in layer} for layer in shown]
    assert modules == [set(re.split(r" [|:] ", layer)) for layer in layers]
