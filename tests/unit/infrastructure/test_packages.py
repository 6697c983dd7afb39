"""The stack of private packages that packages.yaml describes."""

from fnmatch import fnmatch

import pytest
from cfnlint.api import lint_file
from cfnlint.decode import cfn_yaml

from tests.support.repository import ROOT
from tools import package_index

PATH = ROOT / "infrastructure/packages.yaml"
TEMPLATE = cfn_yaml.load(str(PATH))
RESOURCES = TEMPLATE["Resources"]


def statements(name: str) -> dict[str, dict]:
    return {statement["Sid"]: statement for statement in RESOURCES[name]["Properties"]["PolicyDocument"]["Statement"]}


def test_cfn_lint_finds_nothing():
    assert lint_file(PATH) == []


@pytest.mark.parametrize("section", ["Parameters", "Outputs"])
def test_each_entry_is_described(section):
    assert all(entry["Description"] for entry in TEMPLATE[section].values())


def test_what_was_published_outlives_the_stack():
    kept = {name for name, resource in RESOURCES.items() if resource["Type"].startswith("AWS::CodeArtifact::")}
    assert len(kept) == 4
    assert {RESOURCES[name][policy] for name in kept for policy in ("DeletionPolicy", "UpdateReplacePolicy")} == {"Retain"}


def test_pypi_is_reached_by_the_repository_behind_alone():
    reach = {name for name, resource in RESOURCES.items() if resource["Properties"].get("ExternalConnections")}
    assert reach == {"PublicRepository"}
    assert RESOURCES["PublicRepository"]["Properties"]["ExternalConnections"] == ["public:pypi"]
    assert RESOURCES["Repository"]["Properties"]["Upstreams"] == [{"Fn::GetAtt": ["PublicRepository", "Name"]}]


def test_a_private_name_that_somebody_registers_on_pypi_is_not_fetched_from_there():
    group = RESOURCES["PrivatePackages"]["Properties"]
    modes = {origin: restriction["RestrictionMode"] for origin, restriction in group["OriginConfiguration"]["Restrictions"].items()}
    assert group["Pattern"] == {"Fn::Sub": "/pypi//${PackagePrefix}~"}
    assert modes == {"Publish": "ALLOW_SPECIFIC_REPOSITORIES", "ExternalUpstream": "BLOCK", "InternalUpstream": "BLOCK"}


def test_a_reader_reads_and_a_publisher_publishes_under_our_names():
    reader, publisher = statements("ReaderPolicy"), statements("PublisherPolicy")
    assert reader["Read"]["Action"] == ["codeartifact:GetRepositoryEndpoint", "codeartifact:ReadFromRepository"]
    assert reader["Read"]["Resource"] == {"Fn::GetAtt": ["Repository", "Arn"]}
    assert list(publisher) == ["Publish"]
    assert publisher["Publish"]["Action"] == "codeartifact:PublishPackageVersion"
    resource = publisher["Publish"]["Resource"]["Fn::Sub"].replace("${PackagePrefix}", "coinfarm")
    assert fnmatch("coinfarm", resource.rsplit("/", 1)[1])
    assert not fnmatch("requests", resource.rsplit("/", 1)[1])


def test_only_the_making_of_tokens_knows_no_resource():
    everywhere = [each for name in ("ReaderPolicy", "PublisherPolicy") for each in statements(name).values() if each["Resource"] == "*"]
    assert [each["Action"] for each in everywhere] == ["sts:GetServiceBearerToken"]
    assert everywhere[0]["Condition"] == {"StringEquals": {"sts:AWSServiceName": "codeartifact.amazonaws.com"}}


def test_its_outputs_are_those_that_the_tool_reads():
    assert set(package_index.OUTPUTS) <= TEMPLATE["Outputs"].keys()
