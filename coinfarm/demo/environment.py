"""The stage: a stand-in for AWS, commands and workers as processes that know no other AWS. Nothing of it outlives its end."""

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

_PATIENCE_S = 10
"""For a worker to put down what it has in hand."""
_TAIL_LINES = 15
_COMMAND = "from coinfarm.cli import main; main(prog_name='coinfarm')"
_COMPANION = f"from coinfarm.demo.child_process import end_with_parent; end_with_parent(); {_COMMAND}"
_Text = TypeVar("_Text", str, bytes)
_DROPPED = ("AUTO_SCALING_GROUP", "QUEUE_URL", "DEAD_LETTER_QUEUE_URL", "MODEL_URI", "CANDLES_ROOT", "RESULTS_ROOT", "COINFARM_STACK")
"""Settings of some other farm."""
_STAND_IN = {
    "AWS_ACCESS_KEY_ID": "demo",
    "AWS_SECRET_ACCESS_KEY": "demo",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}


class DemoEnvironment:
    """Open it with `with`. `endpoint` is where the stand-in listens, `outputs` are the template's by name, `kinds` the resources' types."""

    def __init__(self, template: Path, folder: Path) -> None:
        """`folder` is for the workers' logs."""
        self._template = template
        self._folder = folder
        self._open = contextlib.ExitStack()
        self._environment = isolated_environment(os.environ)
        self._workers: list[Worker] = []
        self.endpoint = ""
        self.outputs: dict[str, str] = {}
        self.kinds: dict[str, str] = {}

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as opened:
            cloud = opened.enter_context(_ended(self._cloud()))
            assert cloud.stdout is not None
            line = cloud.stdout.readline()
            if not line:
                raise CoinfarmError("the stand-in for AWS did not start; see above for why")
            told = json.loads(line)
            self.endpoint, self.outputs, self.kinds = told["endpoint"], told["outputs"], told["kinds"]
            self._environment["AWS_ENDPOINT_URL"] = self.endpoint
            self._open = opened.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._open.close()

    @property
    def workers(self) -> int:
        """How many were started."""
        return len(self._workers)

    @property
    def settings(self) -> dict[str, str]:
        """What points a command of AWS at the stand-in."""
        return {name: value for name, value in self._environment.items() if name in (*_STAND_IN, "AWS_ENDPOINT_URL")}

    def run(self, *arguments: str) -> None:
        """A command of `coinfarm`, which writes where this process does. Raises `CoinfarmError` where it fails."""
        done = subprocess.run(_command(arguments), env=self._environment, check=False)  # noqa: S603 - our own command
        if done.returncode:
            raise CoinfarmError(f"coinfarm {' '.join(arguments[:2])} failed; see above for why")

    def lines(self, *arguments: str) -> Iterator[str]:
        """Each line as a command of `coinfarm` writes it. Raises `CoinfarmError` where it fails."""
        with _ended(self._started(_command(arguments))) as process:
            assert process.stdout is not None
            yield from process.stdout
            if process.wait():
                raise CoinfarmError(f"coinfarm {' '.join(arguments[:2])} ended with {process.returncode}")

    def start_worker(self, *arguments: str, **settings: str) -> "Worker":
        """A `coinfarm worker` whose log is `worker-N.log`; it does not outlive the stage, nor a process that was killed on it."""
        name = f"worker-{len(self._workers) + 1}"
        log = self._folder / f"{name}.log"
        with log.open("w") as output:
            process = subprocess.Popen(  # noqa: S603 - our own command
                _command(("worker", *arguments), _COMPANION),
                stdin=subprocess.PIPE,
                env={**self._environment, **settings},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self._open.enter_context(_ended(process))
        worker = Worker(name, log, process)
        self._workers.append(worker)
        return worker

    def _cloud(self) -> "subprocess.Popen[str]":
        return self._started([sys.executable, "-m", "coinfarm.demo.aws_server", str(self._template)], stdin=subprocess.PIPE)

    def _started(self, command: Sequence[str], stdin: int | None = None) -> "subprocess.Popen[str]":
        return subprocess.Popen(  # noqa: S603 - our own commands
            command, env=self._environment, stdin=stdin, stdout=subprocess.PIPE, text=True
        )


class Worker:
    """A `coinfarm worker` at work, or ended."""

    def __init__(self, name: str, log: Path, process: "subprocess.Popen[bytes]") -> None:
        self.name = name
        self._log = log
        self._process = process

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def end(self) -> None:
        """Ask it to end, and wait. Raises `CoinfarmError` unless it ends well."""
        self._process.terminate()
        if self._process.wait(_PATIENCE_S):
            raise CoinfarmError(f"{self.name} ended with {self._process.returncode}:\n{self.last_words()}")

    def entries(self) -> Iterator[dict[str, object]]:
        """What it logged."""
        for line in self._log.read_text(encoding="utf-8").splitlines():
            if line.startswith("{"):
                yield json.loads(line)

    def last_words(self) -> str:
        """The end of its log."""
        return "\n".join(self._log.read_text(encoding="utf-8").splitlines()[-_TAIL_LINES:])


def isolated_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment in which whatever speaks to AWS has no profile, role or region of the user's, and no proxy."""
    kept = {
        name: value
        for name, value in environment.items()
        if not name.startswith("AWS_") and not name.lower().endswith("_proxy") and name not in _DROPPED
    }
    return {
        **kept,
        **_STAND_IN,
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",  # where nobody listens, until the stand-in has told its port
    }


def _command(arguments: Sequence[str], code: str = _COMMAND) -> list[str]:
    return [sys.executable, "-c", code, *arguments]


@contextlib.contextmanager
def _ended(process: "subprocess.Popen[_Text]") -> Iterator["subprocess.Popen[_Text]"]:
    """Ends the process, if it has not ended by then."""
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
