"""The settings of a worker, in addition to those of the service."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from coinfarm.serving.settings import EnvironmentSettings


class WorkerSettings(EnvironmentSettings):
    """Each field is read from the environment variable of its name in capitals."""

    queue_url: str
    batch_messages: Annotated[int, Field(ge=1, le=10)] = 4
    """The maximum number of messages that are received together and share the engine's batches."""
    worker_threads: Annotated[int, Field(ge=1, le=16)] = 2
    """The number of worker threads. While the device predicts for one, the others fetch and render candles."""
    visibility_timeout_s: Annotated[int, Field(ge=2, le=43_200)] = 120
    """The visibility timeout of received messages; extended each time a third of it has passed."""
    receive_wait_s: Annotated[int, Field(ge=0, le=20)] = 20
    """How long a receive call waits for a message (long polling)."""
    idle_exit_s: Annotated[float, Field(gt=0)] | None = None
    """The worker exits when the queue has been empty for this long; if unset, it never exits."""
    drain_s: Annotated[float, Field(ge=0, le=100)] = 80
    """The grace period for work in progress after a signal or a notice; it must fit into the two minutes of a spot interruption notice."""
    stall_s: Annotated[float, Field(gt=0)] = 600
    """A thread that neither receives nor predicts for this long counts as stuck, and the worker exits with an error."""
    health_file: Path | None = None
    """Touched every few seconds while the worker is healthy, for a container's health check; unset, no file is written."""
    metrics_port: Annotated[int, Field(ge=1, le=65_535)] | None = None
    """The port on which Prometheus finds `/metrics`, at all addresses of this machine; unset, there is none."""
    auto_scaling_group: str | None = None
    """The group of this instance: it is protected from scale-in while there is work, and terminates itself when there is none."""
    notice_poll_s: Annotated[float, Field(gt=0)] = 5
    """How often the instance metadata service is polled for interruption notices."""
    aws_ec2_metadata_service_endpoint: str = "http://169.254.169.254"
    aws_ec2_metadata_disabled: bool = False
    """There is no instance metadata service: the worker does not run on EC2."""
