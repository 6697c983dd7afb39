"""Where a watcher reports to."""

from collections.abc import Sequence
from typing import Any, Protocol


class LiveOutput(Protocol):
    """A table, a stream of JSON lines, a webhook, a topic."""

    def show(self, messages: Sequence[dict[str, Any]]) -> None:
        """Report predictions, as of `live_message.live_messages`, that have just been stored. Must not wait for a network."""

    def notice(self, text: str) -> None:
        """Report what the user should know, in one line. Called from any thread."""

    def close(self) -> None:
        """Finish."""


class AllOutputs:
    """Several outputs as one."""

    def __init__(self, outputs: Sequence[LiveOutput]) -> None:
        self._outputs = outputs

    def show(self, messages: Sequence[dict[str, Any]]) -> None:
        for output in self._outputs:
            output.show(messages)

    def notice(self, text: str) -> None:
        for output in self._outputs:
            output.notice(text)

    def close(self) -> None:
        for output in self._outputs:
            output.close()
