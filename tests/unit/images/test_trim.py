"""What is taken out of an image's packages."""

import ast
from pathlib import Path

import pytest

from images.trim import AWS_SERVICES, main
from tests.support.repository import ROOT


def installed(folder: Path, *files: str) -> set[str]:
    """What is left of those files."""
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes(b"x" * 1_000_000)
    main(folder)
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_tests_headers_and_what_is_for_others_go_and_the_rest_stays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert installed(
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
    assert capsys.readouterr().out.splitlines() == [
        "keras: 1 MB less",
        "numpy: 2 MB less",
        "openvino: 2 MB less",
        "botocore: 0 MB less",
        "symbols: 0 MB less",
    ]


def test_a_rule_that_finds_nothing_in_its_package_fails_the_build(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"h5py has nothing like tests any more: put images/trim\.py right"):
        installed(tmp_path, "h5py/__init__.py")


def test_of_aws_only_what_is_spoken_to_stays(tmp_path: Path) -> None:
    kept = {f"botocore/data/{service}/service-2.json.gz" for service in AWS_SERVICES}
    endpoints = "botocore/data/endpoints.json"
    assert installed(tmp_path, *kept, endpoints, "botocore/data/ec2/service-2.json.gz") == kept | {endpoints}


def test_every_service_that_the_code_speaks_to_stays() -> None:
    spoken_to = {name for folder in ("coinfarm", "handler") for path in (ROOT / folder).rglob("*.py") for name in clients(path)}
    assert {"s3", "sqs", "autoscaling"} <= spoken_to
    assert spoken_to <= AWS_SERVICES


def clients(module: Path) -> list[str]:
    """The services whose clients it makes: `aws_client("NAME", …)`."""
    return [
        argument.value
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "aws_client"
        for argument in node.args[:1]
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    ]
