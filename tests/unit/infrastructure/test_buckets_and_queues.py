"""The buckets, queues, logs and encryption of template.yaml."""

import pytest

from tests.support.expanded_template import CUSTOMER_KEY, FLEET, arn_of, properties_of, resources_of_type, stack

BUCKETS = ("ModelBucket", "CandleBucket", "ResultBucket")

each_bucket = pytest.mark.parametrize("bucket", BUCKETS)


@each_bucket
def test_bucket_is_private_and_retained(bucket):
    resource = stack()[bucket]
    assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain", "Retain")
    assert set(resource["Properties"]["PublicAccessBlockConfiguration"].values()) == {True}
    assert resource["Properties"]["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}


@each_bucket
def test_bucket_denies_requests_without_tls(bucket):
    policy = properties_of(f"{bucket}Policy")
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert policy["Bucket"] == {"Ref": bucket}
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
    assert statement["Resource"] == [arn_of(bucket), {"Fn::Sub": f"${{{bucket}.Arn}}/*"}]
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


@each_bucket
def test_bucket_expires_old_versions_but_no_current_object(bucket):
    properties = properties_of(bucket)
    rules = properties["LifecycleConfiguration"]["Rules"]
    assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
    assert any(rule.get("NoncurrentVersionExpiration", {}).get("NoncurrentDays", 0) >= 30 for rule in rules)
    assert not any(rule.get("ExpirationInDays") for rule in rules)


def test_bucket_access_logs_are_optional():
    assert not any("LoggingConfiguration" in properties_of(bucket) for bucket in BUCKETS)
    logging = [properties_of(bucket, BucketLogs="logs")["LoggingConfiguration"] for bucket in BUCKETS]
    assert {each["DestinationBucketName"] for each in logging} == {"logs"}
    assert len({each["LogFilePrefix"] for each in logging}) == len(BUCKETS)


def test_failed_messages_go_to_a_dead_letter_queue_that_retains_them_as_long():
    queue, dead = properties_of("Queue"), properties_of("DeadLetterQueue")
    assert queue["RedrivePolicy"]["deadLetterTargetArn"] == arn_of("DeadLetterQueue")
    assert dead["MessageRetentionPeriod"] >= queue["MessageRetentionPeriod"]


def test_everything_is_encrypted_without_a_customer_key():
    assert "Key" not in stack()
    for bucket in BUCKETS:
        (rule,) = properties_of(bucket)["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    for queue in resources_of_type("AWS::SQS::Queue").values():
        assert queue["SqsManagedSseEnabled"] is True
        assert "KmsMasterKeyId" not in queue


def test_everything_is_encrypted_with_the_customer_key():
    resources = stack(**CUSTOMER_KEY, **FLEET, AccessLogs="On")
    for bucket in BUCKETS:
        (rule,) = resources[bucket]["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": arn_of("Key")}
        assert rule["BucketKeyEnabled"] is True
    for queue in ("Queue", "DeadLetterQueue"):
        assert resources[queue]["Properties"]["KmsMasterKeyId"] == arn_of("Key")
        assert resources[queue]["Properties"]["SqsManagedSseEnabled"] is False, "SQS accepts only one of the two"
    assert all(resources[group]["Properties"]["KmsKeyId"] == arn_of("Key") for group in ("LogGroup", "AccessLogGroup"))
    assert all(resources[nested]["Properties"]["Parameters"]["KmsKeyArn"] == arn_of("Key") for nested in ("Monitoring", "Fleet"))


def test_customer_key_is_rotated_retained_and_usable_by_logs_and_alarms():
    key = stack(**CUSTOMER_KEY)["Key"]
    assert key["Properties"]["EnableKeyRotation"] is True
    assert (key["DeletionPolicy"], key["UpdateReplacePolicy"]) == ("Retain", "Retain")
    services = [str(each["Principal"]["Service"]) for each in key["Properties"]["KeyPolicy"]["Statement"] if "Service" in each["Principal"]]
    assert len(services) == 2
    assert all(any(name in service for service in services) for name in ("logs.", "cloudwatch."))
