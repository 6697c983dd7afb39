"""The card of made-up versions, as a person reads it."""

import re
from pathlib import Path
from typing import Any

import pytest

from coinfarm.models.card import model_card
from coinfarm.models.evaluations import EvaluationRecord
from coinfarm.models.manifest import LayerSummary, Manifest, Output
from coinfarm.models.training_data import Split, TrainingData
from coinfarm.outputs import OUTPUT_NAMES
from tests.support.compiled_models import BF16, F32, compiled_bundle
from tests.support.evaluation_documents import BITCOIN, ETHER, evaluation_json
from tests.support.fake_models import seal

TRAINING = TrainingData(
    symbols=("BTCUSD", "ETHUSD"),
    interval="1m",
    from_date="2018-01-01",
    to_date="2019-01-01",
    cutoff_ms={"BTCUSD": 1_546_300_800_000, "ETHUSD": 1_546_300_800_000},
    frames=500_000,
    splits={"train": Split(from_date="2018-01-01", to_date="2018-10-01", frames=380_000)},
)
LAYERS = (
    LayerSummary(name="frame", kind="InputLayer", output_shape=(200, 150, 3), parameters=0, multiply_adds=0),
    LayerSummary(name="conv1", kind="Conv2D", output_shape=(100, 50, 32), parameters=2400, multiply_adds=12_000_000),
    LayerSummary(name="outputs", kind="Dense", output_shape=(3,), parameters=387, multiply_adds=384),
)


def _manifest(folder: Path, **details: Any) -> Manifest:
    return seal(folder / "bundle", **details).manifest


def _record(version: str, **fields: Any) -> EvaluationRecord:
    return EvaluationRecord.of(evaluation_json(version, 0.15, 0.12, 0.0, **fields), "here")


def test_a_card_has_its_parts_in_order(tmp_path: Path) -> None:
    manifest = _manifest(tmp_path, training=TRAINING)
    card = model_card(manifest, [])
    assert re.findall("^#+ (.*)$", card, re.MULTILINE) == [
        f"fake {manifest.version}",
        "Data",
        "Architecture",
        "How good it is",
        "Engines",
        "Limits",
        "Reproduce it",
        "Files",
    ]
    assert f"`{manifest.files['model.keras'].sha256}`" in card


def test_what_is_not_known_is_said_to_be_unknown(tmp_path: Path) -> None:
    card = model_card(_manifest(tmp_path), [])
    assert "does not say what the model was trained on" in card
    assert "does not list the layers" in card
    assert "No evaluation has been recorded yet." in card
    assert "the bundle has no compiled forms." in card
    assert "coinfarm train" not in card
    assert "None" not in card


def test_data_and_cutoffs_are_told(tmp_path: Path) -> None:
    card = model_card(_manifest(tmp_path, training=TRAINING), [])
    assert "Candles of BTCUSD and ETHUSD, 1m, from 2018-01-01 up to 2019-01-01. It was trained on 500,000 frames" in card
    assert "before 2019-01-01 00:00 UTC is in-sample" in card
    assert "| train | 2018-01-01 | 2018-10-01 | 380,000 |" in card


def test_cutoffs_that_differ_are_told_by_symbol(tmp_path: Path) -> None:
    training = TRAINING.model_copy(update={"cutoff_ms": {"BTCUSD": 1_546_300_800_000, "ETHUSD": 1_546_387_200_000}})
    card = model_card(_manifest(tmp_path, training=training), [])
    assert "before 2019-01-01 00:00 UTC (BTCUSD), 2019-01-02 00:00 UTC (ETHUSD) is in-sample" in card


def test_the_layers_are_listed_with_what_they_cost(tmp_path: Path) -> None:
    card = model_card(_manifest(tmp_path, architecture=LAYERS), [])
    assert "3 layers, 2,787 parameters, 12.0 million multiply-adds a frame." in card
    assert "| conv1 | Conv2D | 100 × 50 × 32 | 2,400 | 12,000,000 |" in card
    assert "| frame | InputLayer | 200 × 150 × 3 |  |  |" in card


def test_an_evaluation_stands_beside_its_baselines(tmp_path: Path) -> None:
    manifest = _manifest(tmp_path)
    record = _record(
        manifest.version,
        outputs={
            name: {"r2": r2, "r2Interval": [r2 - 0.02, r2 + 0.02], "dailyRankCorrelation": {"mean": 0.25, "tStatistic": 16.5, "days": 61}}
            for name, r2 in zip(OUTPUT_NAMES, (0.15, 0.12, 0.0), strict=True)
        },
        direction={"overall": {"rightPct": 53.4, "intervalPct": [52.5, 54.1]}},
        counts={"inSample": 1200, "effective": 8725.0},
        bootstrap={"level": 0.9},
        baselines={
            "constantTimesRange": {"outputs": {name: {"r2": 0.04} for name in OUTPUT_NAMES}, "direction": {"rightPct": 51.2}},
            "zero": {"outputs": {name: {"r2": None} for name in OUTPUT_NAMES}, "direction": {"rightPct": None}},
        },
    )
    card = model_card(manifest, [record])
    assert "### BTCUSD, 2019-05-01 up to 2019-07-01, every 10th window" in card
    assert "26,174 frames, at most 8,725 of them independent" in card
    assert "1,200 in-sample windows were left out. Score (the mean R² of the outputs): **0.0900**." in card
    assert "90 % intervals" in card
    assert "| **this model** | 0.150 [0.130, 0.170] | 0.120 [0.100, 0.140] | 0.000 [-0.020, 0.020] | 53.4 % [52.5, 54.1] |" in card
    assert "| constant times range | 0.040 | 0.040 | 0.040 | 51.2 % |" in card
    assert "| zero | – | – | – | – |" in card
    assert "max rise 0.250 (t = 16.5 over 61 days)" in card
    assert f"--version {manifest.version} --candles CANDLES \\\n  --from 2019-05-01 --to 2019-07-01 --stride 10\n" in card


def test_the_latest_period_comes_first(tmp_path: Path) -> None:
    version = _manifest(tmp_path).version
    may, july = _record(version), _record(version, **{"from": "2019-07-01", "to": "2019-08-01"})
    for records in ([may, july], [july, may]):
        card = model_card(_manifest(tmp_path / str(records.index(may))), records)
        assert card.index("2019-07-01 up to 2019-08-01") < card.index("2019-05-01 up to 2019-07-01")


def test_the_candles_of_an_evaluation_are_told_by_their_digest(tmp_path: Path) -> None:
    manifest = _manifest(tmp_path)
    card = model_card(manifest, [_record(manifest.version, candles={"ETHUSD": ETHER, "BTCUSD": BITCOIN})])
    assert f"| BTCUSD | 2019-05-01 | 2019-07-01 | `{BITCOIN}` |\n| ETHUSD | 2019-05-01 | 2019-07-01 | `{ETHER}` |" in card


def test_an_evaluation_of_another_make_tells_at_least_what_versions_are_compared_by(tmp_path: Path) -> None:
    manifest = _manifest(tmp_path)
    card = model_card(manifest, [_record(manifest.version, direction="53 %", counts=7)])
    assert "| **this model** | 0.150 | 0.120 | 0.000 | – |" in card


def test_what_training_has_measured_is_told_and_what_others_write_there_is_passed_over(tmp_path: Path) -> None:
    scores = {name: {"r2": 0.2} for name in OUTPUT_NAMES} | {"endChangePct": {"r2": 0.01, "directionRightPct": 52.2}}
    validation = {"from": "2019-03-01", "to": "2019-05-01", "frames": 8373, "model": scores, "baselines": {"trainingMean": scores}}
    card = model_card(_manifest(tmp_path, metrics={"validation": validation, "auc": 0.7}), [])
    assert "### Measured with Keras at the end of training: validation, 2019-03-01 up to 2019-05-01, 8,373 frames" in card
    assert "| **this model** | 0.200 | 0.200 | 0.010 | 52.2 % |" in card
    assert "| training mean | 0.200 | 0.200 | 0.010 | 52.2 % |" in card
    assert "auc" not in card


def test_compiled_forms_are_told_with_parity_speed_and_what_they_need(tmp_path: Path) -> None:
    card = model_card(compiled_bundle(tmp_path / "bundle", BF16, F32).manifest, [])
    assert "| bf16 | avx512_bf16 or amx_bf16 | 1.00000, 0.00 % | 1.00000, 0.00 % | 1.00000, 0.00 % | 1,000 |" in card
    assert "| f32 | sse4_2 |" in card


@pytest.mark.parametrize(
    ("units", "said"),
    [
        pytest.param(("percent",) * 3, "The network outputs all of them in percent.", id="all in percent"),
        pytest.param(
            ("percent", "window_range", "percent"),
            "The network outputs `maxRisePct` and `endChangePct` in percent.\nThe network outputs `maxDeclinePct` in units of the window's",
            id="mixed",
        ),
    ],
)
def test_the_units_of_the_network_are_told(units: tuple[Any, ...], said: str, tmp_path: Path) -> None:
    outputs = tuple(Output(name=name, unit=unit) for name, unit in zip(OUTPUT_NAMES, units, strict=True))
    assert said in model_card(_manifest(tmp_path, outputs=outputs), [])


@pytest.mark.parametrize(
    ("stride", "said"), [(1, "every window"), (2, "every 2nd window"), (11, "every 11th window"), (30, "every 30th window")]
)
def test_a_stride_is_told_as_one_would_say_it(stride: int, said: str, tmp_path: Path) -> None:
    manifest = _manifest(tmp_path)
    assert f"{said}\n" in model_card(manifest, [_record(manifest.version, stride=stride)])
