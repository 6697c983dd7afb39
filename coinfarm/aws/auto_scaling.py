"""The Auto Scaling group that this machine belongs to, through boto3: the one place that speaks to it."""

import time
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from coinfarm.aws.client import aws_client
from coinfarm.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_autoscaling import AutoScalingClient

_RETRY_S = 30


class AutoScalingMember:
    """The membership of this machine in the group; nothing is asked of it yet. For one thread."""

    def __init__(self, group: str, instance_id: Callable[[], str]) -> None:
        """`instance_id` is called when it is first needed, and may raise `Unavailable`."""
        self._group = group
        self._instance_id = instance_id
        self._is_protected = False
        self._not_before = 0.0

    def set_scale_in_protection(self, wanted: bool) -> None:
        """Let scaling in pass this machine by, or no longer. Does nothing where it is so already, and for 30 s after a failure.

        Raises `Unavailable`: a machine that is not yet, or no longer, in service cannot be protected.
        """
        if wanted == self._is_protected or time.monotonic() < self._not_before:
            return
        self._not_before = time.monotonic() + _RETRY_S
        self._call(
            lambda: self._client.set_instance_protection(
                InstanceIds=[self._member], AutoScalingGroupName=self._group, ProtectedFromScaleIn=wanted
            )
        )
        self._is_protected = wanted
        self._not_before = 0.0

    def terminate(self) -> None:
        """End this machine, and let the group be smaller by one. Raises `Unavailable`: the group may be at its minimum."""
        self._call(
            lambda: self._client.terminate_instance_in_auto_scaling_group(InstanceId=self._member, ShouldDecrementDesiredCapacity=True)
        )

    @cached_property
    def _member(self) -> str:
        return self._instance_id()

    @cached_property
    def _client(self) -> "AutoScalingClient":
        client: AutoScalingClient = aws_client("autoscaling", read_timeout_s=10)
        return client

    def _call(self, call: Callable[[], object]) -> None:
        try:
            call()
        except (ClientError, BotoCoreError) as error:
            raise Unavailable(f"Auto Scaling group {self._group}: {error}") from error
