import json
from datetime import date

import pytest

from coinfarm.candles.day import day_start_ms
from coinfarm.models.training_data import TrainedSeries, TrainingData
from tests.support.fake_models import TRAINING


def trained(symbol: str, interval: str, to_date: date) -> TrainedSeries:
    return TrainedSeries(symbol=symbol, interval=interval, from_date=date(2018, 1, 1), to_date=to_date)


MINUTES_2021 = trained("BTCUSDT", "1m", date(2021, 1, 1))
HOURS_2022 = trained("BTCUSDT", "60m", date(2022, 1, 1))
ETHER_2023 = trained("ETHUSDT", "1h", date(2023, 1, 1))
LEARNT = TRAINING.model_copy(
    update={
        "symbols": ("BTCUSDT", "ETHUSDT"),
        "interval": "1m, 60m",
        "cutoff_ms": {"BTCUSDT": day_start_ms(date(2021, 1, 1)), "ETHUSDT": day_start_ms(date(2020, 1, 1))},
        "series": (MINUTES_2021, HOURS_2022, ETHER_2023),
    }
)


@pytest.mark.parametrize(
    ("symbol", "cutoff"),
    [
        ("BTCUSDT", date(2022, 1, 1)),
        ("BTCUSD", date(2022, 1, 1)),
        ("XBT/USD", date(2022, 1, 1)),
        ("BTC/USDT:USDT", date(2022, 1, 1)),
        ("ETHFDUSD", date(2023, 1, 1)),
        ("LTCUSDT", date(2023, 1, 1)),
        ("ETHBTC", date(2023, 1, 1)),
        ("no symbol at all", date(2023, 1, 1)),
    ],
)
def test_a_coin_is_in_sample_until_the_latest_of_its_series(symbol: str, cutoff: date) -> None:
    assert LEARNT.cutoff_of(symbol) == day_start_ms(cutoff)


def test_a_manifest_without_series_has_the_cutoffs_of_its_symbols() -> None:
    document = json.loads(TRAINING.to_json())
    assert "series" not in document
    assert TrainingData.parse(json.dumps(document).encode(), "here") == TRAINING
    assert [TRAINING.cutoff_of(symbol) for symbol in ("BTCUSDT", "ETHUSD")] == list(TRAINING.cutoff_ms.values())


def test_series_are_read_as_they_were_written() -> None:
    document = json.loads(LEARNT.to_json())
    assert document["series"][1] == {"symbol": "BTCUSDT", "interval": "1h", "from": "2018-01-01", "to": "2022-01-01"}
    assert TrainingData.parse(LEARNT.to_json(), "here") == LEARNT


@pytest.mark.parametrize(
    ("training", "intervals"),
    [(TRAINING, ("1m",)), (LEARNT, ("1m", "1h")), (LEARNT.model_copy(update={"series": None}), ("1m", "1h"))],
)
def test_intervals_are_in_one_spelling(training: TrainingData, intervals: tuple[str, ...]) -> None:
    assert training.intervals == intervals
