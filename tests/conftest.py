"""What all tests share: real data where it lies, and an AWS that nobody can reach by mistake."""

import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from coinfarm.candles.candles import Candles
from coinfarm.candles.files import parse_candles
from tests.support.repository import ROOT

SHARED_DATA = ROOT.parent / "shared/data"

hypothesis.settings.register_profile("coinfarm", deadline=None)  # a busy machine is no failure
hypothesis.settings.register_profile("mutation", deadline=None, derandomize=True, database=None, max_examples=20)
hypothesis.settings.load_profile("coinfarm")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """`-m real_data` selects the tests that read real candles."""
    for item in items:
        if "shared_data" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.real_data)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real candles beside the repository."""
    if not SHARED_DATA.is_dir():
        pytest.skip("there is no real data: ../shared/data is not beside this repository")
    return SHARED_DATA


@pytest.fixture(scope="session")
def real_klines(shared_data: Path) -> Candles:
    """1,500 minutes of bitcoin, of May 2019, as Binance's API answers them."""
    path = shared_data / "klines-BTCUSD-1m.json"
    return parse_candles(path.read_bytes(), path.name)


@pytest.fixture(scope="session", autouse=True)
def harmless_aws() -> Iterator[None]:
    """Whatever profile or role the machine has, no test may use it."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("AWS_", "COINFARM_STACK"))]:
            patch.delenv(name)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
            patch.setenv(name, os.devnull)
        yield
