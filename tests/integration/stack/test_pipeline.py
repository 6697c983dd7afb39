"""The pipeline over what CloudFormation makes of template.yaml: one season of the stage prod, with its fleet."""

import pyarrow.parquet as pq
import pytest

from tests.integration.stack.farm import DAYS, NO_VERSION, STRIDES
from tests.support.demo_requests import ApiResponse

MINUTES = DAYS * 1_440
WITHOUT_A_WINDOW = 199


def test_the_functions_serve_the_model_that_was_published_to_the_bucket(season):
    assert (season["warm"]["model"]["name"], season["warm"]["model"]["version"]) == ("reference", season["model"])
    assert season["direct"]["model"]["version"] == season["model"]
    assert len(season["direct"]["results"]) == 11


def test_an_api_event_is_answered_in_the_functions_environment(season):
    assert ApiResponse.of(season["ready"]).status == 200
    answer = ApiResponse.of(season["api"])
    assert (answer.status, answer.json()) == (200, season["direct"])


def test_a_version_that_is_not_there_is_not_found_rather_than_forbidden(season):
    assert season["no such version"]["status"] == 404
    assert NO_VERSION in season["no such version"]["detail"]


def test_a_submitted_run_is_worked_off_by_the_batch_function(season):
    assert season["batches"] == [{"batchItemFailures": []}]
    assert (season["status"]["shards"], season["status"]["done"], season["status"]["complete"]) == (DAYS, DAYS, True)


def test_a_machine_of_the_fleet_works_off_its_own_queue_and_leaves(season, account, farm):
    assert season["worker"][-1]["message"] == "worker stopped"
    group = farm.stack.nested["Fleet"].id_of("Group")
    (found,) = account.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[group])["AutoScalingGroups"]
    assert (found["DesiredCapacity"], found["Instances"]) == (0, [])


@pytest.mark.parametrize("way", STRIDES)
def test_every_window_is_collected(season, farm, way):
    total = season[f"{way} coverage"]["total"]
    assert (total["asked"], total["missing"]) == (MINUTES // STRIDES[way], 0)
    assert total["predicted"] == total["asked"] - WITHOUT_A_WINDOW // STRIDES[way]
    assert pq.read_metadata(farm.folder / f"{way}.parquet").num_rows == total["predicted"]


def test_a_poisoned_message_is_a_dead_letter_after_as_many_receives_as_the_template_says(season, farm):
    redrive = farm.stack.wanted["Queue"]["Properties"]["RedrivePolicy"]
    failure = {"batchItemFailures": [{"itemIdentifier": season["poison"]}]}
    assert season["poisoned batches"] == [failure] * redrive["maxReceiveCount"]
    assert season["dead letters"] == [season["poison"]]


def test_an_operator_moves_it_back(season, account, farm):
    assert season["redrive"] == "1 messages moved back\n"
    assert farm.dead_letters() == []
