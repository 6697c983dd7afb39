"""Known vulnerabilities of an image's Python packages."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import click

from images.scanners import run_scanner

ACCEPTED: dict[str, str] = {}
"""Vulnerability id → why it does not matter here."""


@dataclass(frozen=True)
class Audit:
    """The result of checking packages against PyPI's database of vulnerabilities."""

    audited: tuple[str, ...]
    unknown: tuple[str, ...]
    """Packages that are not in the database: private ones, or all if the database is not available."""
    vulnerabilities: tuple[str, ...]

    @classmethod
    def read(cls, report: dict[str, Any]) -> Self:
        """Parse pip-audit's report."""
        audited = [each for each in report["dependencies"] if "skip_reason" not in each]
        return cls(
            tuple(each["name"] for each in audited),
            tuple(each["name"] for each in report["dependencies"] if "skip_reason" in each),
            tuple(
                f"{each['name']} {each['version']}: {found['id']}, fixed in {', '.join(found['fix_versions']) or 'no version'}"
                for each in audited
                for found in each["vulns"]
                if not ACCEPTED.keys() & {found["id"], *found["aliases"]}
            ),
        )

    def check(self) -> str:
        """The result in one line. Raises `click.ClickException` for a vulnerability that is not accepted."""
        if self.vulnerabilities:
            raise click.ClickException("\n".join(self.vulnerabilities))
        if not self.audited:
            return f"NOT AUDITED: PyPI's database of vulnerabilities returned nothing for {len(self.unknown)} packages"
        unknown = f"; not in the database: {', '.join(self.unknown)}" if self.unknown else ""
        return f"no known vulnerabilities in {len(self.audited)} packages{unknown}"


def audit(packages: Path) -> Audit:
    """Audit a folder of installed packages.

    If the database is not available, pip-audit reports all packages as unknown, or fails: then nothing is audited.
    """
    completed = run_scanner("pip-audit", "--path", packages, "--format", "json", "--progress-spinner", "off")
    try:
        report = json.loads(completed.stdout)
    except ValueError:
        click.echo(completed.stderr.strip().rpartition("\n")[2], err=True)
        report = {"dependencies": [{"name": each.name, "skip_reason": "no response"} for each in packages.glob("*.dist-info")]}
    return Audit.read(report)
