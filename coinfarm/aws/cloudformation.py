"""A deployed CloudFormation stack. Import it lazily: boto3 is slow to load."""

from collections.abc import Mapping
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from coinfarm.aws.client import aws_client
from coinfarm.aws.error_translation import ErrorResponse, ServiceErrorMessages, translate_errors
from coinfarm.errors import CoinfarmError, Forbidden, NotFound, StorageError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import StackTypeDef

_LIMITS = {"lambda_functions": "BatchConcurrency", "lambda_memory_mb": "FunctionMemory", "instances": "MaxInstances"}


class Stack:
    """The stack that `template.yaml` was deployed as. It is described once, when a property is first read.

    Every property raises `NotFound` if the stack does not exist, another `StorageError` if the call fails, and
    `CoinfarmError` for a stack that has no resources or was not deployed from `template.yaml`.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    @property
    def status(self) -> str:
        """CloudFormation's status, such as `UPDATE_COMPLETE`."""
        return self._description["StackStatus"]

    @property
    def region(self) -> str:
        return self._description["StackId"].split(":")[3]

    @property
    def outputs(self) -> Mapping[str, str]:
        """The stack's outputs by name."""
        return {output["OutputKey"]: output["OutputValue"] for output in self._description.get("Outputs", [])}

    @property
    def candles_uri(self) -> str:
        """The URI of the candle store."""
        return f"s3://{self._output('CandleBucketName')}"

    @property
    def results_uri(self) -> str:
        """The URI of the bucket for results."""
        return f"s3://{self._output('ResultBucketName')}"

    @property
    def predictions_uri(self) -> str:
        """The URI that shard predictions are stored under."""
        return f"{self.results_uri}/predictions"

    def run_uri(self, name: str) -> str:
        """The URI of the run `name`."""
        return f"{self.results_uri}/runs/{name}"

    @property
    def model_uri(self) -> str | None:
        """The model root that the stack serves from; None if it serves the reference model inside its image."""
        name = self._parameters.get("ModelName")
        return f"s3://{self._output('ModelBucketName')}/models/{name}" if name else None

    @property
    def required_model_uri(self) -> str:
        """`model_uri`; raises `CoinfarmError` if there is none."""
        if self.model_uri is None:
            raise CoinfarmError(
                f"stack {self.name} serves the reference model inside its image: deploy it with ModelName=NAME, "
                f"or use a model root, such as s3://{self._output('ModelBucketName')}/models/NAME"
            )
        return self.model_uri

    def check_uris(self, candles_uri: str, results_uri: str) -> None:
        """Raise `Forbidden` unless both URIs are in the buckets that the stack's functions may read and write."""
        for uri, bucket_uri in ((candles_uri, self.candles_uri), (results_uri, self.results_uri)):
            if not f"{uri}/".startswith(f"{bucket_uri}/"):
                raise Forbidden(
                    f"{uri} is outside {bucket_uri}, which stack {self.name} uses: plan the run with coinfarm --stack {self.name}"
                )

    @property
    def function_arn(self) -> str:
        """The alias of the API's function, for direct invocations. An alias follows deployments."""
        return self._output("ApiFunctionAlias")

    @property
    def limits(self) -> dict[str, Any]:
        """`lambda_functions`, `lambda_memory_mb` and `instances`, each only if the template has the parameter."""
        return {name: int(self._parameters[parameter]) for name, parameter in _LIMITS.items() if self._parameters.get(parameter)}

    def queue_url(self, *, fleet: bool) -> str:
        """The queue of the GPU fleet, or that of Lambda. Raises `CoinfarmError` if there is no fleet."""
        if not fleet:
            return self._output("QueueUrl")
        if "FleetQueueUrl" not in self.outputs:
            raise CoinfarmError(f"stack {self.name} has no GPU fleet: deploy it with FleetRepository, or plan the run with --on lambda")
        return self.outputs["FleetQueueUrl"]

    @property
    def _parameters(self) -> Mapping[str, str]:
        return {each["ParameterKey"]: each.get("ParameterValue", "") for each in self._description.get("Parameters", [])}

    def _output(self, name: str) -> str:
        if name not in self.outputs:
            raise CoinfarmError(f"stack {self.name} has no output {name}: pass a stack that was deployed from coinfarm's template.yaml")
        return self.outputs[name]

    @cached_property
    def _client(self) -> "CloudFormationClient":
        client: CloudFormationClient = aws_client("cloudformation")
        return client

    @cached_property
    def _description(self) -> "StackTypeDef":
        with _translate_errors(f"stack {self.name}"):
            description = self._client.describe_stacks(StackName=self.name)["Stacks"][0]
        _check_has_resources(self.name, description)
        return description


def _check_has_resources(name: str, description: "StackTypeDef") -> None:
    status = description["StackStatus"]
    if status.startswith("DELETE"):
        raise NotFound(f"stack {name} is deleted or being deleted ({status}): deploy it again, or use another stack")
    if status in ("CREATE_IN_PROGRESS", "REVIEW_IN_PROGRESS"):
        raise CoinfarmError(f"stack {name} is not created yet ({status}): wait until its deployment has finished")
    if status == "CREATE_FAILED" or status.startswith("ROLLBACK"):
        reason = description.get("StackStatusReason", "")
        raise CoinfarmError(
            f"stack {name} could not be created ({status}{f': {reason}' if reason else ''}): see its events in CloudFormation; "
            f"delete it with sam delete --stack-name {name}, and deploy it again"
        )


def _specific_error(where: str, response: ErrorResponse) -> StorageError | None:
    if response.code == "ValidationError" and "does not exist" in response.message:
        return NotFound(f"{where} does not exist in this account and region: check its name and AWS_REGION")
    return None


_ERROR_MESSAGES = ServiceErrorMessages(
    "CloudFormation",
    required_permission="call cloudformation:DescribeStacks",
    unreachable="CloudFormation cannot be reached",
    specific_error=_specific_error,
)
_translate_errors = partial(translate_errors, messages=_ERROR_MESSAGES)
