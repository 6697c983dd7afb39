"""An SQS queue in memory."""

from collections.abc import Sequence

from coinfarm.aws.sqs import QueueMessage


def received(name: str, body: str = "", count: int = 1) -> QueueMessage:
    return QueueMessage(name, body, f"receipt of {name}", count)


class FakeQueue:
    """Delivers each message once; records deletes and visibility timeouts."""

    def __init__(self, *messages: QueueMessage) -> None:
        self.waiting = list(messages)
        self.deleted: list[str] = []
        self.timeouts: dict[str, int] = {}
        self.error: Exception | None = None

    def receive(self, count: int, wait_s: int, visibility_timeout_s: int) -> list[QueueMessage]:
        self._fail()
        delivered, self.waiting = self.waiting[:count], self.waiting[count:]
        return delivered

    def delete(self, receipts: Sequence[str]) -> dict[str, str]:
        self._fail()
        self.deleted += receipts
        return {}

    def extend(self, receipts: Sequence[str], visibility_timeout_s: int) -> dict[str, str]:
        self._fail()
        self.timeouts |= dict.fromkeys(receipts, visibility_timeout_s)
        return {}

    def _fail(self) -> None:
        if self.error:
            raise self.error
