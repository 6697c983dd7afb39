"""The docker command, and the images of the Dockerfile."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import click

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Docker:
    """The docker command, with environment variables (by default those of this process), for the Dockerfile of a checkout."""

    environment: Mapping[str, str] | None = None
    checkout: Path = ROOT

    def build(self, target: str, tag: str, *flags: str) -> None:
        """Build a target of the Dockerfile, with docker's output. Raises `click.ClickException` if it fails, or buildx is missing."""
        if subprocess.run(["docker", "buildx", "version"], env=self.environment, capture_output=True).returncode:
            raise click.ClickException("docker has no buildx, which this Dockerfile needs: install docker-buildx-plugin or docker-buildx")
        # By default buildx adds an attestation, and Lambda does not accept images with one.
        no_attestations = ("--provenance=false", "--sbom=false")
        command = ["docker", "buildx", "build", "--load", *no_attestations, "--target", target, "--tag", tag, *flags, str(self.checkout)]
        if subprocess.run(command, env=self.environment).returncode:
            raise click.ClickException(f"docker could not build the target {target}: see above")

    def run_python(self, image: str, code: str) -> bytes:
        """The output of a Python script in a container of the image."""
        return self.call("run", "--rm", "--entrypoint", "python3", image, "-c", code)

    def size_bytes(self, image: str) -> int:
        """The size on disk, including the base."""
        return int(self.call("image", "inspect", "--format", "{{.Size}}", image))

    def archive(self, image: str) -> subprocess.Popen[bytes]:
        """A process that writes the image to stdout as a tar file."""
        return subprocess.Popen(["docker", "save", image], env=self.environment, stdout=subprocess.PIPE)

    def call(self, *arguments: str) -> bytes:
        """Docker's output. Raises `click.ClickException` with its error."""
        completed = subprocess.run(["docker", *arguments], env=self.environment, capture_output=True)
        if completed.returncode:
            raise click.ClickException(f"docker {arguments[0]}: {completed.stderr.decode(errors='replace').strip()[-2000:]}")
        return completed.stdout
