import pytest

from coinfarm.demo.stack_template import buckets_and_queues
from coinfarm.errors import CoinfarmError
from tests.support.repository import ROOT


def test_buckets_and_queues_keep_their_properties():
    template = buckets_and_queues(ROOT / "template.yaml")
    assert template["Resources"].keys() == {"Queue", "DeadLetterQueue", "ModelBucket", "CandleBucket", "ResultBucket"}
    assert "RedrivePolicy" in template["Resources"]["Queue"]["Properties"]
    assert template["Outputs"]["QueueUrl"]["Value"] == {"Ref": "Queue"}


def test_parameters_and_conditions_of_the_properties_are_kept(tmp_path):
    path = tmp_path / "template.yaml"
    path.write_text(
        "AWSTemplateFormatVersion: 2010\nParameters: {Key: {Type: String, Default: ''}}\nConditions: {HasKey: !Equals [!Ref Key, '']}\n"
        "Resources: {Queue: {Type: AWS::SQS::Queue, Properties: {KmsMasterKeyId: !If [HasKey, !Ref Key, !Ref AWS::NoValue]}}}\nOutputs: {}"
    )
    template = buckets_and_queues(path)
    assert template["Parameters"] == {"Key": {"Type": "String", "Default": ""}}
    assert template["Conditions"] == {"HasKey": {"Fn::Equals": [{"Ref": "Key"}, ""]}}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("!Ref Queue", {"Ref": "Queue"}, id="Ref"),
        pytest.param("!GetAtt Queue.Arn", {"Fn::GetAtt": ["Queue", "Arn"]}, id="GetAtt"),
        pytest.param("!GetAtt [Queue, Arn]", {"Fn::GetAtt": ["Queue", "Arn"]}, id="GetAtt with a list"),
        pytest.param("!Sub 's3://${Queue}'", {"Fn::Sub": "s3://${Queue}"}, id="Sub"),
        pytest.param("!If [Here, !Ref Queue, no]", {"Fn::If": ["Here", {"Ref": "Queue"}, False]}, id="nested"),
        pytest.param("!Transform {Name: x}", {"Fn::Transform": {"Name": "x"}}, id="mapping"),
    ],
)
def test_short_forms_of_functions(tmp_path, text, value):
    path = tmp_path / "template.yaml"
    queue = f"{{Type: AWS::SQS::Queue, Properties: {{QueueName: {text}}}}}"
    path.write_text(f"AWSTemplateFormatVersion: 2010\nResources: {{Queue: {queue}}}\nOutputs: {{}}")
    assert buckets_and_queues(path)["Resources"]["Queue"]["Properties"]["QueueName"] == value


@pytest.mark.parametrize(
    ("text", "named"),
    [(None, "--template"), ("a: [", "template.yaml"), ("a: 1", "KeyError"), ("- 1", "list")],
    ids=["missing file", "not YAML", "no resources", "list"],
)
def test_rejects_an_invalid_template(tmp_path, text, named):
    path = tmp_path / "template.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(CoinfarmError, match=named):
        buckets_and_queues(path)
