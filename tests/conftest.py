"""Fixtures of all tests: real data if it exists, and no access to AWS."""

import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from coinfarm.candles.candles import Candles
from coinfarm.candles.files import parse_candles
from tests.support.repository import ROOT

SHARED_DATA = ROOT.parent / "shared/data"

hypothesis.settings.register_profile("coinfarm", deadline=None)  # slow machines must not fail tests
hypothesis.settings.register_profile(
    "mutation",
    deadline=None,
    derandomize=True,
    database=None,
    max_examples=20,
    phases=(hypothesis.Phase.explicit, hypothesis.Phase.generate),  # that an example fails is enough: it need not be the smallest
)
hypothesis.settings.load_profile("coinfarm")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that read real candles, for `-m real_data`."""
    for item in items:
        if "shared_data" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.real_data)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real candles next to the repository."""
    if not SHARED_DATA.is_dir():
        pytest.skip("../shared/data, the folder of real candles, does not exist")
    return SHARED_DATA


@pytest.fixture(scope="session")
def real_klines(shared_data: Path) -> Candles:
    """1,500 1-minute candles of bitcoin from May 2019, in the format of Binance's API."""
    path = shared_data / "klines-BTCUSD-1m.json"
    return parse_candles(path.read_bytes(), path.name)


@pytest.fixture(scope="session", autouse=True)
def no_aws_access() -> Iterator[None]:
    """Replace the machine's AWS credentials and settings, so that no test can use them."""
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
