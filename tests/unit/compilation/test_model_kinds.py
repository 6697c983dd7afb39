"""The kinds of models in docs/models.md; `python -m tests.support.model_page` builds all of them."""

from types import ModuleType

import pytest

from tests.support.model_kinds import ModelKind
from tests.support.model_page import KINDS, PAGE, outcome, page_with_rows, rows_of

QUICK = [kind for kind in KINDS if kind.is_quick]


@pytest.mark.tensorflow
@pytest.mark.parametrize("kind", QUICK, ids=lambda kind: kind.name)
def test_a_model_is_served_as_the_page_says(kind: ModelKind, keras: ModuleType) -> None:
    assert rows_of(PAGE.read_text())[kind.group, kind.name] == outcome(kind), "run python -m tests.support.model_page"


def test_the_page_has_the_expected_outcome_of_every_kind() -> None:
    page = PAGE.read_text()
    outcomes = rows_of(page)
    unexpected = {key: text for kind in KINDS if not (text := outcomes[key := (kind.group, kind.name)]).startswith(kind.outcome)}
    assert unexpected == {}
    assert page_with_rows(page, outcomes) == page
    assert len(outcomes) == len(KINDS) >= 60
