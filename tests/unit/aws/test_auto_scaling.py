import pytest
from botocore.stub import Stubber

from coinfarm.aws import auto_scaling as fleet_module
from coinfarm.aws.auto_scaling import AutoScalingMember
from coinfarm.errors import Unavailable


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test moves: `clock[0] += 10`."""
    clock = [1000.0]
    monkeypatch.setattr(fleet_module.time, "monotonic", lambda: clock[0])
    return clock


@pytest.fixture
def fleet(clock):
    """A membership, and a stub of the service's answers."""
    fleet = AutoScalingMember("gpu", lambda: "i-1")
    with Stubber(fleet._client) as stub:
        yield fleet, stub
        stub.assert_no_pending_responses()


def protection(wanted):
    return {"InstanceIds": ["i-1"], "AutoScalingGroupName": "gpu", "ProtectedFromScaleIn": wanted}


def test_protection_is_asked_for_once_and_given_up_once(fleet):
    fleet, stub = fleet
    fleet.set_scale_in_protection(False)
    stub.add_response("set_instance_protection", {}, protection(True))
    fleet.set_scale_in_protection(True)
    fleet.set_scale_in_protection(True)
    stub.add_response("set_instance_protection", {}, protection(False))
    fleet.set_scale_in_protection(False)
    fleet.set_scale_in_protection(False)


def test_after_a_failure_protection_is_asked_for_again_but_not_at_once(fleet, clock):
    fleet, stub = fleet
    stub.add_client_error("set_instance_protection", "ValidationError", "The instance is not in InService")
    with pytest.raises(Unavailable, match=r"Auto Scaling group gpu: .* not in InService"):
        fleet.set_scale_in_protection(True)
    clock[0] += 29
    fleet.set_scale_in_protection(True)
    clock[0] += 2
    stub.add_response("set_instance_protection", {}, protection(True))
    fleet.set_scale_in_protection(True)


def test_a_machine_that_leaves_makes_the_group_smaller(fleet):
    fleet, stub = fleet
    stub.add_response("terminate_instance_in_auto_scaling_group", {}, {"InstanceId": "i-1", "ShouldDecrementDesiredCapacity": True})
    fleet.terminate()
