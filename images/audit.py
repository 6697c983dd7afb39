"""Known vulnerabilities of an image's Python packages."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import click

from images.scanners import scan

ACCEPTED: dict[str, str] = {}
"""Vulnerabilities that do not matter here, by their identifiers, and why. There is none."""


@dataclass(frozen=True)
class Audit:
    """What the database of PyPI knows of packages."""

    audited: tuple[str, ...]
    unknown: tuple[str, ...]
    """Packages that it does not have: private ones, or all, where nobody answers."""
    vulnerabilities: tuple[str, ...]

    @classmethod
    def read(cls, report: dict[str, Any]) -> Self:
        """pip-audit's report."""
        audited = [each for each in report["dependencies"] if "skip_reason" not in each]
        return cls(
            tuple(each["name"] for each in audited),
            tuple(each["name"] for each in report["dependencies"] if "skip_reason" in each),
            tuple(
                f"{each['name']} {each['version']}: {found['id']}, mended in {', '.join(found['fix_versions']) or 'no version'}"
                for each in audited
                for found in each["vulns"]
                if not ACCEPTED.keys() & {found["id"], *found["aliases"]}
            ),
        )

    def check(self) -> str:
        """What to tell. Raises `click.ClickException` for a vulnerability that is not accepted."""
        if self.vulnerabilities:
            raise click.ClickException("\n".join(self.vulnerabilities))
        if not self.audited:
            return f"NOT AUDITED: PyPI's database of vulnerabilities, asked for {len(self.unknown)} packages, answers for none of them"
        unknown = f"; it does not know {', '.join(self.unknown)}" if self.unknown else ""
        return f"no known vulnerability in {len(self.audited)} packages{unknown}"


def audit(packages: Path) -> Audit:
    """Ask about a folder of installed packages.

    pip-audit counts a database that answers nothing as one that knows nothing, and finds no vulnerability: hence `Audit.unknown`. Where
    its request fails altogether, nothing is audited either.
    """
    done = scan("pip-audit", "--path", packages, "--format", "json", "--progress-spinner", "off")
    try:
        report = json.loads(done.stdout)
    except ValueError:
        click.echo(done.stderr.strip().rpartition("\n")[2], err=True)
        report = {"dependencies": [{"name": each.name, "skip_reason": "no answer"} for each in packages.glob("*.dist-info")]}
    return Audit.read(report)
