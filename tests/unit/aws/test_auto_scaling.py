import pytest
from botocore.stub import Stubber

from coinfarm.aws import auto_scaling
from coinfarm.aws.auto_scaling import AutoScalingMember
from coinfarm.errors import Unavailable


@pytest.fixture
def member():
    """A member of a group, and a stub of its client."""
    member = AutoScalingMember("gpu", lambda: "i-1")
    with Stubber(member._client) as stub:
        yield member, stub
        stub.assert_no_pending_responses()


def protection(protect):
    return {"InstanceIds": ["i-1"], "AutoScalingGroupName": "gpu", "ProtectedFromScaleIn": protect}


def test_sets_protection_only_when_it_changes(member):
    member, stub = member
    member.set_scale_in_protection(False)
    stub.add_response("set_instance_protection", {}, protection(True))
    member.set_scale_in_protection(True)
    member.set_scale_in_protection(True)
    stub.add_response("set_instance_protection", {}, protection(False))
    member.set_scale_in_protection(False)
    member.set_scale_in_protection(False)


def test_waits_30_seconds_before_another_attempt_after_a_failure(member, monkeypatch):
    member, stub = member
    clock = [1000.0]
    monkeypatch.setattr(auto_scaling.time, "monotonic", lambda: clock[0])
    stub.add_client_error("set_instance_protection", "ValidationError", "The instance is not in InService")
    with pytest.raises(Unavailable, match=r"gpu.*not in InService"):
        member.set_scale_in_protection(True)
    clock[0] += 29
    member.set_scale_in_protection(True)
    clock[0] += 2
    stub.add_response("set_instance_protection", {}, protection(True))
    member.set_scale_in_protection(True)


def test_terminating_a_member_decrements_the_desired_capacity(member):
    member, stub = member
    stub.add_response("terminate_instance_in_auto_scaling_group", {}, {"InstanceId": "i-1", "ShouldDecrementDesiredCapacity": True})
    member.terminate()
