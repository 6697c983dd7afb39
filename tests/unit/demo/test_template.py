import pytest

from coinfarm.demo.template import local_part
from coinfarm.errors import CoinfarmError
from tests.support.repository import ROOT


def test_the_buckets_and_queues_are_taken_as_the_template_has_them():
    part = local_part(ROOT / "template.yaml")
    assert part["Resources"].keys() == {"Queue", "DeadLetterQueue", "ModelBucket", "CandleBucket", "ResultBucket"}
    assert part["Resources"]["Queue"]["Properties"]["RedrivePolicy"] == {
        "deadLetterTargetArn": {"Fn::GetAtt": ["DeadLetterQueue", "Arn"]},
        "maxReceiveCount": 5,
    }
    assert part["Outputs"].keys() == {"ModelBucketName", "CandleBucketName", "ResultBucketName", "QueueUrl", "DeadLetterQueueUrl"}
    assert part["Outputs"]["QueueUrl"]["Value"] == {"Ref": "Queue"}


def test_what_their_properties_refer_to_is_taken_too(tmp_path):
    path = tmp_path / "template.yaml"
    path.write_text(
        "AWSTemplateFormatVersion: 2010\nParameters: {Key: {Type: String, Default: ''}}\nConditions: {HasKey: !Equals [!Ref Key, '']}\n"
        "Resources: {Queue: {Type: AWS::SQS::Queue, Properties: {KmsMasterKeyId: !If [HasKey, !Ref Key, !Ref AWS::NoValue]}}}\nOutputs: {}"
    )
    part = local_part(path)
    assert (part["Parameters"], part["Conditions"]) == (
        {"Key": {"Type": "String", "Default": ""}},
        {"HasKey": {"Fn::Equals": [{"Ref": "Key"}, ""]}},
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("!Ref Queue", {"Ref": "Queue"}, id="Ref"),
        pytest.param("!GetAtt Queue.Arn", {"Fn::GetAtt": ["Queue", "Arn"]}, id="GetAtt"),
        pytest.param("!GetAtt [Queue, Arn]", {"Fn::GetAtt": ["Queue", "Arn"]}, id="GetAtt of a list"),
        pytest.param("!Sub 's3://${Queue}'", {"Fn::Sub": "s3://${Queue}"}, id="Sub"),
        pytest.param("!If [Here, !Ref Queue, no]", {"Fn::If": ["Here", {"Ref": "Queue"}, False]}, id="one in another"),
        pytest.param("!Transform {Name: x}", {"Fn::Transform": {"Name": "x"}}, id="of a mapping"),
    ],
)
def test_the_short_forms_of_functions_are_read(tmp_path, text, value):
    path = tmp_path / "template.yaml"
    path.write_text(
        f"AWSTemplateFormatVersion: 2010\nResources: {{Queue: {{Type: AWS::SQS::Queue, Properties: {{QueueName: {text}}}}}}}\nOutputs: {{}}"
    )
    assert local_part(path)["Resources"]["Queue"]["Properties"]["QueueName"] == value


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param(None, "cannot be read .*name the template.yaml of a checkout or a source distribution with --template", id="none"),
        pytest.param("a: [", "is no template", id="no YAML"),
        pytest.param("a: 1", "is no template: KeyError", id="no resources"),
        pytest.param("- 1", "is no template", id="a list"),
    ],
)
def test_what_is_no_template_is_refused(tmp_path, text, complaint):
    path = tmp_path / "template.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(CoinfarmError, match=complaint):
        local_part(path)
