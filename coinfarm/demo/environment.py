"""The demo environment: a mock of AWS, and child processes that are isolated from the real AWS and terminated on exit."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from coinfarm.errors import CoinfarmError

_WORKER_EXIT_S = 10
"""How long a worker may take to finish the messages in progress."""
_TAIL_LINES = 15
COMMAND_CODE = "from coinfarm.cli import main; main(prog_name='coinfarm')"
"""Python code that runs the `coinfarm` command with the arguments of its process."""
_CHILD_COMMAND = f"from coinfarm.demo.child_process import end_with_parent; end_with_parent(); {COMMAND_CODE}"
_Text = TypeVar("_Text", str, bytes)
_REMOVED = ("AUTO_SCALING_GROUP", "QUEUE_URL", "DEAD_LETTER_QUEUE_URL", "MODEL_URI", "CANDLES_ROOT", "RESULTS_ROOT", "COINFARM_STACK")
"""Settings that name resources of a deployed stack."""
_MOCK_AWS = {
    "AWS_ACCESS_KEY_ID": "demo",
    "AWS_SECRET_ACCESS_KEY": "demo",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}


class DemoEnvironment:
    """A context manager. `endpoint` is the URL of the mock, `outputs` the template's outputs, `resources` logical name → type."""

    def __init__(self, template: Path, folder: Path) -> None:
        """`folder` is for the workers' logs."""
        self._template = template
        self._folder = folder
        self._processes = contextlib.ExitStack()
        self._variables = isolated_environment(os.environ)
        self._workers: list[Worker] = []
        self.endpoint = ""
        self.outputs: dict[str, str] = {}
        self.resources: dict[str, str] = {}

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as opened:
            server = opened.enter_context(_killed_at_exit(self._start_aws_server()))
            assert server.stdout is not None
            line = server.stdout.readline()
            if not line:
                raise CoinfarmError("the mock of AWS did not start; see the log above")
            started = json.loads(line)
            self.endpoint, self.outputs, self.resources = started["endpoint"], started["outputs"], started["resources"]
            self._variables["AWS_ENDPOINT_URL"] = self.endpoint
            self._processes = opened.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._processes.close()

    @property
    def worker_count(self) -> int:
        """The number of workers started so far."""
        return len(self._workers)

    @property
    def aws_settings(self) -> dict[str, str]:
        """The environment variables that direct AWS clients to the mock."""
        return {name: value for name, value in self._variables.items() if name in (*_MOCK_AWS, "AWS_ENDPOINT_URL")}

    def run(self, *arguments: str) -> None:
        """Run a `coinfarm` command with this process's stdout and stderr. Raises `CoinfarmError` if it fails."""
        done = subprocess.run(_command(arguments), env=self._variables, check=False)  # noqa: S603 - our own command
        if done.returncode:
            raise CoinfarmError(f"coinfarm {' '.join(arguments[:2])} failed; see above for why")

    def output_lines(self, *arguments: str) -> Iterator[str]:
        """Run a `coinfarm` command, and yield each line as it is printed. Raises `CoinfarmError` if it fails."""
        with _killed_at_exit(self._start(_command(arguments))) as process:
            assert process.stdout is not None
            yield from process.stdout
            if process.wait():
                raise CoinfarmError(f"coinfarm {' '.join(arguments[:2])} ended with {process.returncode}")

    def start_worker(self, *arguments: str, **settings: str) -> "Worker":
        """Start a `coinfarm worker` that logs to `worker-N.log`. It ends with this environment, or if this process is killed."""
        name = f"worker-{len(self._workers) + 1}"
        log = self._folder / f"{name}.log"
        with log.open("w") as output:
            process = subprocess.Popen(  # noqa: S603 - our own command
                _command(("worker", *arguments), _CHILD_COMMAND),
                stdin=subprocess.PIPE,
                env={**self._variables, **settings},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self._processes.enter_context(_killed_at_exit(process))
        worker = Worker(name, log, process)
        self._workers.append(worker)
        return worker

    def _start_aws_server(self) -> "subprocess.Popen[str]":
        return self._start([sys.executable, "-m", "coinfarm.demo.aws_server", str(self._template)], stdin=subprocess.PIPE)

    def _start(self, command: Sequence[str], stdin: int | None = None) -> "subprocess.Popen[str]":
        return subprocess.Popen(  # noqa: S603 - our own commands
            command, env=self._variables, stdin=stdin, stdout=subprocess.PIPE, text=True
        )


class Worker:
    """A `coinfarm worker` process and its log."""

    def __init__(self, name: str, log: Path, process: "subprocess.Popen[bytes]") -> None:
        self.name = name
        self.log = log
        self._process = process

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def stop(self) -> None:
        """Send SIGTERM, and wait. Raises `CoinfarmError` if the exit code is not 0."""
        self._process.terminate()
        if self._process.wait(_WORKER_EXIT_S):
            raise CoinfarmError(f"{self.name} ended with {self._process.returncode}:\n{self.log_tail()}")

    def log_tail(self) -> str:
        """The last lines of its log."""
        return "\n".join(self.log.read_text(encoding="utf-8").splitlines()[-_TAIL_LINES:])


def isolated_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """A copy of `environment` without the user's AWS profile, role, region and proxies."""
    kept = {
        name: value
        for name, value in environment.items()
        if not name.startswith("AWS_") and not name.lower().endswith("_proxy") and name not in _REMOVED
    }
    return {
        **kept,
        **_MOCK_AWS,
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",  # nothing listens there; replaced once the mock has reported its port
    }


def _command(arguments: Sequence[str], code: str = COMMAND_CODE) -> list[str]:
    return [sys.executable, "-c", code, *arguments]


@contextlib.contextmanager
def _killed_at_exit(process: "subprocess.Popen[_Text]") -> Iterator["subprocess.Popen[_Text]"]:
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
