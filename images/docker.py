"""The docker command, and the images of the Dockerfile."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import click

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Docker:
    """The command, in an environment, that of this process or another, and for the Dockerfile of a checkout."""

    environment: Mapping[str, str] | None = None
    checkout: Path = ROOT

    def build(self, target: str, tag: str, *flags: str) -> None:
        """Build a target of the Dockerfile; docker tells how it goes. Raises `click.ClickException` where it fails, or cannot build it."""
        if subprocess.run(["docker", "buildx", "version"], env=self.environment, capture_output=True).returncode:
            raise click.ClickException(
                "docker has no buildx here, which builds this Dockerfile: install docker-buildx-plugin, or docker-buildx"
            )
        # By default buildx adds an attestation, and Lambda creates no function from an image that has one.
        plain = ("--provenance=false", "--sbom=false")
        command = ["docker", "buildx", "build", "--load", *plain, "--target", target, "--tag", tag, *flags, str(self.checkout)]
        if subprocess.run(command, env=self.environment).returncode:
            raise click.ClickException(f"docker could not build the target {target}: see above")

    def run_python(self, image: str, code: str) -> bytes:
        """What a script prints inside a container of the image."""
        return self._call("run", "--rm", "--entrypoint", "python3", image, "-c", code)

    def size_bytes(self, image: str) -> int:
        """On disk, with its base."""
        return int(self._call("image", "inspect", "--format", "{{.Size}}", image))

    def archive(self, image: str) -> subprocess.Popen[bytes]:
        """The image as a tar file, from the process' stdout."""
        return subprocess.Popen(["docker", "save", image], env=self.environment, stdout=subprocess.PIPE)

    def _call(self, *arguments: str) -> bytes:
        """Raises `click.ClickException` with what docker says."""
        done = subprocess.run(["docker", *arguments], env=self.environment, capture_output=True)
        if done.returncode:
            raise click.ClickException(f"docker {arguments[0]}: {done.stderr.decode(errors='replace').strip()[-2000:]}")
        return done.stdout
