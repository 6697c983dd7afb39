"""The buckets, queues, logs and encryption of template.yaml. checkov checks more (`make audit`)."""

import pytest

from tests.support.expanded_template import CUSTOMER_KEY, FLEET, arn_of, properties_of, resources_of_type, stack

BUCKETS = ("ModelBucket", "CandleBucket", "ResultBucket")


@pytest.mark.parametrize("bucket", BUCKETS)
def test_bucket_is_private_retained_and_loses_no_current_object(bucket):
    resource = stack()[bucket]
    assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain", "Retain")
    assert set(resource["Properties"]["PublicAccessBlockConfiguration"].values()) == {True}
    rules = resource["Properties"]["LifecycleConfiguration"]["Rules"]
    assert any(rule.get("NoncurrentVersionExpiration", {}).get("NoncurrentDays", 0) >= 30 for rule in rules)
    assert not any(rule.get("ExpirationInDays") for rule in rules)
    policy = properties_of(f"{bucket}Policy")
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert policy["Bucket"] == {"Ref": bucket}
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
    assert statement["Resource"] == [arn_of(bucket), {"Fn::Sub": f"${{{bucket}.Arn}}/*"}]
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_bucket_access_logs_are_optional_and_do_not_mix():
    assert not any("LoggingConfiguration" in properties_of(bucket) for bucket in BUCKETS)
    prefixes = {properties_of(bucket, BucketLogs="logs")["LoggingConfiguration"]["LogFilePrefix"] for bucket in BUCKETS}
    assert len(prefixes) == len(BUCKETS)


def test_failed_messages_go_to_a_dead_letter_queue_that_retains_them_as_long():
    queue, dead = properties_of("Queue"), properties_of("DeadLetterQueue")
    assert queue["RedrivePolicy"]["deadLetterTargetArn"] == arn_of("DeadLetterQueue")
    assert dead["MessageRetentionPeriod"] >= queue["MessageRetentionPeriod"]


@pytest.mark.parametrize("parameters", [{}, {**CUSTOMER_KEY, **FLEET, "AccessLogs": "On"}], ids=["AWS's keys", "customer key"])
def test_everything_is_encrypted(parameters):
    key = arn_of("Key") if parameters else None
    algorithm = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key} if key else {"SSEAlgorithm": "AES256"}
    for bucket in resources_of_type("AWS::S3::Bucket", **parameters).values():
        (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert rule["ServerSideEncryptionByDefault"] == algorithm
    for queue in resources_of_type("AWS::SQS::Queue", **parameters).values():
        assert (queue.get("KmsMasterKeyId"), queue["SqsManagedSseEnabled"]) == (key, key is None), "SQS accepts only one of the two"
    assert all(group.get("KmsKeyId") == key for group in resources_of_type("AWS::Logs::LogGroup", **parameters).values())
    if key:
        nested = resources_of_type("AWS::CloudFormation::Stack", **parameters)
        assert {each["Parameters"]["KmsKeyArn"]["Fn::GetAtt"][0] for each in nested.values()} == {"Key"}


def test_customer_key_is_retained_and_usable_by_logs_and_alarms():
    key = stack(**CUSTOMER_KEY)["Key"]
    assert (key["DeletionPolicy"], key["UpdateReplacePolicy"]) == ("Retain", "Retain")
    services = [str(each["Principal"]["Service"]) for each in key["Properties"]["KeyPolicy"]["Statement"] if "Service" in each["Principal"]]
    assert all(any(name in service for service in services) for name in ("logs.", "cloudwatch."))
