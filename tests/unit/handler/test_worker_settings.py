import pytest

from coinfarm.errors import CoinfarmError
from handler.worker_settings import WorkerSettings

SETTINGS = {"QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/1/shards"}


def test_reads_settings_from_the_environment():
    settings = WorkerSettings.from_environment({**SETTINGS, "IDLE_EXIT_S": "300", "WORKER_THREADS": "3"})
    assert (settings.queue_url, settings.idle_exit_s, settings.worker_threads) == (SETTINGS["QUEUE_URL"], 300, 3)


@pytest.mark.parametrize(
    ("variables", "named"),
    [({}, "QUEUE_URL"), ({**SETTINGS, "BATCH_MESSAGES": "11"}, "BATCH_MESSAGES='11'"), ({**SETTINGS, "DRAIN_S": "120"}, "DRAIN_S")],
    ids=["QUEUE_URL", "BATCH_MESSAGES", "DRAIN_S"],
)
def test_invalid_settings_are_named(variables, named):
    with pytest.raises(CoinfarmError, match=named):
        WorkerSettings.from_environment(variables)
