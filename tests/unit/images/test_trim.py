import ast
import re

import pytest

from images.trim import AWS_SERVICES, main
from tests.support.repository import ROOT


def remaining_files(folder, *files):
    """The files that are left after trimming."""
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes(b"x" * 1_000_000)
    main(folder)
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_removes_tests_and_unused_plugins(tmp_path, capsys):
    kept = {"numpy/__init__.py", "keras/src/layers/dense.py"}
    kept |= {f"openvino/libs/libopenvino_{name}" for name in ("intel_cpu_plugin.so", "ir_frontend.so.2641")}
    removed = {"numpy/lib/tests/test_io.py", "numpy/_core/tests/test_dtype.py", "keras/src/layers/dense_test.py"}
    removed |= {f"openvino/libs/libopenvino_{name}" for name in ("intel_gpu_plugin.so", "onnx_frontend.so.2641")}
    assert remaining_files(tmp_path, *kept, *removed) == kept
    removed_mb = {line.split(": ")[0]: int(re.search(r"\d+", line)[0]) for line in capsys.readouterr().out.splitlines()}
    assert removed_mb == {"keras": 1, "numpy": 2, "openvino": 2, "botocore": 0, "symbols": 0}


def test_patterns_that_match_nothing_in_a_package_fail_the_build(tmp_path):
    with pytest.raises(SystemExit, match=r"^h5py .*images/trim\.py"):
        remaining_files(tmp_path, "h5py/__init__.py")


def test_keeps_only_the_aws_services_that_are_used(tmp_path):
    services = {f"botocore/data/{service}/service-2.json.gz" for service in AWS_SERVICES}
    endpoints = "botocore/data/endpoints.json"
    assert remaining_files(tmp_path, *services, endpoints, "botocore/data/ec2/service-2.json.gz") == services | {endpoints}


def test_keeps_every_aws_service_that_the_code_uses():
    used = {name for folder in ("coinfarm", "handler") for path in (ROOT / folder).rglob("*.py") for name in clients(path)}
    assert {"s3", "sqs", "autoscaling"} <= used
    assert used <= AWS_SERVICES


def clients(module):
    """The services whose clients a module creates: `aws_client("NAME", …)`."""
    return [
        argument.value
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "aws_client"
        for argument in node.args[:1]
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    ]
