"""freqtrade in an environment of its own (`make freqtrade`), a stand-in exchange, and a real `coinfarm serve`."""

import json
import os
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pyarrow import feather

from coinfarm.backtesting.reporting.export import candle_table
from coinfarm.candles.candles import Candles
from tests.freqtrade.stand_in_exchange import StandInExchange
from tests.support.recording_proxy import RecordingProxy
from tests.support.repository import ROOT
from tests.support.serve_process import serving

EXAMPLE = ROOT / "examples/freqtrade"
INSTALLED = ROOT / "build/freqtrade/bin/freqtrade"
PROGRAM = os.environ.get("FREQTRADE") or (INSTALLED if INSTALLED.exists() else None)
TIMEOUT_S = 300


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder, and skip them if there is no freqtrade."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.freqtrade)
            item.add_marker(pytest.mark.skipif(PROGRAM is None, reason=f"{INSTALLED.relative_to(ROOT)} does not exist: make freqtrade"))


@dataclass
class Bot:
    """freqtrade with the example's strategy and config, whose data are in `folder`. `strategies` is a copy that may be changed."""

    folder: Path
    exchange: StandInExchange
    server: RecordingProxy
    strategies: Path
    strategy: str = "CoinfarmStrategy"
    config: dict[str, Any] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        return self.folder / "data/binanceus"

    def store_candles(self, pair: str, candles: Candles) -> None:
        """Write the candles where freqtrade's backtest looks for them."""
        self.data.mkdir(parents=True, exist_ok=True)
        feather.write_feather(candle_table(candles), str(self.data / f"{pair.replace('/', '_')}-{candles.interval}.feather"))

    def set_parameters(self, **values: float) -> None:
        """Set the strategy's parameters, as hyperopt does."""
        document = {"strategy_name": "CoinfarmStrategy", "params": {"buy": values}, "ft_stratparam_v": 1}
        (self.strategies / "coinfarm_strategy.json").write_text(json.dumps(document))

    def start(self, command: str, *options: str) -> "subprocess.Popen[str]":
        """Start a command of freqtrade. Its output is in one stream."""
        config = json.loads((EXAMPLE / "config.json").read_text())
        config |= {"exchange": self.exchange.config(), "coinfarm": {"url": self.server.url}, **self.config}
        path = self.folder / "config.json"
        path.write_text(json.dumps(config))
        common = ["--config", str(path), "--userdir", str(self.folder), "--strategy-path", str(self.strategies)]
        arguments = [str(PROGRAM), command, *common, "--strategy", self.strategy, *options]
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {"COLUMNS": "200"}
        output = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        return subprocess.Popen(arguments, cwd=self.folder, env=environment, text=True, **output)

    def run(self, command: str, *options: str) -> tuple[int, str]:
        """Run a command to its end; returns its exit code and output."""
        with self.start(command, *options) as process:
            output, _ = process.communicate(timeout=TIMEOUT_S)
        return process.returncode, output

    def trades(self) -> pd.DataFrame:
        """The trades of the only backtest."""
        (archive,) = (self.folder / "backtest_results").glob("*.zip")
        with zipfile.ZipFile(archive) as files:
            document = json.loads(files.read(f"{archive.stem}.json"))
        return pd.DataFrame(document["strategy"][self.strategy]["trades"])


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a `coinfarm serve` with the reference model."""
    with serving(tmp_path_factory.mktemp("serve")) as process:
        yield process.url


@pytest.fixture
def make_bot(tmp_path: Path, served: str) -> Iterator[Any]:
    """Returns a function that makes a `Bot` for these markets, `{"BTCUSDT": candles}`."""
    with ExitStack() as running:

        def make(markets: dict[str, Candles]) -> Bot:
            strategies = tmp_path / "strategies"
            shutil.copytree(EXAMPLE, strategies, ignore=shutil.ignore_patterns("__pycache__"))
            exchange = running.enter_context(StandInExchange.running(markets))
            return Bot(tmp_path, exchange, running.enter_context(RecordingProxy.running(served)), strategies)

        yield make
