"""The results of the recorded run in the stage prod: predictions, backfills on Lambda and on the fleet, dead letters."""

import pyarrow.parquet as pq
import pytest

from tests.integration.stack.processes import DAYS, STRIDES, UNKNOWN_VERSION
from tests.support.demo_requests import ApiResponse

MINUTES = DAYS * 1_440
WITHOUT_A_WINDOW = 199
"""Minutes at the start of a series, whose windows are incomplete."""


def test_functions_serve_the_model_that_was_published(recorded_run):
    assert (recorded_run["warm"]["model"]["name"], recorded_run["warm"]["model"]["version"]) == ("reference", recorded_run["model"])
    assert recorded_run["direct"]["model"]["version"] == recorded_run["model"]
    assert len(recorded_run["direct"]["results"]) == 11


def test_api_event_returns_the_response_of_a_direct_invocation(recorded_run):
    assert ApiResponse.of(recorded_run["ready"]).status == 200
    response = ApiResponse.of(recorded_run["api"])
    assert (response.status, response.json()) == (200, recorded_run["direct"])


def test_unknown_model_version_is_not_found_rather_than_forbidden(recorded_run):
    assert recorded_run["unknown version"]["status"] == 404
    assert UNKNOWN_VERSION in recorded_run["unknown version"]["detail"]


def test_batch_function_processes_a_submitted_run(recorded_run):
    assert recorded_run["batches"] == [{"batchItemFailures": []}]
    status = recorded_run["status"]
    assert (status["shards"], status["done"], status["complete"]) == (DAYS, DAYS, True)


def test_schedule_that_fires_twice_stores_and_publishes_each_prediction_once(recorded_run):
    first, second = recorded_run["live"]
    assert first["new"] > 400
    assert second == {"new": 0, "corrected": 0, "published": 0}
    published = [(each["symbol"], each["closeTime"]) for each in recorded_run["published"]]
    assert len(set(published)) == len(published) == first["published"] > 0
    assert {each["modelVersion"] for each in recorded_run["published"]} == {recorded_run["model"]}


def test_uploaded_file_is_predicted_through_the_queue(recorded_run, processes):
    assert recorded_run["upload batches"] == [{"batchItemFailures": []}]
    assert processes.has_result(recorded_run["upload"])


def test_fleet_instance_processes_its_queue_and_terminates(recorded_run, account, processes):
    assert recorded_run["worker"]
    group = processes.stack.nested["Fleet"].physical_id("Group")
    (described,) = account.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[group])["AutoScalingGroups"]
    assert (described["DesiredCapacity"], described["Instances"]) == (0, [])


@pytest.mark.parametrize("target", STRIDES)
def test_every_window_is_collected(recorded_run, processes, target):
    total = recorded_run[f"{target} coverage"]["total"]
    assert (total["asked"], total["missing"]) == (MINUTES // STRIDES[target], 0)
    assert total["predicted"] == total["asked"] - WITHOUT_A_WINDOW // STRIDES[target]
    assert pq.read_metadata(processes.folder / f"{target}.parquet").num_rows == total["predicted"]


def test_failing_message_becomes_a_dead_letter_after_the_maximum_receives(recorded_run, processes):
    redrive = processes.stack.resolved["Queue"]["Properties"]["RedrivePolicy"]
    failure = {"batchItemFailures": [{"itemIdentifier": recorded_run["failing message"]}]}
    assert recorded_run["failing batches"] == [failure] * redrive["maxReceiveCount"]
    assert recorded_run["dead letters"] == [recorded_run["failing message"]]


def test_redrive_empties_the_dead_letter_queue(recorded_run, processes):
    assert recorded_run["redrive"].startswith("1 ")
    assert processes.dead_letters() == []
