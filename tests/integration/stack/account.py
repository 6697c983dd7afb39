"""An AWS account for tests: moto's server, the stacks that are deployed in it, and a record of the calls to it."""

import copy
import json
import os
import subprocess
import sys
import threading
from contextlib import contextmanager
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import boto3

from tests.integration.stack.calls import from_lines
from tests.integration.stack.recording_server import INSTANCE_FILE
from tests.integration.stack.templates import nested_templates
from tests.support.expanded_template import ROOT, expanded

TIMEOUT_S = 120
TEST_CALLER = "Test"
"""The access key of the test itself, whose permissions are not tested."""
_RESOLVED = "ResolvedByCloudFormation"


class Account:
    """Use `started` to create one."""

    def __init__(self, record, endpoint):
        self.endpoint, self._record = endpoint, record
        self._clients, self._lock = {}, threading.Lock()
        self._add_machine_image()

    def _add_machine_image(self):
        self.client("ssm").put_parameter(Name="/machine-image", Value="ami-12c6146b", Type="String")

    def reset(self):
        """Delete everything."""
        urlopen(Request(f"{self.endpoint}/moto-api/reset", method="POST")).close()
        self._add_machine_image()

    @classmethod
    @contextmanager
    def started(cls, folder):
        record = folder / "calls.jsonl"
        record.touch()
        with (folder / "cloud.log").open("w") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.integration.stack.recording_server", record],
                cwd=ROOT,
                env=os.environ | {"AWS_ACCESS_KEY_ID": TEST_CALLER},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        with process:
            try:
                line = process.stdout.readline()
                assert line, (folder / "cloud.log").read_text()
                yield cls(record, line.strip())
            finally:
                process.kill()

    @property
    def calls(self):
        """The calls of all callers except the test."""
        return [call for call in from_lines(self._record.read_text()) if call.caller != TEST_CALLER]

    def client(self, service, caller=TEST_CALLER):
        """A client that threads may share; creating one is not thread-safe."""
        with self._lock:
            if (service, caller) not in self._clients:
                self._clients[service, caller] = boto3.client(
                    service, endpoint_url=self.endpoint, aws_access_key_id=caller, aws_secret_access_key="secret"
                )
            return self._clients[service, caller]

    def environment(self, caller, **variables):
        """The environment variables of a process with the role `caller`, without the settings of this process."""
        return {
            **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
            "AWS_ACCESS_KEY_ID": caller,
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            **variables,
        }

    def network(self):
        """The id of a VPC, and those of two of its subnets."""
        ec2 = self.client("ec2")
        (vpc,) = ec2.describe_vpcs()["Vpcs"]
        return vpc["VpcId"], [subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"][:2]]

    def set_instance(self, instance_id, group):
        """Set the instance that the metadata service describes, and its Auto Scaling group."""
        self._record.with_name(INSTANCE_FILE).write_text(json.dumps({"id": instance_id, "group": group}))

    def deploy(self, name, parameters, api_url=None):
        """Create a stack of template.yaml, as `sam deploy` does. `api_url` is a template for `Fn::Sub` that replaces the output ApiUrl."""
        return self._deploy("create_stack", name, parameters, api_url)

    def update(self, name, parameters, api_url=None):
        """Update an existing stack; moto changes the functions' settings and little else."""
        return self._deploy("update_stack", name, parameters, api_url)

    def _deploy(self, call, name, parameters, api_url):
        root = expanded(**parameters)
        for (bucket, key), template in nested_templates(root).items():
            self.client("s3").create_bucket(Bucket=bucket)
            self.client("s3").put_object(Bucket=bucket, Key=key, Body=json.dumps(_adapted_to_moto(template)))
        template = _adapted_to_moto(root)
        if api_url:
            template["Outputs"]["ApiUrl"]["Value"] = {"Fn::Sub": api_url}
        getattr(self.client("cloudformation"), call)(
            StackName=name,
            TemplateBody=json.dumps(template),
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        )
        return Stack(self, name)


def _adapted_to_moto(template):
    """Add an output with all resolved resources, and replace AWS's machine image by one that moto has."""
    template = copy.deepcopy(template)
    for parameter in template["Parameters"].values():
        if str(parameter.get("Default", "")).startswith("/aws/service/"):
            parameter["Default"] = "/machine-image"
    resources = {}
    for name, resource in template["Resources"].items():
        resolved = {"Type": resource["Type"], "Properties": resource.get("Properties", {})}
        condition = resource.get("Condition")
        resources[name] = {"Fn::If": [condition, resolved, {"Ref": "AWS::NoValue"}]} if condition else resolved
    template["Outputs"][_RESOLVED] = {"Value": {"Fn::ToJsonString": resources}}
    return template


class Stack:
    """A deployed stack with its nested stacks."""

    def __init__(self, account, name):
        self._account = account
        self._stacks = account.client("cloudformation")
        self.name = name
        (described,) = self._stacks.describe_stacks(StackName=name)["Stacks"]
        self.status = described["StackStatus"]
        self.outputs = {output["OutputKey"]: _local_url(output["OutputValue"], account.endpoint) for output in described["Outputs"]}
        self.resolved = json.loads(self.outputs.pop(_RESOLVED))
        """The type and the resolved properties of each resource whose condition holds, by logical id."""
        self._physical_ids = {
            resource["LogicalResourceId"]: resource["PhysicalResourceId"]
            for resource in self._stacks.describe_stack_resources(StackName=name)["StackResources"]
            if "PhysicalResourceId" in resource
        }
        self.nested = {
            logical: Stack(account, self._physical_ids[logical])
            for logical, resource in self.resolved.items()
            if resource["Type"] == "AWS::CloudFormation::Stack"
        }

    def physical_id(self, resource):
        """The physical id of a resource."""
        return self._physical_ids[resource]

    def logical_id(self, name):
        """The logical id of a resource."""
        return next(logical for logical, physical in self._physical_ids.items() if physical == name)

    @property
    def missing_types(self):
        """The types of resources that were not created, in this stack or a nested one."""
        missing = {resource["Type"] for name, resource in self.resolved.items() if name not in self._physical_ids}
        return missing.union(*(nested.missing_types for nested in self.nested.values()))


def _local_url(value, endpoint):
    return f"{endpoint}{urlsplit(value).path}" if value.startswith("https://sqs.") else value
