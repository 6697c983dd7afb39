"""The package index of infrastructure/packages.yaml."""

from fnmatch import fnmatch

from cfnlint.decode import cfn_yaml

from tests.support.repository import ROOT
from tools import package_index

TEMPLATE = cfn_yaml.load(str(ROOT / "infrastructure/packages.yaml"))
RESOURCES = TEMPLATE["Resources"]


def test_published_packages_are_retained():
    repositories = [resource for resource in RESOURCES.values() if resource["Type"].startswith("AWS::CodeArtifact::")]
    assert {resource[policy] for resource in repositories for policy in ("DeletionPolicy", "UpdateReplacePolicy")} == {"Retain"}


def test_only_the_upstream_repository_fetches_from_pypi_and_never_private_names():
    (upstream,) = (name for name, resource in RESOURCES.items() if resource["Properties"].get("ExternalConnections"))
    assert RESOURCES["Repository"]["Properties"]["Upstreams"] == [{"Fn::GetAtt": [upstream, "Name"]}]
    group = RESOURCES["PrivatePackages"]["Properties"]
    modes = {origin: restriction["RestrictionMode"] for origin, restriction in group["OriginConfiguration"]["Restrictions"].items()}
    assert group["Pattern"] == {"Fn::Sub": "/pypi//${PackagePrefix}~"}
    assert (modes["ExternalUpstream"], modes["InternalUpstream"]) == ("BLOCK", "BLOCK")


def test_readers_cannot_publish_and_publishers_publish_only_private_names():
    readers, (publish,) = (RESOURCES[name]["Properties"]["PolicyDocument"]["Statement"] for name in ("ReaderPolicy", "PublisherPolicy"))
    assert publish["Action"] == "codeartifact:PublishPackageVersion"
    assert not any(publish["Action"] in statement["Action"] for statement in readers)
    pattern = publish["Resource"]["Fn::Sub"].replace("${PackagePrefix}", "coinfarm").rsplit("/", 1)[1]
    assert fnmatch("coinfarm", pattern)
    assert not fnmatch("requests", pattern)
    (everywhere,) = (statement for statement in readers if statement["Resource"] == "*")
    assert everywhere["Action"] == "sts:GetServiceBearerToken"
    assert everywhere["Condition"] == {"StringEquals": {"sts:AWSServiceName": "codeartifact.amazonaws.com"}}


def test_stack_has_the_outputs_that_the_tool_reads():
    assert set(package_index.OUTPUTS) <= TEMPLATE["Outputs"].keys()
