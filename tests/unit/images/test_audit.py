"""What is told of known vulnerabilities."""

import click
import pytest

from images import audit
from images.audit import Audit

SAFE = {"name": "keras", "version": "3.15.1", "vulns": []}
PRIVATE = {"name": "our-renderer", "skip_reason": "Dependency not found on PyPI"}
HIT = {
    "name": "keras",
    "version": "3.12.0",
    "vulns": [{"id": "PYSEC-2026-1", "fix_versions": ["3.15.0"], "aliases": ["CVE-2026-0897"], "description": "runs code"}],
}


def told(*dependencies: object) -> str:
    return Audit.read({"dependencies": list(dependencies), "fixes": []}).check()


def test_packages_without_a_known_vulnerability_are_counted() -> None:
    assert told(SAFE) == "no known vulnerability in 1 packages"


def test_packages_that_the_database_does_not_know_are_named() -> None:
    assert told(SAFE, PRIVATE) == "no known vulnerability in 1 packages; it does not know our-renderer"


def test_a_database_that_answers_for_nothing_is_no_clean_bill_of_health() -> None:
    assert told(PRIVATE).startswith("NOT AUDITED: ")


def test_a_vulnerability_is_an_error_that_names_its_remedy() -> None:
    with pytest.raises(click.ClickException, match=r"^keras 3\.12\.0: PYSEC-2026-1, mended in 3\.15\.0$"):
        told(SAFE, HIT)


@pytest.mark.parametrize("accepted", ["PYSEC-2026-1", "CVE-2026-0897"])
def test_a_vulnerability_that_is_accepted_under_any_of_its_names_is_none(monkeypatch: pytest.MonkeyPatch, accepted: str) -> None:
    monkeypatch.setitem(audit.ACCEPTED, accepted, "models are never loaded from strangers")
    assert told(HIT) == "no known vulnerability in 1 packages"
