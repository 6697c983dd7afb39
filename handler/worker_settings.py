"""The settings of a worker, beside those of the service."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from coinfarm.serving.settings import FromEnvironment


class WorkerSettings(FromEnvironment):
    """Each field is read from the environment variable of its name in capitals."""

    queue_url: str
    batch_messages: Annotated[int, Field(ge=1, le=10)] = 4
    """The most messages that are received together, and share the engine's batches."""
    worker_threads: Annotated[int, Field(ge=1, le=16)] = 2
    """How many turns are in work at a time: while the device works for one, another's candles are fetched and drawn."""
    visibility_timeout_s: Annotated[int, Field(ge=2, le=43_200)] = 120
    """For how long others do not see a message in work; renewed at every third of it."""
    receive_wait_s: Annotated[int, Field(ge=0, le=20)] = 20
    """How long one call waits for a message."""
    idle_exit_s: Annotated[float, Field(gt=0)] | None = None
    """The worker ends when the queue has been empty for so long; unset, it waits for ever."""
    drain_s: Annotated[float, Field(ge=0, le=100)] = 80
    """How long work may go on after a signal or a notice; the two minutes of a spot notice must see it through."""
    stall_s: Annotated[float, Field(gt=0)] = 600
    """A lane that neither receives nor predicts for so long is stuck, and the worker ends with a failure."""
    health_file: Path | None = None
    """Touched every few seconds while the worker is healthy, for a container's health check; unset, no file is written."""
    auto_scaling_group: str | None = None
    """The group that this instance belongs to: it is protected from scaling in while there is work, and left when there is none."""
    notice_poll_s: Annotated[float, Field(gt=0)] = 5
    """How often the instance is asked whether it is about to be taken away."""
    aws_ec2_metadata_service_endpoint: str = "http://169.254.169.254"
    aws_ec2_metadata_disabled: bool = False
    """There is no instance to ask: the worker runs elsewhere."""
