"""An AWS account for a test: moto's server, the stacks deployed into it, and what the processes that speak to it asked for."""

import copy
import json
import os
import subprocess
import sys
import threading
from contextlib import contextmanager
from urllib.parse import urlsplit

import boto3

from tests.integration.stack.calls import read
from tests.integration.stack.cloud import INSTANCE_FILE
from tests.integration.stack.templates import nested_templates
from tests.support.expanded_template import ROOT, expanded

PATIENCE_S = 120
OURSELVES = "Test"
"""Who calls where it is the test that does; nobody asks what it may."""
_EVERYTHING = "ResolvedByCloudFormation"


class Account:
    """Open it with `opened`. `calls` are all that anybody but the test made; `lacking` and `replaced` are of `moto_resources`."""

    def __init__(self, record, endpoint, lacking, replaced):
        self.endpoint, self.lacking, self.replaced = endpoint, lacking, replaced
        self._record = record
        self._clients, self._lock = {}, threading.Lock()
        self.client("ssm").put_parameter(Name="/machine-image", Value="ami-12c6146b", Type="String")

    @classmethod
    @contextmanager
    def opened(cls, folder):
        record = folder / "calls.jsonl"
        record.touch()
        with (folder / "cloud.log").open("w") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.integration.stack.cloud", record],
                cwd=ROOT,
                env=os.environ | {"AWS_ACCESS_KEY_ID": OURSELVES},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        with process:
            try:
                line = process.stdout.readline()
                assert line, (folder / "cloud.log").read_text()
                yield cls(record, **json.loads(line))
            finally:
                process.kill()

    @property
    def calls(self):
        return [call for call in read(self._record.read_text()) if call.caller != OURSELVES]

    def client(self, service, caller=OURSELVES):
        """The same for every thread: clients may be shared, and only their making may not."""
        with self._lock:
            if (service, caller) not in self._clients:
                made = boto3.client(service, endpoint_url=self.endpoint, aws_access_key_id=caller, aws_secret_access_key="secret")
                self._clients[service, caller] = made
            return self._clients[service, caller]

    def environment(self, caller, **variables):
        """Of a process that has `caller` as its role, and knows nothing of this one's settings."""
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
        """A VPC and two subnets of it."""
        ec2 = self.client("ec2")
        (vpc,) = ec2.describe_vpcs()["Vpcs"]
        return vpc["VpcId"], [subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"][:2]]

    def become_instance(self, instance_id, group):
        """What the metadata service tells from now on: the instance, which belongs to an Auto Scaling group."""
        self._record.with_name(INSTANCE_FILE).write_text(json.dumps({"id": instance_id, "group": group}))

    def deploy(self, name, parameters, api_url=None):
        """Make a stack of template.yaml, as `sam deploy` would. `api_url` is a text for `Fn::Sub` in the place of the output ApiUrl."""
        return self._deploy("create_stack", name, parameters, api_url)

    def update(self, name, parameters, api_url=None):
        """Likewise, of a stack that is there; moto changes the functions' settings and little else."""
        return self._deploy("update_stack", name, parameters, api_url)

    def _deploy(self, call, name, parameters, api_url):
        root = expanded(**parameters)
        for (bucket, key), template in nested_templates(root).items():
            self.client("s3").create_bucket(Bucket=bucket)
            self.client("s3").put_object(Bucket=bucket, Key=key, Body=json.dumps(_as_moto_wants(template)))
        template = _as_moto_wants(root)
        if api_url:
            template["Outputs"]["ApiUrl"]["Value"] = {"Fn::Sub": api_url}
        getattr(self.client("cloudformation"), call)(
            StackName=name,
            TemplateBody=json.dumps(template),
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        )
        return Stack(self, name)


def _as_moto_wants(template):
    """With an output of all that CloudFormation resolved, and a machine image that moto knows (not AWS's own)."""
    template = copy.deepcopy(template)
    for parameter in template["Parameters"].values():
        if str(parameter.get("Default", "")).startswith("/aws/service/"):
            parameter["Default"] = "/machine-image"
    everything = {}
    for name, resource in template["Resources"].items():
        told = {"Type": resource["Type"], "Properties": resource.get("Properties", {})}
        condition = resource.get("Condition")
        everything[name] = {"Fn::If": [condition, told, {"Ref": "AWS::NoValue"}]} if condition else told
    template["Outputs"][_EVERYTHING] = {"Value": {"Fn::ToJsonString": everything}}
    return template


class Stack:
    """A stack that was made, with those that it nests."""

    def __init__(self, account, name):
        self._account = account
        self._stacks = account.client("cloudformation")
        self.name = name
        (described,) = self._stacks.describe_stacks(StackName=name)["Stacks"]
        self.status = described["StackStatus"]
        self.outputs = {output["OutputKey"]: _here(output["OutputValue"], account.endpoint) for output in described["Outputs"]}
        self.wanted = json.loads(self.outputs.pop(_EVERYTHING))
        """Each resource whose condition holds: its type, and its properties as they came to be."""
        self._made = {
            resource["LogicalResourceId"]: resource["PhysicalResourceId"]
            for resource in self._stacks.describe_stack_resources(StackName=name)["StackResources"]
            if "PhysicalResourceId" in resource
        }
        self.nested = {
            logical: Stack(account, self._made[logical])
            for logical, resource in self.wanted.items()
            if resource["Type"] == "AWS::CloudFormation::Stack"
        }

    def id_of(self, resource):
        """The name that a resource got."""
        return self._made[resource]

    def resource_of(self, name):
        """The resource that got a name."""
        return next(resource for resource, made in self._made.items() if made == name)

    @property
    def not_made(self):
        """Types of what was wanted and is not there, in this stack or one that it nests."""
        missing = {resource["Type"] for name, resource in self.wanted.items() if name not in self._made}
        return missing.union(*(nested.not_made for nested in self.nested.values()))


def _here(value, endpoint):
    return f"{endpoint}{urlsplit(value).path}" if value.startswith("https://sqs.") else value
