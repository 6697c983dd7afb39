import ast
from pathlib import Path

import pytest

from images.trim import AWS_SERVICES, main
from tests.support.repository import ROOT


def remaining_files(folder: Path, *files: str) -> set[str]:
    """The files that are left after trimming."""
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes(b"x" * 1_000_000)
    main(folder)
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_removes_tests_and_unused_plugins(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert remaining_files(
        tmp_path,
        "numpy/__init__.py",
        "numpy/lib/tests/test_io.py",
        "numpy/_core/tests/test_dtype.py",
        "keras/src/layers/dense.py",
        "keras/src/layers/dense_test.py",
        "openvino/libs/libopenvino_intel_cpu_plugin.so",
        "openvino/libs/libopenvino_intel_gpu_plugin.so",
        "openvino/libs/libopenvino_ir_frontend.so.2641",
        "openvino/libs/libopenvino_onnx_frontend.so.2641",
    ) == {
        "numpy/__init__.py",
        "keras/src/layers/dense.py",
        "openvino/libs/libopenvino_intel_cpu_plugin.so",
        "openvino/libs/libopenvino_ir_frontend.so.2641",
    }
    printed = dict(line.split(": ") for line in capsys.readouterr().out.splitlines())
    assert {name: int(text.split()[0]) for name, text in printed.items()} == {
        "keras": 1,
        "numpy": 2,
        "openvino": 2,
        "botocore": 0,
        "symbols": 0,
    }


def test_patterns_that_match_nothing_in_a_package_fail_the_build(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"^h5py .*images/trim\.py"):
        remaining_files(tmp_path, "h5py/__init__.py")


def test_keeps_only_the_aws_services_that_are_used(tmp_path: Path) -> None:
    services = {f"botocore/data/{service}/service-2.json.gz" for service in AWS_SERVICES}
    endpoints = "botocore/data/endpoints.json"
    assert remaining_files(tmp_path, *services, endpoints, "botocore/data/ec2/service-2.json.gz") == services | {endpoints}


def test_keeps_every_aws_service_that_the_code_uses() -> None:
    used = {name for folder in ("coinfarm", "handler") for path in (ROOT / folder).rglob("*.py") for name in clients(path)}
    assert {"s3", "sqs", "autoscaling"} <= used
    assert used <= AWS_SERVICES


def clients(module: Path) -> list[str]:
    """The services whose clients a module creates: `aws_client("NAME", …)`."""
    return [
        argument.value
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "aws_client"
        for argument in node.args[:1]
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    ]
