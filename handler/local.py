"""What Lambda gives a handler, for a handler that runs elsewhere."""

import time
import uuid
from dataclasses import dataclass, field


@dataclass
class LocalContext:
    """The context object of one invocation, as far as Powertools and our handlers read it."""

    function_name: str = "coinfarm-local"
    memory_limit_in_mb: int = 0
    timeout_s: float = 900
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    started: float = field(default_factory=time.monotonic)

    @property
    def invoked_function_arn(self) -> str:
        return f"arn:aws:lambda:local:000000000000:function:{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        """What is left of the time that this invocation may take."""
        return max(0, round(1000 * (self.timeout_s - (time.monotonic() - self.started))))
