"""What identifies a rule: its source, and that of the modules next to it that it uses."""

import inspect
import textwrap
from pathlib import Path

from coinfarm.backtesting.rules.rule_source import rule_source
from coinfarm.backtesting.rules.user_rule import load_rule

RULE = "import numpy\nfrom {helper} import limit\n\ndef enter(rows):\n    return limit(rows) + numpy.zeros(1)\n"


def source(folder: Path, name: str, helper: int, *, unrelated: str = "") -> str:
    """Of a rule with a helper module; each has another name, because helpers are not read again."""
    folder.mkdir(exist_ok=True)
    (folder / f"{name}_helper.py").write_text(f"def limit(rows):\n    return {helper}\n")
    (folder / f"{name}_unrelated.py").write_text(unrelated)
    (folder / "helped.py").write_text(RULE.format(helper=f"{name}_helper"))
    return rule_source(load_rule("helped:enter", folder)).replace(name, "")


def test_an_edit_of_a_module_that_the_rule_uses_is_another_rule(tmp_path: Path) -> None:
    first = source(tmp_path / "a", "first", 1)
    assert first == source(tmp_path / "b", "second", 1, unrelated="1")
    assert first != source(tmp_path / "c", "third", 2)


def test_installed_packages_are_not_read(tmp_path: Path) -> None:
    assert len(source(tmp_path, "alone", 1)) < 500
    assert rule_source(textwrap.dedent) == f"dedent\n{inspect.getsource(textwrap)}"


def test_a_rule_without_a_file_has_its_code() -> None:
    names: dict[str, object] = {}
    exec("def enter(rows):\n    return 1", names)  # as in an interactive session
    assert "enter" in rule_source(names["enter"])  # type: ignore[arg-type]
