"""The private package index in AWS CodeArtifact (infrastructure/packages.yaml): upload to it, or run a command that installs from it.

    python -m tools.package_index upload dist/*
    python -m tools.package_index exec pip install coinfarm
    python -m tools.package_index exec docker build --secret id=pip_index,env=PIP_INDEX_URL .

The index is given by the outputs of a stack (`STACK`), or by `PACKAGE_DOMAIN` and `PACKAGE_REPOSITORY`. Its token, valid for an hour, is
only in the environment of the command: in no file, no argument and no output.
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

_TOKEN_TTL_S = 3600
OUTPUTS = ("PackageDomain", "PackageDomainOwner", "PackageRepository")
"""Outputs of packages.yaml."""


@dataclass(frozen=True)
class Index:
    """A package index. `url`, for uploads, ends with a slash; pip uses `url` + `simple/`."""

    url: str
    token: str = field(repr=False)

    def twine_environment(self) -> dict[str, str]:
        """Environment variables for twine."""
        return {"TWINE_REPOSITORY_URL": self.url, "TWINE_USERNAME": "aws", "TWINE_PASSWORD": self.token, "TWINE_NON_INTERACTIVE": "1"}

    def pip_environment(self) -> dict[str, str]:
        """Environment variables for pip. The only index: it has PyPI's packages too, and of two indexes pip takes the newer version."""
        scheme, host, path, *_ = urlsplit(self.url)
        return {"PIP_INDEX_URL": f"{scheme}://aws:{quote(self.token, safe='')}@{host}{path}simple/"}


@dataclass(frozen=True)
class IndexLocation:
    """The location of an index: the outputs of a stack, or domain, owner and repository."""

    stack: str | None
    domain: str | None
    owner: str | None
    repository: str | None

    def log_in(self) -> Index:
        """Get a token from CodeArtifact. Raises `click.ClickException` if the index does not exist or access is denied."""
        try:
            location = _from_stack(self.stack) if self.stack else self
            return location._log_in()
        except NoRegionError:
            raise click.ClickException("no AWS region is configured; set AWS_REGION, or a region in the profile") from None
        except (BotoCoreError, ClientError) as error:
            raise click.ClickException(str(error)) from None

    def _log_in(self) -> Index:
        if not (self.domain and self.repository):
            raise click.UsageError("no package index given: set STACK to the stack of packages, or PACKAGE_DOMAIN and PACKAGE_REPOSITORY")
        client = _client("codeartifact")
        domain = {"domain": self.domain, **({"domainOwner": self.owner} if self.owner else {})}
        url = client.get_repository_endpoint(**domain, repository=self.repository, format="pypi")["repositoryEndpoint"]
        return Index(url, client.get_authorization_token(**domain, durationSeconds=_TOKEN_TTL_S)["authorizationToken"])


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--stack", envvar="STACK", help="A stack of infrastructure/packages.yaml.  [default: $STACK]")
@click.option("--domain", envvar="PACKAGE_DOMAIN", help="The domain, if no stack is given.  [default: $PACKAGE_DOMAIN]")
@click.option("--owner", envvar="PACKAGE_DOMAIN_OWNER", help="The domain's account.  [default: $PACKAGE_DOMAIN_OWNER, or the caller's]")
@click.option("--repository", envvar="PACKAGE_REPOSITORY", help="The repository of the domain.  [default: $PACKAGE_REPOSITORY]")
@click.pass_context
def main(context: click.Context, stack: str | None, domain: str | None, owner: str | None, repository: str | None) -> None:
    """Use the private package index."""
    context.obj = IndexLocation(stack, domain, owner, repository)


@main.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False))
@click.pass_obj
def upload(location: IndexLocation, files: tuple[str, ...]) -> None:
    """Upload FILES. A version that already exists is rejected, because it may be in use."""
    command = [
        sys.executable,
        "-m",
        "twine",
        "upload",
        "--verbose",
        "--disable-progress-bar",
        *files,
    ]  # --verbose prints the reason for a rejection
    sys.exit(subprocess.run(command, env=os.environ | location.log_in().twine_environment(), check=False).returncode)  # noqa: S603 - ours


@main.command("exec", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@click.pass_obj
def execute(location: IndexLocation, command: tuple[str, ...]) -> None:
    """Run COMMAND with the index as PIP_INDEX_URL in its environment."""
    if shutil.which(command[0]) is None:  # execvpe reports the last folder on the PATH instead
        raise click.ClickException(f"{command[0]}: command not found")
    index = location.log_in()
    try:
        os.execvpe(command[0], command, os.environ | index.pip_environment())  # noqa: S606 - the caller's own
    except OSError as error:
        raise click.ClickException(f"{command[0]}: {error.strerror}") from None


def _client(service: Literal["cloudformation", "codeartifact"]) -> Any:
    return boto3.client(service, region_name=os.environ.get("AWS_REGION") or None)  # botocore ignores AWS_REGION


def _from_stack(stack: str) -> IndexLocation:
    (described,) = _client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}
    if not outputs.keys() >= set(OUTPUTS):
        raise click.ClickException(f"the stack {stack} has no package index: it lacks the outputs {', '.join(OUTPUTS)}")
    return IndexLocation(None, *(outputs[name] for name in OUTPUTS))


if __name__ == "__main__":
    main(prog_name="python -m tools.package_index")
