"""A freqtrade strategy that asks a running `coinfarm serve` for its predictions; docs/bots.md explains it.

It needs nothing but freqtrade. `Predictions` asks the server, `CoinfarmStrategy` trades on the answers.
"""

from datetime import datetime, timedelta
from typing import Any

import pandas as pd
import requests
from freqtrade.exceptions import StrategyError
from freqtrade.exchange import timeframe_to_minutes
from freqtrade.persistence import Trade
from freqtrade.strategy import DecimalParameter, IStrategy

WINDOW_CANDLES = 200
MAX_FRAMES = 1000  # windows per request: the server's MAX_FRAMES
TIMEOUT_S = 10
COLUMNS = ["max_rise_pct", "max_decline_pct", "end_change_pct", "in_sample", "filled_candles", "model_version"]


class NoPredictions(StrategyError, ValueError):
    """The server gave no predictions, or not those of a model for this strategy.

    freqtrade ends a backtest with a StrategyError in one line. In a dry or live run it logs a ValueError in one line, opens no trade, and
    asks again after a few seconds.
    """


class Predictions:
    """The predictions of a server, for each candle that is the last one of a window. Each is asked for once."""

    def __init__(self, timeframe: str, horizon_candles: int, url: str = "http://127.0.0.1:8080", api_key: str | None = None) -> None:
        self._timeframe = timeframe
        self._horizon_candles = horizon_candles
        self._url = url.rstrip("/")
        self._session = requests.Session()
        if api_key:
            self._session.headers["x-api-key"] = api_key
        self._checked_version: str | None = None
        self._known: dict[str, pd.DataFrame] = {}

    def of(self, pair: str, candles: pd.DataFrame) -> pd.DataFrame:
        """`COLUMNS` for each candle, with the index of `candles`. The first 199 have no prediction. Raises `NoPredictions`."""
        open_ms = candles["date"].dt.as_unit("ms").astype("int64")
        known = self._known.get(pair)
        is_known = open_ms.isin([] if known is None else known.index).to_numpy(copy=True)
        is_known[: WINDOW_CANDLES - 1] = True  # without a whole window there is nothing to ask for
        if not is_known.all():
            first = int(is_known.argmin())
            rows = list(zip(open_ms.tolist(), *(candles[name].tolist() for name in ("open", "high", "low", "close", "volume"))))
            lasts = range(first, len(rows), MAX_FRAMES)
            answers = [self._ask(pair, rows[last + 1 - WINDOW_CANDLES : last + MAX_FRAMES]) for last in lasts]
            known = pd.concat(answers if known is None else [known[known.index < open_ms.iloc[first]], *answers])
        if known is None:
            return pd.DataFrame(index=candles.index, columns=COLUMNS)
        self._known[pair] = known[known.index >= open_ms.iloc[0]]  # a bot that runs for weeks does not collect them
        return known.reindex(open_ms).set_axis(candles.index)

    def _ask(self, pair: str, rows: list[tuple[float, ...]]) -> pd.DataFrame:
        """The predictions for all windows of these candles, by the open time of their last candle in milliseconds."""
        document = self._request("POST", "/predictions", json={"symbol": pair, "interval": self._timeframe, "candles": rows})
        version = document["model"]["version"]
        if version != self._checked_version:
            self._check_model(version)
        step_ms = timeframe_to_minutes(self._timeframe) * 60_000
        found = {}
        for result in document["results"]:
            predicted = result["predictions"] or dict.fromkeys(("maxRisePct", "maxDeclinePct", "endChangePct"), float("nan"))
            values = (predicted["maxRisePct"], predicted["maxDeclinePct"], predicted["endChangePct"])
            found[result["closeTime"] + 1 - step_ms] = (*values, result["inSample"], result["filledCandles"], version)
        return pd.DataFrame.from_dict(found, orient="index", columns=COLUMNS)

    def _check_model(self, version: str) -> None:
        """Raise `NoPredictions` if the model was trained for another horizon or for candles of another interval."""
        model = self._request("GET", "/model", params={"version": version})
        training = model["training"]
        if training is None:
            raise NoPredictions(f"model {version} does not say what it was trained on: publish it with its training data")
        if self._timeframe not in training["interval"].split(", "):
            raise NoPredictions(f"model {version} was trained on candles of {training['interval']}, not of {self._timeframe}")
        if model["horizonCandles"] != self._horizon_candles:
            raise NoPredictions(f"model {version} predicts {model['horizonCandles']} candles: set horizon_candles of the strategy to it")
        self._checked_version = version

    def _request(self, method: str, path: str, **content: Any) -> dict[str, Any]:
        url = self._url + path
        try:
            response = self._session.request(method, url, timeout=TIMEOUT_S, **content)
        except requests.Timeout:
            raise NoPredictions(f"{url} has not answered within {TIMEOUT_S} s") from None
        except requests.RequestException as error:
            raise NoPredictions(f"{url} cannot be reached ({type(error).__name__}): start `coinfarm serve`, or set coinfarm.url") from None
        try:
            document = response.json()
        except ValueError:
            document = None
        if not isinstance(document, dict):
            document = {}
        if not response.ok:
            reason = document.get("detail") or document.get("message") or response.reason
            raise NoPredictions(f"{url} answers {response.status_code}: {reason}")
        if "version" not in document.get("model", document):
            raise NoPredictions(f"{url} does not answer as `coinfarm serve` does: check coinfarm.url in the config")
        return document


class CoinfarmStrategy(IStrategy):
    """Buy where the predicted rise is large enough, and larger than the predicted decline; sell when the horizon has passed."""

    timeframe = "1m"
    horizon_candles = 30
    startup_candle_count = WINDOW_CANDLES - 1
    stoploss = -0.02
    ignore_buying_expired_candle_after = 30  # seconds after a candle's close, then its prediction is too old to trade on

    min_rise_pct = DecimalParameter(0.1, 2.0, default=0.5, decimals=2, space="buy")
    min_rise_to_decline = DecimalParameter(0.5, 3.0, default=1.2, decimals=2, space="buy")

    def bot_start(self, **kwargs: Any) -> None:
        self.predictions = Predictions(self.timeframe, self.horizon_candles, **self.config.get("coinfarm", {}))

    def populate_indicators(self, dataframe: pd.DataFrame, metadata: dict[str, Any]) -> pd.DataFrame:
        return pd.concat([dataframe, self.predictions.of(metadata["pair"], dataframe)], axis=1)

    def populate_entry_trend(self, dataframe: pd.DataFrame, metadata: dict[str, Any]) -> pd.DataFrame:
        rise, decline = dataframe["max_rise_pct"], -dataframe["max_decline_pct"]
        wanted = (
            (rise >= self.min_rise_pct.value)
            & (rise >= self.min_rise_to_decline.value * decline)
            & (dataframe["in_sample"].eq(False))  # what the model was trained on proves nothing
            & (dataframe["filled_candles"] == 0)
        )
        dataframe.loc[wanted, "enter_long"] = 1
        dataframe.loc[wanted, "enter_tag"] = dataframe["model_version"]
        return dataframe

    def populate_exit_trend(self, dataframe: pd.DataFrame, metadata: dict[str, Any]) -> pd.DataFrame:
        return dataframe

    def custom_exit(self, pair: str, trade: Trade, current_time: datetime, *args: Any, **kwargs: Any) -> str | None:
        horizon = timedelta(minutes=self.horizon_candles * timeframe_to_minutes(self.timeframe))
        return "horizon" if current_time >= trade.open_date_utc + horizon else None
