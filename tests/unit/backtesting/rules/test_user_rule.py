"""Rules are imported from the strategy's folder, and their errors name the rule, the file and the line."""

import sys
from pathlib import Path

import pytest

from coinfarm.backtesting.rules.user_rule import RuleError, StepRule, call_rule, load_rule


def write(folder: Path, source: str) -> Path:
    path = folder / "rules_of_test.py"
    path.write_text(source)
    return path


def test_imports_from_the_strategys_folder_and_leaves_nothing_behind(tmp_path: Path) -> None:
    write(tmp_path, "def enter(rows):\n    return rows + 1\n")
    assert load_rule("rules_of_test:enter", tmp_path)(1) == 2
    assert str(tmp_path) not in sys.path
    assert [path.name for path in tmp_path.iterdir()] == ["rules_of_test.py"]


def test_reads_an_edited_file_and_one_of_another_folder_again(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    for number, folder in enumerate((tmp_path, tmp_path, other)):
        write(folder, f"def enter(rows):\n    return {number}\n")
        assert load_rule("rules_of_test:enter", folder)(None) == number


@pytest.mark.parametrize(
    ("source", "named"),
    [
        ("def enter(rows)\n    return 0\n", "line 1: SyntaxError"),
        ("import os\n\nos.no_such_function()\n", "line 3: AttributeError.*no_such_function"),
        ("import no_such_module\n", "line 1: ModuleNotFoundError.*no_such_module"),
        ("raise SystemExit(3)\n", "line 1: SystemExit: 3"),
    ],
    ids=["syntax", "exception", "missing module", "exit"],
)
def test_names_the_line_that_cannot_be_imported(tmp_path: Path, source: str, named: str) -> None:
    path = write(tmp_path, source)
    with pytest.raises(RuleError, match=f"rules_of_test:enter.*{path}, {named}"):
        load_rule("rules_of_test:enter", tmp_path)


@pytest.mark.parametrize(
    ("name", "named"), [("no_such_module_of_test:enter", "no_such_module_of_test"), ("json:no_such_function", "no_such_function")]
)
def test_names_a_missing_rule(tmp_path: Path, name: str, named: str) -> None:
    with pytest.raises(RuleError, match=f"rule {name}: .*{named}"):
        load_rule(name, tmp_path)


def test_names_the_users_line_of_an_exception_that_a_library_raises(tmp_path: Path) -> None:
    path = write(
        tmp_path, "import numpy as np\n\ndef enter(rows):\n    return helper(rows)\n\ndef helper(rows):\n    return np.stack(rows)\n"
    )
    rule = load_rule("rules_of_test:enter", tmp_path)
    with pytest.raises(RuleError, match=f"rule rules_of_test:enter: {path}, line 7: ValueError: ") as raised:
        call_rule(rule, rule, [])
    with pytest.raises(RuleError, match=f"rule rules_of_test:enter: {path}, line 3: TypeError: "):
        call_rule(rule, rule, 1, 2)
    assert "\n" not in str(raised.value)


def test_a_class_is_instantiated_for_each_coin(tmp_path: Path) -> None:
    write(tmp_path, "class Counter:\n    count = 0\n    def __call__(self, view):\n        self.count += 1\n        return self.count\n")
    rule = StepRule(load_rule("rules_of_test:Counter", tmp_path))
    first, second = rule.for_coin(), rule.for_coin()
    assert (first(None), first(None), second(None)) == (1, 2, 1)


def test_rejects_a_class_that_cannot_be_instantiated_or_called(tmp_path: Path) -> None:
    write(tmp_path, "class Failing:\n    def __init__(self):\n        1 / 0\n\nclass Silent:\n    pass\n")
    with pytest.raises(RuleError, match=r"Failing.*line 3: ZeroDivisionError"):
        StepRule(load_rule("rules_of_test:Failing", tmp_path)).for_coin()
    with pytest.raises(RuleError, match=r"Silent.*line 5: .*__call__"):
        StepRule(load_rule("rules_of_test:Silent", tmp_path)).for_coin()
