"""A stack at work: the coinfarm command, the functions and a machine of the fleet, as processes with the stack's own settings and roles."""

import base64
import json
import re
import subprocess
import sys
from contextlib import contextmanager

from tests.integration.stack.account import PATIENCE_S
from tests.support.expanded_template import ROOT

SYMBOL, DAYS = "DEMOBTC", 2
STRIDES = {"lambda": 5, "gpu": 1}
"""Of the runs, by what works them off: of one stride the second would find all done."""
NO_VERSION = "20200101-00000000"
OPERATOR = "OperatorPolicy"
"""Who gives the commands."""
_MISSING = 3
_COINFARM = [sys.executable, "-c", "from coinfarm.cli import main; main(prog_name='coinfarm')"]


class Farm:
    """Of a stack in an account, with a folder for logs and caches."""

    def __init__(self, account, stack, folder):
        self._account, self.stack, self.folder = account, stack, folder

    def command(self, *words):
        """What `coinfarm --stack NAME` writes. It may find that shards are missing, but must not fail."""
        done = subprocess.run(
            [*_COINFARM, "--stack", self.stack.name, *map(str, words)],
            cwd=self.folder,
            env=self._account.environment(OPERATOR, PYTHONPATH=str(ROOT)),
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
        )
        assert done.returncode in (0, _MISSING), f"coinfarm {' '.join(map(str, words))}\n{done.stdout}{done.stderr}"
        return done.stdout

    @contextmanager
    def function(self, resource):
        """`invoke(event)` of a function, in the environment that it was made with; it has the name of its role to the record of calls."""
        configuration = self._account.client("lambda").get_function_configuration(FunctionName=self.stack.id_of(resource))
        role = self.stack.resource_of(configuration["Role"].rpartition("/")[2])
        given = configuration["Environment"]["Variables"]
        lambdas_own = {"AWS_LAMBDA_FUNCTION_NAME": configuration["FunctionName"], "MODEL_CACHE_DIR": str(self.folder / f"{resource}-tmp")}
        with (self.folder / f"{resource}.log").open("a") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.integration.stack.function"],
                cwd=ROOT,
                env=self._account.environment(role, **lambdas_own | given),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

        def invoke(event):
            process.stdin.write(json.dumps(event) + "\n")
            process.stdin.flush()
            answer = process.stdout.readline()
            assert answer, (self.folder / f"{resource}.log").read_text()
            return json.loads(answer)

        with process:
            try:
                yield invoke
            finally:
                process.kill()

    def work_off_as_lambda_does(self, invoke):
        """Poll the queue once as the event source mapping would, with the role of its function; what the function answered, or None."""
        events = self.stack.wanted["BatchEvents"]["Properties"]
        sqs = self._account.client("sqs", "BatchRole")
        queue = self.stack.outputs["QueueUrl"]
        received = sqs.receive_message(
            QueueUrl=queue, MaxNumberOfMessages=events["BatchSize"], MessageSystemAttributeNames=["All"], MessageAttributeNames=["All"]
        )
        messages = received.get("Messages", [])
        if not messages:
            return None
        answer = invoke({"Records": [_record(message, events["EventSourceArn"]) for message in messages]})
        assert events["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
        done = [message for message in messages if message["MessageId"] not in failed]
        if done:
            entries = [{"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]} for number, message in enumerate(done)]
            sqs.delete_message_batch(QueueUrl=queue, Entries=entries)
        for message in messages:
            if message["MessageId"] in failed:  # the visibility timeout, an hour and a half, goes by
                self._account.client("sqs").change_message_visibility(
                    QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
                )
        return answer

    def poison(self, body):
        """Put a message into the queue by hand; its id."""
        return self._account.client("sqs").send_message(QueueUrl=self.stack.outputs["QueueUrl"], MessageBody=body)["MessageId"]

    def dead_letters(self):
        """The ids of the messages in the dead-letter queue, which stay there."""
        queue = self.stack.outputs["DeadLetterQueueUrl"]
        received = self._account.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=0)
        return [message["MessageId"] for message in received.get("Messages", [])]

    def work_off_as_the_fleet_does(self):
        """Start a machine of the fleet, and wait until it has found its queue empty and left; what the worker logged."""
        fleet = self.stack.nested["Fleet"]
        # moto cannot start one from the launch template, whose volume has the size of the machine image's.
        (instance,) = self._account.client("ec2").run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1)["Instances"]
        group = fleet.id_of("Group")
        self._account.client("autoscaling").attach_instances(AutoScalingGroupName=group, InstanceIds=[instance["InstanceId"]])
        self._account.become_instance(instance["InstanceId"], group)
        script = base64.b64decode(fleet.wanted["LaunchTemplate"]["Properties"]["LaunchTemplateData"]["UserData"]).decode()
        given = dict(variable.split("=", 1) for variable in re.findall(r"--env (\S+)", script))
        given["QUEUE_URL"] = self.stack.outputs["FleetQueueUrl"]
        in_a_test = {
            "AWS_EC2_METADATA_DISABLED": "false",
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": self._account.endpoint,
            "HEALTH_FILE": str(self.folder / "health"),
            "MODEL_CACHE_DIR": str(self.folder / "worker-tmp"),
            "RECEIVE_WAIT_S": "1",
            "VISIBILITY_TIMEOUT_S": "2",  # so that it hides again what it works on
        }
        done = subprocess.run(
            [sys.executable, "-m", "handler.worker"],
            cwd=ROOT,
            env=self._account.environment("FleetRole", **in_a_test | given),
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
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
