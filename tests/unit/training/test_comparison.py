from pathlib import Path
from types import ModuleType

import pytest

import coinfarm.training
from coinfarm.errors import CoinfarmError
from coinfarm.training.comparison import compare_candidates, read_candidate_configs, read_candidate_results
from coinfarm.training.loop import read_candle_files
from tests.support.tiny_training import write_tiny_training

CANDIDATES = """
base = "tiny.toml"

[budget]
epochs = 1
steps_per_epoch = 2

[candidates.same]

[candidates.percent]
target_unit = "percent"
"""


@pytest.fixture
def candidates(tmp_path: Path) -> Path:
    write_tiny_training(tmp_path)
    (tmp_path / "candidates.toml").write_text(CANDIDATES)
    return tmp_path / "candidates.toml"


def test_a_candidate_overrides_base_and_budget(candidates: Path) -> None:
    same, percent = read_candidate_configs(candidates).values()
    assert (same.name, same.epochs, same.steps_per_epoch, same.batch_size, same.target_unit) == ("same", 1, 2, 8, "window_range")
    assert percent == same.model_copy(update={"name": "percent", "target_unit": "percent"})
    assert same.candles[0] == candidates.parent / "DEMO1-1h.parquet"


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        pytest.param(('"tiny.toml"', '"other.toml"'), r"other\.toml", id="missing base"),
        pytest.param(("target_unit", "target"), r"candidates\.toml: percent .*: target: ", id="unknown field"),
        pytest.param(("[budget]", "[buget]"), r"candidates\.toml .*: buget: ", id="unknown table"),
    ],
)
def test_names_the_invalid_field(candidates: Path, changed: tuple[str, str], named: str) -> None:
    candidates.write_text(CANDIDATES.replace(*changed))
    with pytest.raises(CoinfarmError, match=named):
        read_candidate_configs(candidates)


def test_the_shipped_candidates_are_valid() -> None:
    configs = read_candidate_configs(Path(coinfarm.training.__path__[0]) / "candidates.toml").values()
    assert len({(config.epochs, config.steps_per_epoch, config.batch_size, config.train, config.validation) for config in configs}) == 1


@pytest.mark.tensorflow
def test_trains_each_candidate_once(keras: ModuleType, candidates: Path) -> None:
    configs, results_file = read_candidate_configs(candidates), candidates.parent / "results.json"
    coins = read_candle_files(configs["same"])
    first = list(compare_candidates(configs, coins, results_file, lambda epoch, logs: None))
    assert [result.candidate for result in first] == ["same", "percent"]
    assert {result.trained_frames for result in first} == {16}
    assert all(0 < result.loss < 10 for result in first)
    assert read_candidate_results(results_file) == first
    trained_again: list[int] = []
    assert list(compare_candidates(configs, coins, results_file, lambda epoch, logs: trained_again.append(epoch))) == first
    assert not trained_again
