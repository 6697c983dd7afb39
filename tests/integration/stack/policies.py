"""An evaluation of IAM policies, as far as the stack uses them. Unknown elements raise `ValueError`."""

import fnmatch
from dataclasses import dataclass

from tests.integration.stack.calls import REGION, Call

_KNOWN_ELEMENTS = {"Sid", "Effect", "Action", "Resource", "Condition"}
_OPERATORS = {
    "StringEquals": lambda pattern, value: pattern == value,
    "StringLike": lambda pattern, value: fnmatch.fnmatchcase(value, pattern),
    "ArnLike": lambda pattern, value: fnmatch.fnmatchcase(value, pattern),
    "Bool": lambda pattern, value: pattern.lower() == value.lower(),
}
_COMMON_CONTEXT = {"aws:SecureTransport": "true"}
"""Condition keys of every call: clients use TLS."""


@dataclass(frozen=True)
class Statement:
    """A statement of a policy."""

    sid: str
    effect: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: tuple[tuple[str, str, tuple[str, ...]], ...]

    @classmethod
    def of(cls, document):
        """The statements of a policy document, except those for other services of AWS. Raises `ValueError` for an unknown element."""
        return [cls._read(statement) for statement in _as_list(document["Statement"]) if "Service" not in statement.get("Principal", "")]

    @classmethod
    def _read(cls, statement):
        unknown = statement.keys() - _KNOWN_ELEMENTS - ({"Principal"} if statement.get("Principal") == "*" else set())
        conditions = tuple(
            (operator, key, tuple(_as_list(values)))
            for operator, keys in statement.get("Condition", {}).items()
            for key, values in keys.items()
        )
        unknown |= {operator for operator, _, _ in conditions} - _OPERATORS.keys()
        if unknown:
            raise ValueError(f"statement {statement.get('Sid')}: {', '.join(sorted(unknown))} is not implemented")
        actions, resources = tuple(_as_list(statement["Action"])), tuple(_as_list(statement["Resource"]))
        return cls(statement.get("Sid", "?"), statement["Effect"], actions, resources, conditions)

    def matching_action(self, call):
        """The first of its actions that matches the call's, or None."""
        return next((action for action in self.actions if fnmatch.fnmatchcase(call.action.lower(), action.lower())), None)

    def matches_resource(self, call):
        return any(fnmatch.fnmatchcase(call.resource, resource) for resource in self.resources)

    def applies_to(self, call):
        return self.matching_action(call) is not None and self.matches_resource(call) and self._conditions_hold(call)

    def _conditions_hold(self, call):
        context = call.context | _COMMON_CONTEXT
        return all(
            key in context and any(_OPERATORS[operator](pattern, context[key]) for pattern in values)
            for operator, key, values in self.conditions
        )


@dataclass(frozen=True)
class Policies:
    """The policies of a caller, and those of the resources that it uses."""

    caller: str
    statements: tuple[Statement, ...]
    resource_statements: tuple[Statement, ...] = ()

    def allowing(self, call):
        """The statements that allow a call; none if any statement denies it."""
        if any(each.effect == "Deny" and each.applies_to(call) for each in self.statements + self.resource_statements):
            return []
        return [each for each in self.statements if each.effect == "Allow" and each.applies_to(call)]

    def denial(self, call):
        """A message with the remedy if the call is not allowed, else None."""
        if self.allowing(call):
            return None
        nearest = [each.sid for each in self.statements if each.effect == "Allow" and each.matching_action(call) is not None]
        nearest = nearest or [
            each.sid for each in self.statements if each.effect == "Allow" and each.matches_resource(call) and "*" not in each.resources
        ]
        remedy = f"extend statement {' or '.join(nearest)}" if nearest else "add a statement"
        return f"{call}, but no policy allows it: {remedy}"

    def unused(self, calls):
        """The allowed actions that no call needs, each as `Sid: action`."""
        used = {(each.sid, each.matching_action(call)) for call in calls for each in self.allowing(call)}
        return {
            f"{each.sid}: {action}"
            for each in self.statements
            if each.effect == "Allow"
            for action in each.actions
            if (each.sid, action) not in used
        }


def policies_of(stack):
    """The policies by caller, as in the record of calls: the roles of functions and fleet, and the operator's policy."""
    resource_statements = tuple(
        statement
        for each in (stack, *stack.nested.values())
        for resource in each.resolved.values()
        if resource["Type"] in ("AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy")
        for statement in Statement.of(resource["Properties"]["PolicyDocument"])
    )
    by_caller = {role: _role_statements(stack, role) for role in ("ApiRole", "BatchRole", "LiveRole") if role in stack.resolved}
    if "Fleet" in stack.nested:
        by_caller["FleetRole"] = _role_statements(stack.nested["Fleet"], "Role")
    by_caller["OperatorPolicy"] = Statement.of(stack.resolved["OperatorPolicy"]["Properties"]["PolicyDocument"])
    return {caller: Policies(caller, tuple(statements), resource_statements) for caller, statements in by_caller.items()}


def _role_statements(stack, role):
    """The statements of a role's inline and attached policies."""
    properties = stack.resolved[role]["Properties"]
    if properties.get("ManagedPolicyArns"):
        raise ValueError(f"{role} has managed policies, which are not implemented")
    attached = [
        resource["Properties"]
        for each in (stack, *stack.nested.values())
        for resource in each.resolved.values()
        if resource["Type"] == "AWS::IAM::Policy" and stack.physical_id(role) in resource["Properties"]["Roles"]
    ]
    return [statement for policy in properties["Policies"] + attached for statement in Statement.of(policy["PolicyDocument"])]


def with_kms_calls(calls, stack):
    """The calls, and the KMS calls that AWS makes for their callers if a customer managed key encrypts buckets and queues."""
    (encryption,) = stack.resolved["ModelBucket"]["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    key = encryption["ServerSideEncryptionByDefault"].get("KMSMasterKeyID")
    if key is None:
        return list(calls)
    return [
        each
        for call in calls
        for each in (call, *(Call(call.caller, action, key, _kms_context(call)) for action in _KMS.get(call.action, ())))
    ]


_KMS = {
    "s3:GetObject": ("kms:Decrypt",),
    "s3:PutObject": ("kms:GenerateDataKey", "kms:Decrypt"),  # Decrypt is needed for multipart uploads
    "sqs:SendMessage": ("kms:GenerateDataKey", "kms:Decrypt"),
    "sqs:ReceiveMessage": ("kms:Decrypt",),
    "sns:Publish": ("kms:GenerateDataKey", "kms:Decrypt"),
}


def _kms_context(call):
    return {"kms:ViaService": f"{call.action.partition(':')[0]}.{REGION}.amazonaws.com"}


def _as_list(value):
    return value if isinstance(value, list) else [value]
