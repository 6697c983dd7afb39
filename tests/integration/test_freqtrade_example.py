"""The requests of examples/freqtrade to a real `coinfarm serve`, without freqtrade: `make freqtrade` runs it in freqtrade itself."""

import runpy
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest

import coinfarm
from coinfarm.candles.candles import Candles
from coinfarm.candles.synthetic import START_OF_2026_MS, generate
from tests.support.http_server import disconnect, response
from tests.support.recording_proxy import RecordingProxy
from tests.support.repository import ROOT
from tests.support.serve_process import serving

CANDLES = generate("DEMOUSD", "1m", START_OF_2026_MS, 1500, seed=7)
FRAME = pd.DataFrame({"date": pd.to_datetime(CANDLES.open_time, unit="ms", utc=True), **CANDLES.columns._asdict()})
NAMES = {
    "freqtrade.exceptions": ["StrategyError"],
    "freqtrade.exchange": ["timeframe_to_minutes"],
    "freqtrade.persistence": ["Trade"],
    "freqtrade.strategy": ["DecimalParameter", "IStrategy"],
}
"""What the example imports from freqtrade."""


@pytest.fixture(scope="module")
def example() -> dict[str, Any]:
    """The names of the example's module."""
    values: dict[str, Any] = {
        "StrategyError": type("StrategyError", (Exception,), {}),
        "timeframe_to_minutes": lambda timeframe: {"1m": 1, "30m": 30}[timeframe],
        "IStrategy": object,
        "DecimalParameter": lambda *_, **__: None,
        "Trade": object,
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "freqtrade", ModuleType("freqtrade"))
        for module, names in NAMES.items():
            patch.setitem(sys.modules, module, ModuleType(module))
            for name in names:
                setattr(sys.modules[module], name, values[name])
        return runpy.run_path(str(ROOT / "examples/freqtrade/coinfarm_strategy.py"))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("serve")) as process:
        yield process.url


@pytest.fixture
def server(served: str) -> Iterator[RecordingProxy]:
    with RecordingProxy.running(served) as proxy:
        yield proxy


@pytest.fixture
def predictions(example: dict[str, Any], server: RecordingProxy) -> Callable[..., Any]:
    def predictions(timeframe: str = "1m", horizon_candles: int = 30) -> Any:
        return example["Predictions"](timeframe, horizon_candles, server.url)

    return predictions


def expected(candles: Candles) -> pd.DataFrame:
    table = coinfarm.predict(Candles("BTCUSDT", "1m", candles.open_time, candles.columns, candles.filled))
    return pd.DataFrame(table.to_pydict())[["max_rise_pct", "max_decline_pct", "end_change_pct"]]


def test_predictions_are_those_of_the_python_api(predictions: Callable[..., Any], server: RecordingProxy) -> None:
    found = predictions().of("BTC/USDT", FRAME)
    assert found.index.equals(FRAME.index)
    assert found.iloc[:199].isna().all().all()
    values = found.iloc[199:]
    np.testing.assert_array_equal(values[["max_rise_pct", "max_decline_pct", "end_change_pct"]], expected(CANDLES))
    assert not values["in_sample"].any()
    assert set(values["filled_candles"]) == {0}
    assert [len(request["candles"]) for request in server.requests] == [1199, 500]


def test_asks_only_for_what_is_new(predictions: Callable[..., Any], server: RecordingProxy) -> None:
    source = predictions()
    whole = source.of("BTC/USDT", FRAME)
    server.requests.clear()
    source.of("BTC/USDT", FRAME.iloc[:1400])
    assert server.requests == []
    for stop in (400, 401, 403):  # a bot's frames move on by the candles that have closed
        latest = FRAME.iloc[stop - 300 : stop].reset_index(drop=True)
        found = source.of("ETH/USDT", latest)
        assert found["max_rise_pct"].iloc[-101:].tolist() == whole["max_rise_pct"].iloc[stop - 101 : stop].tolist()
    assert [len(request["candles"]) for request in server.requests] == [300, 200, 201]
    assert {request["symbol"] for request in server.requests} == {"ETH/USDT"}


def test_less_than_a_window_has_no_predictions(predictions: Callable[..., Any], server: RecordingProxy) -> None:
    found = predictions().of("BTC/USDT", FRAME.iloc[:199])
    assert found.shape == (199, 6)
    assert found.isna().all().all()
    assert server.requests == []


@pytest.mark.parametrize(
    "fault",
    [response("{}", 503), response("[]", 500), response("<html>", 200), response("{}", 200), disconnect],
    ids=["503", "500", "html", "another-service", "disconnect"],
)
def test_a_failure_gives_no_predictions(
    example: dict[str, Any], predictions: Callable[..., Any], server: RecordingProxy, fault: Any
) -> None:
    source = predictions()
    source.of("BTC/USDT", FRAME.iloc[:300])
    server.fault = fault
    with pytest.raises(example["NoPredictions"], match=server.url):
        source.of("BTC/USDT", FRAME.iloc[1:301])


@pytest.mark.parametrize("wanted", [{"timeframe": "30m"}, {"horizon_candles": 20}])
def test_another_model_gives_no_predictions(example: dict[str, Any], predictions: Callable[..., Any], wanted: dict[str, Any]) -> None:
    frame = FRAME.iloc[:300].assign(date=FRAME["date"].iloc[0] + pd.Timedelta("30min") * np.arange(300))
    with pytest.raises(example["NoPredictions"], match=coinfarm.load_model().version):
        predictions(**wanted).of("BTC/USDT", frame if "timeframe" in wanted else FRAME.iloc[:300])
