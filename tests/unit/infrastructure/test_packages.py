"""The package index of infrastructure/packages.yaml."""

from fnmatch import fnmatch

from cfnlint.decode import cfn_yaml

from tests.support.repository import ROOT
from tools import package_index

TEMPLATE = cfn_yaml.load(str(ROOT / "infrastructure/packages.yaml"))
RESOURCES = TEMPLATE["Resources"]


def statements(name: str) -> dict[str, dict]:
    return {statement["Sid"]: statement for statement in RESOURCES[name]["Properties"]["PolicyDocument"]["Statement"]}


def test_published_packages_are_retained():
    repositories = [resource for resource in RESOURCES.values() if resource["Type"].startswith("AWS::CodeArtifact::")]
    assert repositories
    assert {resource[policy] for resource in repositories for policy in ("DeletionPolicy", "UpdateReplacePolicy")} == {"Retain"}


def test_only_the_upstream_repository_fetches_from_pypi():
    external = {name for name, resource in RESOURCES.items() if resource["Properties"].get("ExternalConnections")}
    (upstream,) = external
    assert RESOURCES["Repository"]["Properties"]["Upstreams"] == [{"Fn::GetAtt": [upstream, "Name"]}]


def test_private_names_are_never_fetched_from_pypi():
    group = RESOURCES["PrivatePackages"]["Properties"]
    modes = {origin: restriction["RestrictionMode"] for origin, restriction in group["OriginConfiguration"]["Restrictions"].items()}
    assert group["Pattern"] == {"Fn::Sub": "/pypi//${PackagePrefix}~"}
    assert modes == {"Publish": "ALLOW_SPECIFIC_REPOSITORIES", "ExternalUpstream": "BLOCK", "InternalUpstream": "BLOCK"}


def test_readers_cannot_publish_and_publishers_publish_only_private_names():
    publish = "codeartifact:PublishPackageVersion"
    assert not any(publish in statement["Action"] for statement in statements("ReaderPolicy").values())
    (statement,) = statements("PublisherPolicy").values()
    assert statement["Action"] == publish
    pattern = statement["Resource"]["Fn::Sub"].replace("${PackagePrefix}", "coinfarm").rsplit("/", 1)[1]
    assert fnmatch("coinfarm", pattern)
    assert not fnmatch("requests", pattern)


def test_only_tokens_are_allowed_on_all_resources():
    everywhere = [each for name in ("ReaderPolicy", "PublisherPolicy") for each in statements(name).values() if each["Resource"] == "*"]
    assert [each["Action"] for each in everywhere] == ["sts:GetServiceBearerToken"]
    assert everywhere[0]["Condition"] == {"StringEquals": {"sts:AWSServiceName": "codeartifact.amazonaws.com"}}


def test_stack_has_the_outputs_that_the_tool_reads():
    assert set(package_index.OUTPUTS) <= TEMPLATE["Outputs"].keys()
