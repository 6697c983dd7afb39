"""The private package index in AWS CodeArtifact (infrastructure/packages.yaml): upload to it, or run a command that installs from it.

    python -m tools.package_index upload dist/*
    python -m tools.package_index exec pip install coinfarm
    python -m tools.package_index exec docker build --secret id=pip_index,env=PIP_INDEX_URL .

The index is named by the outputs of a stack (`STACK`), or by `PACKAGE_DOMAIN` and `PACKAGE_REPOSITORY`. Its token is in the environment of
the command that is run, for an hour, and nowhere else: in no file, no argument and no output.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import quote, urlsplit

import boto3
import click
from botocore.exceptions import BotoCoreError, ClientError, NoRegionError

_TOKEN_S = 3600
OUTPUTS = ("PackageDomain", "PackageDomainOwner", "PackageRepository")
"""Of packages.yaml."""


@dataclass(frozen=True)
class Index:
    """Where packages go and come from. `url` ends with a slash, and takes uploads; `url` + `simple/` is what pip reads."""

    url: str
    token: str = field(repr=False)

    def for_twine(self) -> dict[str, str]:
        """Variables of the environment."""
        return {"TWINE_REPOSITORY_URL": self.url, "TWINE_USERNAME": "aws", "TWINE_PASSWORD": self.token, "TWINE_NON_INTERACTIVE": "1"}

    def for_pip(self) -> dict[str, str]:
        """Variables of the environment. The only index, for it has PyPI's packages too: of two, pip takes what is newer."""
        scheme, host, path, *_ = urlsplit(self.url)
        return {"PIP_INDEX_URL": f"{scheme}://aws:{quote(self.token, safe='')}@{host}{path}simple/"}


@dataclass(frozen=True)
class Place:
    """Which index: one that a stack's outputs name, or one named part by part."""

    stack: str | None
    domain: str | None
    owner: str | None
    repository: str | None

    def log_in(self) -> Index:
        """Ask CodeArtifact for a token. Raises `click.ClickException` where there is no such index, or none for us."""
        try:
            place = _told_by(self.stack) if self.stack else self
            return place._log_in()
        except NoRegionError:
            raise click.ClickException("in which region? Name it in AWS_REGION, or in the profile") from None
        except (BotoCoreError, ClientError) as error:
            raise click.ClickException(str(error)) from None

    def _log_in(self) -> Index:
        if not (self.domain and self.repository):
            raise click.UsageError("which index? Set STACK to the stack of packages, or PACKAGE_DOMAIN and PACKAGE_REPOSITORY")
        client = _client("codeartifact")
        domain = {"domain": self.domain, **({"domainOwner": self.owner} if self.owner else {})}
        url = client.get_repository_endpoint(**domain, repository=self.repository, format="pypi")["repositoryEndpoint"]
        return Index(url, client.get_authorization_token(**domain, durationSeconds=_TOKEN_S)["authorizationToken"])


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--stack", envvar="STACK", help="A stack of infrastructure/packages.yaml.  [default: $STACK]")
@click.option("--domain", envvar="PACKAGE_DOMAIN", help="The domain, where no stack tells it.  [default: $PACKAGE_DOMAIN]")
@click.option("--owner", envvar="PACKAGE_DOMAIN_OWNER", help="The domain's account.  [default: $PACKAGE_DOMAIN_OWNER, or one's own]")
@click.option("--repository", envvar="PACKAGE_REPOSITORY", help="The repository in it.  [default: $PACKAGE_REPOSITORY]")
@click.pass_context
def main(context: click.Context, stack: str | None, domain: str | None, owner: str | None, repository: str | None) -> None:
    """Use the private package index."""
    context.obj = Place(stack, domain, owner, repository)


@main.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False))
@click.pass_obj
def upload(place: Place, files: tuple[str, ...]) -> None:
    """Upload FILES. A version that is there already is refused: it may be in use."""
    command = [sys.executable, "-m", "twine", "upload", "--verbose", "--disable-progress-bar", *files]  # or a refusal has no reason
    sys.exit(subprocess.run(command, env=os.environ | place.log_in().for_twine(), check=False).returncode)  # noqa: S603 - ours


@main.command("exec", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@click.pass_obj
def execute(place: Place, command: tuple[str, ...]) -> None:
    """Run COMMAND with the index as PIP_INDEX_URL in its environment."""
    if shutil.which(command[0]) is None:  # execvpe's own error is that of the last folder on the PATH
        raise click.ClickException(f"{command[0]}: command not found")
    index = place.log_in()
    try:
        os.execvpe(command[0], command, os.environ | index.for_pip())  # noqa: S606 - the caller's own
    except OSError as error:
        raise click.ClickException(f"{command[0]}: {error.strerror}") from None


def _client(service: Literal["cloudformation", "codeartifact"]) -> Any:
    return boto3.client(service, region_name=os.environ.get("AWS_REGION") or None)  # which botocore passes by


def _told_by(stack: str) -> Place:
    (described,) = _client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}
    if not outputs.keys() >= set(OUTPUTS):
        raise click.ClickException(f"the stack {stack} has no package index: it lacks the outputs {', '.join(OUTPUTS)}")
    return Place(None, *(outputs[name] for name in OUTPUTS))


if __name__ == "__main__":
    main(prog_name="python -m tools.package_index")
