"""A deployed stack, through boto3's CloudFormation: the one place that speaks to it. Import it where a stack is first asked."""

from collections.abc import Mapping
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from coinfarm.aws.client import aws_client
from coinfarm.aws.error_translation import AwsService, ErrorResponse, translate_errors
from coinfarm.errors import CoinfarmError, Forbidden, NotFound, StorageError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import StackTypeDef

_LIMITS = {"lambda_functions": "BatchConcurrency", "lambda_memory_mb": "FunctionMemory", "instances": "MaxInstances"}


class Stack:
    """What `template.yaml` was deployed as, under a name; it is asked once, when something of it is first needed.

    Every property raises `NotFound` where there is no such stack, another `StorageError` where CloudFormation cannot be asked, and
    `CoinfarmError` for a stack without resources, or one that is not ours.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    @property
    def status(self) -> str:
        """As CloudFormation calls it, such as `UPDATE_COMPLETE`."""
        return self._found["StackStatus"]

    @property
    def region(self) -> str:
        """Where it is."""
        return self._found["StackId"].split(":")[3]

    @property
    def outputs(self) -> Mapping[str, str]:
        """What the template tells, by name."""
        return {output["OutputKey"]: output["OutputValue"] for output in self._found.get("Outputs", [])}

    @property
    def candles_uri(self) -> str:
        """The candle store."""
        return f"s3://{self._output('CandleBucketName')}"

    @property
    def results_uri(self) -> str:
        """The root of all runs' results."""
        return f"s3://{self._output('ResultBucketName')}"

    @property
    def predictions_uri(self) -> str:
        """Where under it the predictions lie."""
        return f"{self.results_uri}/predictions"

    def run_uri(self, name: str) -> str:
        """Where the run of that name is kept."""
        return f"{self.results_uri}/runs/{name}"

    @property
    def model_uri(self) -> str | None:
        """The model root that it serves from; None where it serves the reference model inside its image."""
        name = self._parameters.get("ModelName")
        return f"s3://{self._output('ModelBucketName')}/models/{name}" if name else None

    @property
    def required_model_uri(self) -> str:
        """The same, for who needs one. Raises `CoinfarmError` where it has none."""
        if self.model_uri is None:
            raise CoinfarmError(
                f"stack {self.name} serves the reference model inside its image: deploy it with ModelName=NAME, "
                f"or name the model root yourself, such as s3://{self._output('ModelBucketName')}/models/NAME"
            )
        return self.model_uri

    def check_uris(self, candles_uri: str, results_uri: str) -> None:
        """Raises `Forbidden` where messages would name what its functions may not read or write."""
        for uri, home in ((candles_uri, self.candles_uri), (results_uri, self.results_uri)):
            if not f"{uri}/".startswith(f"{home}/"):
                raise Forbidden(f"{uri} lies outside {home}, where stack {self.name} works: plan the run with coinfarm --stack {self.name}")

    @property
    def function_arn(self) -> str:
        """What answers requests that are sent to it directly: the alias, so that a deployment under way may move them."""
        return self._output("ApiFunctionAlias")

    @property
    def limits(self) -> dict[str, Any]:
        """Its `lambda_functions`, `lambda_memory_mb` and `instances`, as far as its template has such a parameter."""
        return {name: int(self._parameters[parameter]) for name, parameter in _LIMITS.items() if self._parameters.get(parameter)}

    def queue_url(self, *, fleet: bool) -> str:
        """The queue of the GPU fleet, or that of Lambda. Raises `CoinfarmError` where there is no fleet."""
        if not fleet:
            return self._output("QueueUrl")
        if "FleetQueueUrl" not in self.outputs:
            raise CoinfarmError(f"stack {self.name} has no GPU fleet: deploy it with FleetRepository, or plan the run with --on lambda")
        return self.outputs["FleetQueueUrl"]

    @property
    def _parameters(self) -> Mapping[str, str]:
        return {each["ParameterKey"]: each.get("ParameterValue", "") for each in self._found.get("Parameters", [])}

    def _output(self, name: str) -> str:
        if name not in self.outputs:
            raise CoinfarmError(
                f"stack {self.name} is not one of coinfarm's: it has no output {name}; name what template.yaml was deployed as"
            )
        return self.outputs[name]

    @cached_property
    def _client(self) -> "CloudFormationClient":
        client: CloudFormationClient = aws_client("cloudformation")
        return client

    @cached_property
    def _found(self) -> "StackTypeDef":
        with _translate_errors(f"stack {self.name}"):
            found = self._client.describe_stacks(StackName=self.name)["Stacks"][0]
        _refuse_one_without_resources(self.name, found)
        return found


def _refuse_one_without_resources(name: str, found: "StackTypeDef") -> None:
    status = found["StackStatus"]
    if status.startswith("DELETE"):
        raise NotFound(f"stack {name} is deleted, or about to be ({status}): deploy it again, or name another")
    if status in ("CREATE_IN_PROGRESS", "REVIEW_IN_PROGRESS"):
        raise CoinfarmError(f"stack {name} is not made yet ({status}): wait until its deployment has ended")
    if status == "CREATE_FAILED" or status.startswith("ROLLBACK"):
        reason = found.get("StackStatusReason", "")
        raise CoinfarmError(
            f"stack {name} could not be made ({status}{f': {reason}' if reason else ''}): its events in CloudFormation tell why; "
            f"delete it with sam delete --stack-name {name}, and deploy it again"
        )


def _specific_error(where: str, response: ErrorResponse) -> StorageError | None:
    if response.code == "ValidationError" and "does not exist" in response.message:
        return NotFound(f"{where}: there is none in this account and region; is AWS_REGION the one that it was deployed to?")
    return None


_SERVICE = AwsService(
    "CloudFormation",
    required_permission="call cloudformation:DescribeStacks",
    unreachable="CloudFormation cannot be reached",
    specific_error=_specific_error,
)
_translate_errors = partial(translate_errors, service=_SERVICE)
