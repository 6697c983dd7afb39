"""The Python API, as `import coinfarm` offers it: `predict`, `render`, `load_model`, `backtest`.

These names and their parameters are stable; other modules may change between versions.
"""

import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from coinfarm.candles.candles import Candles
from coinfarm.candles.gaps import fill_gaps
from coinfarm.errors import CandleError, CoinfarmError, ErrorDetail

if TYPE_CHECKING:
    from coinfarm.backtesting.backtest_result import BacktestResult
    from coinfarm.backtesting.rules.user_rule import Rule, StepRule
    from coinfarm.backtesting.strategy import Strategy
    from coinfarm.engines.loading import EngineChoice
    from coinfarm.prediction.model_manager import LoadedModel
    from coinfarm.serving.service import Service
    from image_render.render import Frames

    Source = str | os.PathLike[str]
    Gaps = Literal["fill", "reject", "skip"]

__all__ = ["Model", "backtest", "load_model", "predict", "render"]


@dataclass(frozen=True)
class Model:
    """One version of a model, loaded by `load_model`. Thread-safe."""

    _service: "Service"
    version: str

    @property
    def name(self) -> str:
        """The name that it was published under."""
        return self._loaded.bundle.manifest.name

    @property
    def engine(self) -> str:
        """The engine that runs it, such as `openvino-int8` or `keras`."""
        return self._loaded.engine.name

    @property
    def horizon_candles(self) -> int:
        """The number of candles that its predictions look ahead: the first, if it has several horizons."""
        return self._loaded.bundle.manifest.horizon_candles

    @property
    def horizons(self) -> tuple[int, ...]:
        """All its horizons."""
        return self._loaded.bundle.manifest.horizons

    def predict(
        self, candles: Any, *, symbol: str | None = None, interval: str | None = None, stride: int = 1, gaps: "Gaps" = "fill"
    ) -> Any:
        """Like `coinfarm.predict`, with this model."""
        from coinfarm.candles.validation import MAX_CANDLES
        from coinfarm.prediction.model_scope import ModelScope
        from coinfarm.serving.request import prepare_series
        from coinfarm.serving.response import prediction_columns

        _check(stride, gaps)
        series = prepare_series(_read(candles, symbol, interval), stride, gaps, MAX_CANDLES)
        scope = ModelScope.of(self._loaded.bundle.manifest)
        if scope.differs_from(series.candles.interval):
            warnings.warn(
                f"model {self.version} was trained on {scope.interval} candles, and these are {series.candles.interval} candles",
                stacklevel=2,
            )
        predictions = self._service.predictor(self.version).predict(series)
        return _like(candles, prediction_columns(predictions), scope.metadata())

    @property
    def _loaded(self) -> "LoadedModel":
        return self._service.model(self.version)


def load_model(source: "Source | None" = None, *, version: str | None = None, engine: "EngineChoice" = "auto") -> Model:
    """Load a model from a model root, a bundle's folder or a `.keras` file: a path or an `s3://` URI.

    `source` defaults to the reference model that comes with the package, `version` to the version in service at a model root. `engine`
    takes the values of the environment variable `ENGINE` (docs/operations.md). Raises `ModelError` for a model that cannot be used, and
    `StorageError` if it cannot be read.
    """
    from coinfarm.serving.service import Service
    from coinfarm.serving.settings import Settings, reference_model_uri

    service = Service(Settings(model_uri=reference_model_uri() if source is None else str(source), engine=engine))
    return Model(service, service.model(version).version)


def predict(
    candles: Any,
    *,
    model: "Model | Source | None" = None,
    symbol: str | None = None,
    interval: str | None = None,
    stride: int = 1,
    gaps: "Gaps" = "fill",
) -> Any:
    """Predict the next candles after every window of 200 candles, or after every `stride`-th.

    `candles` is a path or `s3://` URI of a candle file of any source, a pandas or polars data frame, an Arrow table, a structured NumPy
    array or a mapping of arrays, with a time (numbers since 1970, or timestamps; in pandas an index will do), `open`, `high`, `low`,
    `close` and `volume`. `symbol` and `interval` default to those in a file's name; the interval of a table defaults to the most frequent
    step between its candles. With `gaps="fill"` missing candles are filled with flat ones, with `"reject"` they are an error, with
    `"skip"` the candle after a gap follows the one before it. `model` is a `Model`, or a source that `load_model` takes; pass a `Model` to
    predict more than once.

    Returns one row per window, oldest first, as a data frame of the same library as `candles`, otherwise as an Arrow table: `open_time`
    and `close_time` (milliseconds UTC), `in_sample` (whether the model may have been trained on the window; null if unknown),
    `filled_candles`, and `max_rise_pct`, `max_decline_pct`, `end_change_pct` in percent of the window's last close, NaN where more than
    half of the window was filled. Of a model with several horizons these are of its first; the columns of others end in their number of
    candles, as in `max_rise_pct_h100`.

    Warns if the model was trained on another interval. Raises `CandleError` for invalid candles or fewer than 200.
    """
    loaded = model if isinstance(model, Model) else load_model(model)
    return loaded.predict(candles, symbol=symbol, interval=interval, stride=stride, gaps=gaps)


def render(candles: Any, *, symbol: str | None = None, interval: str | None = None, stride: int = 1) -> "Frames":
    """The frames that a model sees: `uint8` of 0 and 1, `(windows, 200 candles, 150 price rows, 3 channels)`.

    Row 0 is the lowest price; the channels are open–close, low–high and volume. `candles` is as in `predict`; gaps are filled. A frame
    takes 90 KB. Raises `CandleError` for invalid candles or fewer than 200.
    """
    from coinfarm.prediction.series import Series
    from image_render.render import render_frames
    from image_render.windows import windows

    _check(stride)
    series = Series(fill_gaps(_read(candles, symbol, interval)), stride)
    return render_frames(windows(series.candles.columns, stride=stride))


def backtest(
    predictions: Any,
    candles: Any,
    *,
    strategy: "Strategy | Source | None" = None,
    rule: "Rule | StepRule | None" = None,
    symbol: str | None = None,
    interval: str | None = None,
    allow_mismatch: bool = False,
) -> "BacktestResult":
    """Trade predictions against candles, and estimate whether that made money.

    `predictions` and `candles` are either both tables of one coin (as `predict` returns and takes them), or both the paths or `s3://`
    URIs that the command `coinfarm backtest` takes, with any number of coins. `strategy` is a `Strategy` or the path of a TOML file; it
    defaults to one whose thresholds are chosen on the first half of the period and tested on the second. `rule` is a function that gets
    the predictions of a coin as columns and returns 1, -1 or 0 for each, or a `StepRule` (docs/strategy.md). In-sample predictions are
    excluded.
    Backtests of paths are counted in a file next to the predictions, because the best of many variants is lucky; those of tables are not.

    The strategy's `exit.horizon_candles` is one of the model's horizons, by default the first: its predictions are traded. A strategy with
    another, or candles of another interval than the model was trained on, are rejected unless `allow_mismatch`.

    The result has `verdict`, `break_even`, `statistics` and `trades`. Raises `CoinfarmError` if no prediction can be tested.
    """
    from coinfarm.backtesting.backtest import backtest as run
    from coinfarm.backtesting.backtest import backtest_coins
    from coinfarm.backtesting.checks.scope_check import fit_to_model
    from coinfarm.backtesting.market_data import predicted_coins
    from coinfarm.backtesting.stored_predictions import predictions_from_table
    from coinfarm.backtesting.strategy import Strategy

    chosen = strategy if isinstance(strategy, Strategy) else Strategy() if strategy is None else Strategy.read(Path(strategy))
    if rule is not None and (chosen.entry.rule or chosen.entry.step_rule):
        raise CoinfarmError("both rule= and the strategy's entry have a rule: give one of them")
    if rule is None:
        rule = chosen.load_rule(Path() if strategy is None or isinstance(strategy, Strategy) else Path(strategy).parent)
    if _is_path(predictions) != _is_path(candles):
        raise CoinfarmError("pass predictions and candles both as tables, or both as paths")
    if _is_path(predictions):
        return run(str(predictions), str(candles), chosen, rule=rule, allow_mismatch=allow_mismatch)
    from coinfarm.candles.data_frames import arrow_table

    market = _read(candles, symbol, interval)
    stored = predictions_from_table(market.symbol, market.interval, arrow_table(predictions))
    chosen, mismatches = fit_to_model(chosen, stored.scope, market.interval, stored.further_horizons, allow_mismatch=allow_mismatch)
    stored = stored.at_horizon(chosen.exit.horizon_candles)
    return backtest_coins(
        *predicted_coins([stored], lambda _: market, chosen.exit.horizon_candles),
        chosen,
        interval=market.interval,
        rule=rule,
        model_horizon=stored.scope.horizon_candles,
        warnings=mismatches,
    )


def _check(stride: int, gaps: str = "fill") -> None:
    if isinstance(stride, bool) or not isinstance(stride, int) or stride < 1:
        raise CoinfarmError(f"stride must be a whole number, 1 or larger, not {stride!r}")
    if gaps not in ("fill", "reject", "skip"):
        raise CoinfarmError(f"gaps must be 'fill', 'reject' or 'skip', not {gaps!r}")


def _is_path(source: Any) -> bool:
    return isinstance(source, (str, os.PathLike))


def _read(candles: Any, symbol: str | None, interval: str | None) -> Candles:
    from coinfarm.candles.data_frames import candles_from_data_frame
    from coinfarm.candles.files import parse_candles
    from coinfarm.storage import open_folder_of

    if isinstance(candles, Candles):
        return candles
    if not _is_path(candles):
        return candles_from_data_frame(candles, symbol, interval)
    storage, name = open_folder_of(str(candles))
    try:
        return parse_candles(storage.read(name).data, name, symbol=symbol, interval=interval)
    except CandleError as error:
        raise CandleError(*(ErrorDetail(item.pointer, f"{item.detail} ({candles})") for item in error.errors)) from None


def _like(candles: Any, columns: dict[str, Any], metadata: dict[bytes, bytes]) -> Any:
    """The columns as a data frame of the same library as `candles`, otherwise as an Arrow table with the metadata."""
    import pyarrow as pa

    table: pa.Table = pa.table(columns).replace_schema_metadata(metadata)
    library = type(candles).__module__.partition(".")[0]
    if library == "pandas":
        return table.to_pandas()
    if library == "polars":
        import polars

        return polars.from_arrow(table)
    return table
