"""The events that other services of AWS send to the functions: messages, uploads and schedules."""

import base64
import hashlib
import json
from urllib.parse import quote_plus

from ids import ACCOUNT, NOW, REGION, SOURCE_IP, Json, milliseconds, trace_id, unique_id


def queue_event(*messages: Json) -> Json:
    """An event of SQS, with a record for each message."""
    return {"Records": [_record(json.dumps(message)) for message in messages]}


def topic_notification(message: Json) -> Json:
    """The body of an SQS message from a topic of SNS, unless the subscription has raw delivery."""
    topic = f"arn:aws:sns:{REGION}:{ACCOUNT}:coinfarm-requests"
    text = json.dumps(message)
    return {
        "Type": "Notification",
        "MessageId": unique_id(f"notification {text}"),
        "TopicArn": topic,
        "Message": text,
        "Timestamp": _time(),
        "SignatureVersion": "1",
        "Signature": "EXAMPLE",
        "SigningCertURL": f"https://sns.{REGION}.amazonaws.com/SimpleNotificationService-example.pem",
        "UnsubscribeURL": f"https://sns.{REGION}.amazonaws.com/?Action=Unsubscribe&SubscriptionArn={topic}:example",
    }


def topic_event(message: Json) -> Json:
    """An event of a topic that invokes the function without a queue."""
    notification = topic_notification(message)
    renamed = {name.replace("URL", "Url"): value for name, value in notification.items()}
    arn = f"{notification['TopicArn']}:example"
    sns = {**renamed, "Subject": None, "MessageAttributes": {}}
    return {"Records": [{"EventSource": "aws:sns", "EventVersion": "1.0", "EventSubscriptionArn": arn, "Sns": sns}]}


def object_created(bucket: str, key: str, data: bytes) -> Json:
    """An event of S3 in EventBridge."""
    detail = {
        "version": "0",
        "bucket": {"name": bucket},
        "object": {"key": key, "size": len(data), "etag": _etag(data), "sequencer": "0061A1B2C3D4E5F678"},
        "request-id": "C3D13FE58DE4C810",
        "requester": ACCOUNT,
        "source-ip-address": SOURCE_IP,
        "reason": "PutObject",
    }
    return _bridge_event("Object Created", "aws.s3", f"arn:aws:s3:::{bucket}", detail)


def bucket_notification(bucket: str, key: str, data: bytes) -> Json:
    """A notification of a bucket, without EventBridge. Its keys are encoded."""
    record = {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": REGION,
        "eventTime": _time(),
        "eventName": "ObjectCreated:Put",
        "userIdentity": {"principalId": "AWS:AROAEXAMPLEEXAMPLEEXA:upload"},
        "requestParameters": {"sourceIPAddress": SOURCE_IP},
        "responseElements": {"x-amz-request-id": "C3D13FE58DE4C810", "x-amz-id-2": "EXAMPLE"},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "uploads",
            "bucket": {"name": bucket, "ownerIdentity": {"principalId": "EXAMPLE"}, "arn": f"arn:aws:s3:::{bucket}"},
            "object": {"key": quote_plus(key, safe="/"), "size": len(data), "eTag": _etag(data), "sequencer": "0061A1B2C3D4E5F678"},
        },
    }
    return {"Records": [record]}


def scheduled_event() -> Json:
    """An event of a rule of EventBridge that has a schedule."""
    return _bridge_event("Scheduled Event", "aws.events", f"arn:aws:events:{REGION}:{ACCOUNT}:rule/keep-warm", {})


def scheduler_event() -> Json:
    """An event of EventBridge Scheduler, for a schedule without an input of its own. Its detail is a string."""
    event = _bridge_event("Scheduled Event", "aws.scheduler", f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule/default/keep-warm", {})
    return event | {"detail": "{}"}


def _bridge_event(detail_type: str, source: str, resource: str, detail: Json) -> Json:
    return {
        "version": "0",
        "id": unique_id(f"{detail_type} {source} {detail}"),
        "detail-type": detail_type,
        "source": source,
        "account": ACCOUNT,
        "time": f"{NOW:%Y-%m-%dT%H:%M:%SZ}",
        "region": REGION,
        "resources": [resource],
        "detail": detail,
    }


def _etag(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def _time() -> str:
    return f"{NOW:%Y-%m-%dT%H:%M:%S.000Z}"


def _record(body: str) -> Json:
    message_id = unique_id(body)
    return {
        "messageId": message_id,
        "receiptHandle": "AQEB" + base64.b64encode(hashlib.shake_256(message_id.encode()).digest(255)).decode(),
        "body": body,
        "attributes": {
            "ApproximateReceiveCount": "1",
            "AWSTraceHeader": trace_id(message_id),
            "SentTimestamp": str(milliseconds(NOW)),
            "SenderId": "AROAEXAMPLEEXAMPLEEXA:backfill",
            "ApproximateFirstReceiveTimestamp": str(milliseconds(NOW) + 4),
        },
        "messageAttributes": {},
        "md5OfBody": hashlib.md5(body.encode(), usedforsecurity=False).hexdigest(),
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{REGION}:{ACCOUNT}:coinfarm-Queue",
        "awsRegion": REGION,
    }
