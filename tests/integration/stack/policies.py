"""What the policies of a deployed stack allow: IAM's rules, as far as our policies use them. What is not known here is refused."""

import fnmatch
from dataclasses import dataclass

from tests.integration.stack.calls import REGION, Call

_KNOWN = {"Sid", "Effect", "Action", "Resource", "Condition"}
_OPERATORS = {
    "StringEquals": lambda wanted, value: wanted == value,
    "StringLike": lambda wanted, value: fnmatch.fnmatchcase(value, wanted),
    "ArnLike": lambda wanted, value: fnmatch.fnmatchcase(value, wanted),
    "Bool": lambda wanted, value: wanted.lower() == value.lower(),
}
_ALWAYS = {"aws:SecureTransport": "true"}
"""Of every call, since AWS is spoken to over TLS."""


@dataclass(frozen=True)
class Statement:
    """Of a policy. `sid` is its name."""

    sid: str
    effect: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: tuple[tuple[str, str, tuple[str, ...]], ...]

    @classmethod
    def of(cls, document):
        """Each statement of a policy's document. Raises `ValueError` for one that is written in a way that is not known here."""
        return [cls._read(statement) for statement in _listed(document["Statement"])]

    @classmethod
    def _read(cls, statement):
        unknown = statement.keys() - _KNOWN - ({"Principal"} if statement.get("Principal") == "*" else set())
        conditions = tuple(
            (operator, key, tuple(_listed(values)))
            for operator, keys in statement.get("Condition", {}).items()
            for key, values in keys.items()
        )
        unknown |= {operator for operator, _, _ in conditions} - _OPERATORS.keys()
        if unknown:
            raise ValueError(f"statement {statement.get('Sid')} has {', '.join(sorted(unknown))}, which this evaluation does not know")
        actions, resources = tuple(_listed(statement["Action"])), tuple(_listed(statement["Resource"]))
        return cls(statement.get("Sid", "?"), statement["Effect"], actions, resources, conditions)

    def action_of(self, call):
        """Which of its actions means the call's, or None."""
        return next((action for action in self.actions if fnmatch.fnmatchcase(call.action.lower(), action.lower())), None)

    def means_resource_of(self, call):
        return any(fnmatch.fnmatchcase(call.resource, resource) for resource in self.resources)

    def applies_to(self, call):
        return self.action_of(call) is not None and self.means_resource_of(call) and self._conditions_hold(call)

    def _conditions_hold(self, call):
        context = call.context | _ALWAYS
        return all(
            key in context and any(_OPERATORS[operator](wanted, context[key]) for wanted in values)
            for operator, key, values in self.conditions
        )


@dataclass(frozen=True)
class Policies:
    """Of a caller, beside those of the resources that it calls upon."""

    caller: str
    own: tuple[Statement, ...]
    of_resources: tuple[Statement, ...] = ()

    def allowing(self, call):
        """The statements that allow it, none where it is refused. What is denied once is refused."""
        if any(each.effect == "Deny" and each.applies_to(call) for each in self.own + self.of_resources):
            return []
        return [each for each in self.own if each.effect == "Allow" and each.applies_to(call)]

    def refusal(self, call):
        """What is wrong and what would mend it, where the call is refused; else None."""
        if self.allowing(call):
            return None
        nearest = [each.sid for each in self.own if each.effect == "Allow" and each.action_of(call) is not None]
        nearest = nearest or [
            each.sid for each in self.own if each.effect == "Allow" and each.means_resource_of(call) and "*" not in each.resources
        ]
        remedy = f"extend statement {' or '.join(nearest)}" if nearest else "it needs a statement of its own"
        return f"{call}, which no policy of it allows: {remedy}"

    def unused(self, calls):
        """`Sid: action` of each allowance that none of the calls needed."""
        used = {(each.sid, each.action_of(call)) for call in calls for each in self.allowing(call)}
        return {
            f"{each.sid}: {action}"
            for each in self.own
            if each.effect == "Allow"
            for action in each.actions
            if (each.sid, action) not in used
        }


def policies_of(stack):
    """By caller, as the record of calls names them: the roles of the functions and of the fleet, and who has the operator's policy."""
    of_resources = tuple(
        statement
        for each in (stack, *stack.nested.values())
        for resource in each.wanted.values()
        if resource["Type"] in ("AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy")
        for statement in Statement.of(resource["Properties"]["PolicyDocument"])
    )
    own = {role: _role_statements(stack, role) for role in ("ApiRole", "BatchRole")}
    if "Fleet" in stack.nested:
        own["FleetRole"] = _role_statements(stack.nested["Fleet"], "Role")
    own["OperatorPolicy"] = Statement.of(stack.wanted["OperatorPolicy"]["Properties"]["PolicyDocument"])
    return {caller: Policies(caller, tuple(statements), of_resources) for caller, statements in own.items()}


def _role_statements(stack, role):
    """Of its own policies, and of those that are attached to it."""
    properties = stack.wanted[role]["Properties"]
    if properties.get("ManagedPolicyArns"):
        raise ValueError(f"{role} has managed policies, whose statements are not known here")
    attached = [
        resource["Properties"]
        for resource in stack.wanted.values()
        if resource["Type"] == "AWS::IAM::Policy" and stack.id_of(role) in resource["Properties"]["Roles"]
    ]
    return [statement for policy in properties["Policies"] + attached for statement in Statement.of(policy["PolicyDocument"])]


def implied(calls, stack):
    """The calls, and those of KMS that AWS makes in their callers' names, where a key of the customer's own encrypts buckets and queues."""
    (encryption,) = stack.wanted["ModelBucket"]["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    key = encryption["ServerSideEncryptionByDefault"].get("KMSMasterKeyID")
    if key is None:
        return list(calls)
    return [
        each for call in calls for each in (call, *(Call(call.caller, action, key, _via(call)) for action in _KMS.get(call.action, ())))
    ]


_KMS = {
    "s3:GetObject": ("kms:Decrypt",),
    "s3:PutObject": ("kms:GenerateDataKey", "kms:Decrypt"),  # the latter for an upload in parts
    "sqs:SendMessage": ("kms:GenerateDataKey", "kms:Decrypt"),
    "sqs:ReceiveMessage": ("kms:Decrypt",),
}


def _via(call):
    return {"kms:ViaService": f"{call.action.partition(':')[0]}.{REGION}.amazonaws.com"}


def _listed(value):
    return value if isinstance(value, list) else [value]
