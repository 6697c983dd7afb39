"""The current machine as a member of its EC2 Auto Scaling group."""

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
    """The current machine in its Auto Scaling group. Makes no call before its first use; not thread-safe."""

    def __init__(self, group: str, instance_id: Callable[[], str]) -> None:
        """`instance_id` is called on first use, and may raise `Unavailable`."""
        self._group = group
        self._instance_id = instance_id
        self._is_protected = False
        self._next_attempt_s = 0.0

    def set_scale_in_protection(self, protect: bool) -> None:
        """Turn protection from scale-in on or off. Makes no call if it is in that state already, or within 30 s after a failure.

        Raises `Unavailable`, for example because the instance is not in service.
        """
        if protect == self._is_protected or time.monotonic() < self._next_attempt_s:
            return
        self._next_attempt_s = time.monotonic() + _RETRY_S
        self._call(
            lambda: self._client.set_instance_protection(
                InstanceIds=[self._own_id], AutoScalingGroupName=self._group, ProtectedFromScaleIn=protect
            )
        )
        self._is_protected = protect
        self._next_attempt_s = 0.0

    def terminate(self) -> None:
        """Terminate this machine and reduce the group's desired capacity by one.

        Raises `Unavailable`, for example because the group is at its minimum size.
        """
        self._call(
            lambda: self._client.terminate_instance_in_auto_scaling_group(InstanceId=self._own_id, ShouldDecrementDesiredCapacity=True)
        )

    @cached_property
    def _own_id(self) -> str:
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
