"""The processes of a stack: the coinfarm command, the functions and a fleet instance, with the stack's settings and roles."""

import base64
import json
import re
import subprocess
import sys
from contextlib import contextmanager

from tests.integration.stack.account import TIMEOUT_S
from tests.support.expanded_template import ROOT
from tests.support.fake_exchange import FakeBinanceUs

SYMBOL, DAYS = "DEMOBTC", 2
STRIDES = {"lambda": 5, "gpu": 1}
"""Strides of the runs, by compute target. With the same stride, the second run would have nothing to do."""
UNKNOWN_VERSION = "20200101-00000000"
OPERATOR = "OperatorPolicy"
"""The caller of the commands."""
_EXIT_INCOMPLETE = 3
_COINFARM = [sys.executable, "-c", "from coinfarm.cli import main; main(prog_name='coinfarm')"]


class StackProcesses:
    """Starts processes of a stack, with a folder for their logs and caches."""

    def __init__(self, account, stack, folder):
        self._account, self.stack, self.folder = account, stack, folder

    def command(self, *words):
        """The stdout of `coinfarm --stack NAME`, which may report missing shards but must not fail."""
        done = subprocess.run(
            [*_COINFARM, "--stack", self.stack.name, *map(str, words)],
            cwd=self.folder,
            env=self._account.environment(OPERATOR, PYTHONPATH=str(ROOT)),
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
        )
        assert done.returncode in (0, _EXIT_INCOMPLETE), f"coinfarm {' '.join(map(str, words))}\n{done.stdout}{done.stderr}"
        return done.stdout

    @contextmanager
    def function(self, resource, **more_variables):
        """Starts a function with its environment and role; yields `invoke(event)`."""
        configuration = self._account.client("lambda").get_function_configuration(FunctionName=self.stack.physical_id(resource))
        role = self.stack.logical_id(configuration["Role"].rpartition("/")[2])
        variables = {
            "AWS_LAMBDA_FUNCTION_NAME": configuration["FunctionName"],
            "MODEL_CACHE_DIR": str(self.folder / f"{resource}-tmp"),
            **configuration["Environment"]["Variables"],
            **more_variables,
        }
        with (self.folder / f"{resource}.log").open("a") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.integration.stack.function"],
                cwd=ROOT,
                env=self._account.environment(role, **variables),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

        def invoke(event):
            process.stdin.write(json.dumps(event) + "\n")
            process.stdin.flush()
            response = process.stdout.readline()
            assert response, (self.folder / f"{resource}.log").read_text()
            return json.loads(response)

        with process:
            try:
                yield invoke
            finally:
                process.kill()

    def run_schedule(self, times):
        """Invoke the function for live predictions with the schedule's input. Returns its responses, and what the topic published."""
        live = self.stack.nested["Live"]
        event = json.loads(live.resolved["Schedule"]["Properties"]["Target"]["Input"])
        sqs, queue = self._account.client("sqs"), self._account.client("sqs").create_queue(QueueName="bot")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        options = {"RawMessageDelivery": "true"}
        self._account.client("sns").subscribe(TopicArn=event["live"]["topicArn"], Protocol="sqs", Endpoint=arn, Attributes=options)
        with FakeBinanceUs.running() as exchange, self.function("LiveFunction", LIVE_EXCHANGE_URL=exchange.url) as invoke:
            exchange.now_ms += 5_000
            responses = [invoke(event) for _ in range(times)]
        published = []
        while messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
            published += [json.loads(message["Body"]) for message in messages]
            for message in messages:
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return responses, published

    def upload(self, key, data):
        """Upload a file to the candle bucket, and return the key of its result. moto ignores the bucket's notifications in the template."""
        s3, bucket = self._account.client("s3"), self.stack.outputs["CandleBucketName"]
        s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}})
        etag = s3.put_object(Bucket=bucket, Key=key, Body=data)["ETag"].strip('"')
        return f"{key}/{etag}.parquet"

    def has_result(self, key):
        """Whether the result bucket has an object."""
        return self._account.client("s3").list_objects_v2(Bucket=self.stack.outputs["ResultBucketName"], Prefix=key)["KeyCount"] == 1

    def process_batch(self, invoke):
        """Poll the queue once, as Lambda's event source mapping does. Returns the function's response, or None if the queue is empty."""
        events = self.stack.resolved["BatchEvents"]["Properties"]
        sqs = self._account.client("sqs", "BatchRole")
        queue = self.stack.outputs["QueueUrl"]
        received = sqs.receive_message(
            QueueUrl=queue, MaxNumberOfMessages=events["BatchSize"], MessageSystemAttributeNames=["All"], MessageAttributeNames=["All"]
        )
        messages = received.get("Messages", [])
        if not messages:
            return None
        response = invoke({"Records": [_record(message, events["EventSourceArn"]) for message in messages]})
        assert events["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        failed = {failure["itemIdentifier"] for failure in response["batchItemFailures"]}
        done = [message for message in messages if message["MessageId"] not in failed]
        if done:
            entries = [{"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]} for number, message in enumerate(done)]
            sqs.delete_message_batch(QueueUrl=queue, Entries=entries)
        for message in messages:
            if message["MessageId"] in failed:  # end the visibility timeout of an hour and a half
                self._account.client("sqs").change_message_visibility(
                    QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
                )
        return response

    def send_message(self, body):
        """Send a message to the queue, and return its id."""
        return self._account.client("sqs").send_message(QueueUrl=self.stack.outputs["QueueUrl"], MessageBody=body)["MessageId"]

    def dead_letters(self):
        """The ids of the messages in the dead-letter queue. They stay in the queue."""
        queue = self.stack.outputs["DeadLetterQueueUrl"]
        received = self._account.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=0)
        return [message["MessageId"] for message in received.get("Messages", [])]

    def run_fleet_instance(self):
        """Run the worker of a fleet instance until it terminates because its queue is empty. Returns its log."""
        fleet = self.stack.nested["Fleet"]
        # moto cannot start an instance from the launch template, which leaves the volume's size to the machine image.
        (instance,) = self._account.client("ec2").run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1)["Instances"]
        group = fleet.physical_id("Group")
        self._account.client("autoscaling").attach_instances(AutoScalingGroupName=group, InstanceIds=[instance["InstanceId"]])
        self._account.set_instance(instance["InstanceId"], group)
        script = base64.b64decode(fleet.resolved["LaunchTemplate"]["Properties"]["LaunchTemplateData"]["UserData"]).decode()
        variables = dict(variable.split("=", 1) for variable in re.findall(r"--env (\S+)", script))
        variables["QUEUE_URL"] = self.stack.outputs["FleetQueueUrl"]
        test_settings = {
            "AWS_EC2_METADATA_DISABLED": "false",
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": self._account.endpoint,
            "HEALTH_FILE": str(self.folder / "health"),
            "MODEL_CACHE_DIR": str(self.folder / "worker-tmp"),
            "RECEIVE_WAIT_S": "1",
            "VISIBILITY_TIMEOUT_S": "2",  # short, so that the worker must extend it
        }
        done = subprocess.run(
            [sys.executable, "-m", "handler.worker"],
            cwd=ROOT,
            env=self._account.environment("FleetRole", **test_settings | variables),
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def _record(message, queue_arn):
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message["Attributes"],
        "messageAttributes": {},
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": "us-east-1",
    }
