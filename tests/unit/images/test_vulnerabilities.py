import click
import pytest

from images import vulnerabilities
from images.vulnerabilities import Audit

SAFE = {"name": "keras", "version": "3.15.1", "vulns": []}
PRIVATE = {"name": "our-renderer", "skip_reason": "Dependency not found on PyPI"}
VULNERABILITY = {"id": "PYSEC-2026-1", "fix_versions": ["3.15.0"], "aliases": ["CVE-2026-0897"], "description": "runs code"}
HIT = {"name": "keras", "version": "3.12.0", "vulns": [VULNERABILITY]}


def summary(*dependencies):
    return Audit.read({"dependencies": list(dependencies), "fixes": []}).check()


def test_counts_packages_and_names_those_that_are_not_in_the_database():
    assert "1 packages" in summary(SAFE)
    assert "1 packages" in summary(SAFE, PRIVATE)
    assert "our-renderer" in summary(SAFE, PRIVATE)
    assert summary(PRIVATE).startswith("NOT AUDITED: ")


def test_a_vulnerability_is_an_error_with_the_fixed_version():
    with pytest.raises(click.ClickException, match=r"^keras 3\.12\.0: PYSEC-2026-1, .* 3\.15\.0$"):
        summary(SAFE, HIT)


@pytest.mark.parametrize("accepted", ["PYSEC-2026-1", "CVE-2026-0897"])
def test_a_vulnerability_can_be_accepted_by_any_of_its_ids(monkeypatch, accepted):
    monkeypatch.setitem(vulnerabilities.ACCEPTED, accepted, "models are never loaded from strangers")
    assert "1 packages" in summary(HIT)
