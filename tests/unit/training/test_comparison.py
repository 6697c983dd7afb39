from pathlib import Path
from types import ModuleType

import pytest

import coinfarm.training
from coinfarm.candles.parquet_file import parquet_from_candles
from coinfarm.candles.synthetic import generate
from coinfarm.errors import CoinfarmError
from coinfarm.training.comparison import ComparisonConfig, compare_candidates, read_candidate_results
from coinfarm.training.loop import read_candle_files
from tests.support.synthetic_candles import START_MS

BASE = """
name = "base"
candles = ["DEMO1-1h.parquet"]
train = { start = 2020-01-01, stop = 2020-01-21 }
validation = { start = 2020-01-21, stop = 2020-02-02 }
test = { start = 2020-02-02, stop = 2020-02-14 }
batch_size = 4
network = { dense_units = 4, blocks = [{ filters = 4, strides = [8, 8] }] }
"""
CANDIDATES = """
base = "base.toml"

[budget]
epochs = 1
steps_per_epoch = 2

[candidates.same]

[candidates.percent]
target_unit = "percent"
"""


@pytest.fixture
def candidates(tmp_path: Path) -> Path:
    (tmp_path / "DEMO1-1h.parquet").write_bytes(parquet_from_candles(generate("DEMO1", "1h", START_MS, 44 * 24, seed=1)))
    (tmp_path / "base.toml").write_text(BASE)
    (tmp_path / "candidates.toml").write_text(CANDIDATES)
    return tmp_path / "candidates.toml"


def test_a_candidate_overrides_base_and_budget(candidates: Path) -> None:
    same, percent = ComparisonConfig.read(candidates).values()
    assert (same.name, same.epochs, same.steps_per_epoch, same.batch_size, same.target_unit) == ("same", 1, 2, 4, "window_range")
    assert percent == same.model_copy(update={"name": "percent", "target_unit": "percent"})
    assert same.candles == (candidates.parent / "DEMO1-1h.parquet",)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        pytest.param(('"base.toml"', '"other.toml"'), r"other\.toml", id="missing base"),
        pytest.param(("target_unit", "target"), r"candidates\.toml: percent: target: ", id="unknown field"),
        pytest.param(("[budget]", "[buget]"), r"candidates\.toml: buget: ", id="unknown table"),
    ],
)
def test_names_the_invalid_field(candidates: Path, changed: tuple[str, str], named: str) -> None:
    candidates.write_text(CANDIDATES.replace(*changed))
    with pytest.raises(CoinfarmError, match=named):
        ComparisonConfig.read(candidates)


def test_the_shipped_candidates_are_valid() -> None:
    configs = ComparisonConfig.read(Path(coinfarm.training.__path__[0]) / "candidates.toml").values()
    assert len({(config.epochs, config.steps_per_epoch, config.batch_size, config.train, config.validation) for config in configs}) == 1


@pytest.mark.tensorflow
def test_trains_each_candidate_once(keras: ModuleType, candidates: Path) -> None:
    configs, results_file = ComparisonConfig.read(candidates), candidates.parent / "results.json"
    coins = read_candle_files(configs["same"])
    first = list(compare_candidates(configs, coins, results_file, lambda epoch, logs: None))
    assert [result.candidate for result in first] == ["same", "percent"]
    assert {result.trained_frames for result in first} == {8}
    assert all(0 < result.loss < 10 for result in first)
    assert read_candidate_results(results_file) == first
    trained_again: list[int] = []
    assert list(compare_candidates(configs, coins, results_file, lambda epoch, logs: trained_again.append(epoch))) == first
    assert not trained_again
