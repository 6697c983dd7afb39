"""Moto's server as AWS, and queues in it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import boto3
import pytest
from moto.server import ThreadedMotoServer

from coinfarm.aws.sqs import Queue
from coinfarm.storage import s3 as storage_s3


@contextmanager
def moto_server(*variables: str) -> Iterator[str]:
    """Start the server and yield its URL, which is also the value of the environment variables."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    url = "http://{}:{}".format(*server.get_host_and_port())
    with pytest.MonkeyPatch.context() as patch:
        for name in variables:
            patch.setenv(name, url)
        storage_s3._client.cache_clear()
        yield url
    storage_s3._client.cache_clear()
    server.stop()


def queue_with_dead_letter_queue(max_receives: int) -> Queue:
    """A queue whose messages become dead letters after that many receives."""
    sqs = boto3.client("sqs")
    dead = sqs.create_queue(QueueName=f"dead-{uuid4()}")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": max_receives})
    return Queue(sqs.create_queue(QueueName=f"shards-{uuid4()}", Attributes={"RedrivePolicy": policy})["QueueUrl"])
