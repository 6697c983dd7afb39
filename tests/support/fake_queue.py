"""An SQS queue in memory."""

from collections.abc import Callable, Iterable, Sequence

from coinfarm.aws.sqs import Depth, QueueMessage


def received(name: str, body: str = "", count: int = 1) -> QueueMessage:
    return QueueMessage(name, body, f"receipt of {name}", count)


class FakeQueue:
    """Delivers each message once; records deletes and visibility timeouts.

    Calls raise `error` if it is set; `send` raises it only after the first ten messages.
    """

    url = "memory"

    def __init__(self, *messages: QueueMessage) -> None:
        self.waiting = list(messages)
        self.in_flight = 0
        self.deleted: list[str] = []
        self.timeouts: dict[str, int] = {}
        self.error: Exception | None = None
        self.dead: FakeQueue | None = None

    @property
    def bodies(self) -> list[str]:
        return [message.body for message in self.waiting]

    def send(self, bodies: Iterable[str], on_sent: Callable[[int], None] = lambda _: None) -> None:
        messages = [received(body, body) for body in bodies]
        for at in range(0, len(messages), 10):
            if at > 0:
                self._fail()
            self.waiting += messages[at : at + 10]
            on_sent(min(at + 10, len(messages)))

    def receive(self, count: int, wait_s: int, visibility_timeout_s: int) -> list[QueueMessage]:
        self._fail()
        delivered, self.waiting = self.waiting[:count], self.waiting[count:]
        return delivered

    def delete(self, receipts: Sequence[str]) -> dict[str, str]:
        self._fail()
        self.deleted += receipts
        return {}

    def change_visibility(self, receipts: Sequence[str], visibility_timeout_s: int) -> dict[str, str]:
        self._fail()
        self.timeouts |= dict.fromkeys(receipts, visibility_timeout_s)
        return {}

    def depth(self) -> Depth:
        return Depth(visible=len(self.waiting), in_flight=self.in_flight, delayed=0)

    def _fail(self) -> None:
        if self.error:
            raise self.error
