import pytest

from coinfarm.errors import CoinfarmError
from handler.worker_settings import WorkerSettings

SETTINGS = {"QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/1/shards"}


@pytest.mark.parametrize(
    ("variables", "named"),
    [({}, "QUEUE_URL"), ({**SETTINGS, "BATCH_MESSAGES": "11"}, "BATCH_MESSAGES='11'"), ({**SETTINGS, "DRAIN_S": "120"}, "DRAIN_S")],
    ids=["QUEUE_URL", "BATCH_MESSAGES", "DRAIN_S"],
)
def test_invalid_settings_are_named(variables, named):
    with pytest.raises(CoinfarmError, match=named):
        WorkerSettings.from_environment(variables)
    assert WorkerSettings.from_environment({**SETTINGS, "IDLE_EXIT_S": "300"}).idle_exit_s == 300
