"""A scorecard of live predictions that are as evaluated."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from coinfarm.candles.day import DAY_MS
from coinfarm.models.evaluations import store_evaluation
from coinfarm.models.live_reference import PaperRecord, TradeFigures
from coinfarm.scorecard.scorecard import scorecard
from coinfarm.scorecard.scorecard_document import Scorecard
from coinfarm.storage import open_storage
from tests.support.fake_models import publish_model
from tests.support.live_predictions import candles_of, evaluation_with_reference, write_rows
from tests.support.synthetic_candles import START_MS

PAPER = PaperRecord(
    min_end_change_pct=0.1, min_rise_to_decline=1.0, figures=TradeFigures(days=5, trades=70, average_trade_after_cost_bps=9.0)
)


@pytest.fixture(scope="session")
def card(tmp_path_factory: pytest.TempPathFactory) -> Scorecard:
    """Of two coins, one of which was evaluated."""
    folder: Path = tmp_path_factory.mktemp("scorecard")
    version = publish_model(open_storage(str(folder / "models")), folder / "bundle", "1.0")
    evaluation = evaluation_with_reference((0.3 + 0.02 * np.random.default_rng(1).normal(size=60)).tolist(), version)
    reference = evaluation.live_reference
    assert reference is not None
    document = evaluation.model_dump(mode="json", by_alias=True)
    document["liveReference"] = reference.model_copy(update={"paper": PAPER}).model_dump(mode="json", by_alias=True)
    store_evaluation(open_storage(str(folder / "models")), version, document)
    coins = [candles_of(symbol, 20, seed) for symbol, seed in (("DEMO1", 1), ("DEMO2", 2))]
    store = write_rows(open_storage(str(folder / "live")), coins, 0.3, version=version)
    return scorecard(store, str(folder / "models"), now=datetime.fromtimestamp((START_MS + 20 * DAY_MS) / 1000, UTC))
