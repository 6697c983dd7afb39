"""The client of EC2's instance metadata service."""

import pytest

from coinfarm.aws.instance_metadata import InstanceMetadata
from coinfarm.errors import Unavailable


@pytest.mark.parametrize(
    ("path", "document", "notice"),
    [
        pytest.param("spot/instance-action", '{"action": "stop", "time": "T"}', "stop at T", id="spot interruption"),
        pytest.param("spot/instance-action", "?", "? at ?", id="unreadable notice"),
        pytest.param("events/recommendations/rebalance", '{"noticeTime": "T"}', "rebalance recommended at T", id="rebalance"),
        pytest.param("autoscaling/target-lifecycle-state", "Terminated", "Auto Scaling", id="scale-in"),
        pytest.param("autoscaling/target-lifecycle-state", "InService", None, id="in service"),
        pytest.param("instance-life-cycle", "spot", None, id="no notice"),
    ],
)
def test_termination_notice(metadata, path, document, notice):
    metadata.values[path] = document
    found = InstanceMetadata(metadata.url).termination_notice()
    assert found is None if notice is None else notice in found


def test_expired_token_is_renewed(metadata):
    instance = InstanceMetadata(metadata.url)
    assert instance.instance_id() == "i-0123"
    metadata.token = "another"
    with pytest.raises(Unavailable, match="401"):
        instance.instance_id()
    metadata.token = "token"
    assert instance.instance_id() == "i-0123"


def test_unreachable_service_raises():
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1:9"):
        InstanceMetadata("http://127.0.0.1:9").termination_notice()
