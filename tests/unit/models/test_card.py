"""The reference model's card is the snapshot of the text; the other tests cover what it does not have."""

from datetime import date
from pathlib import Path
from typing import Any

from coinfarm.models.calibration import OutputCalibration
from coinfarm.models.card import model_card
from coinfarm.models.evaluations import read_evaluations
from coinfarm.models.manifest import LayerSummary, Manifest
from coinfarm.models.store import ModelStore
from coinfarm.models.training_data import TrainedSeries
from coinfarm.outputs import OUTPUT_NAMES
from coinfarm.serving.settings import reference_model_uri
from coinfarm.storage import open_storage
from tests.support.compiled_models import BF16, F32, compiled_bundle
from tests.support.evaluation_documents import evaluation_record
from tests.support.fake_models import TRAINING, create_bundle


def _manifest(folder: Path, **details: Any) -> Manifest:
    return create_bundle(folder / "bundle", **details).manifest


def _rows(card: str) -> list[list[str]]:
    """The cells of every table row."""
    return [line.strip("| ").split(" | ") for line in card.splitlines() if line.startswith("|")]


def test_the_card_of_the_reference_model_is_unchanged() -> None:
    storage = open_storage(reference_model_uri())
    (version,) = ModelStore(storage).versions()
    card = model_card(ModelStore(storage).manifest(version), read_evaluations(storage, version))
    assert card == storage.read(f"versions/{version}/card.md").data.decode()


def test_missing_details_are_omitted(tmp_path: Path) -> None:
    manifest = _manifest(tmp_path)
    baselines = {"constantTimesRange": {"outputs": {"endChangePct": {"r2": 0.04}}}}
    card = model_card(manifest, [evaluation_record(manifest.version, 0.15, 0.12, 0.0, baselines=baselines)])
    assert ["**this model**", "0.150", "0.120", "0.000", "–"] in _rows(card)
    assert ["constant times range", "–", "–", "0.040", "–"] in _rows(card)
    assert "**0.0900**" in card
    for text in (card, model_card(manifest, [])):
        assert [part for part in ("coinfarm train", "None", "\n\n\n") if part in text] == []


def test_cutoffs_that_differ_and_in_sample_windows_are_listed(tmp_path: Path) -> None:
    manifest = _manifest(tmp_path, training=TRAINING)
    counts = {"windows": 9000, "judged": 7000, "inSample": 1200, "withoutPrediction": 0, "withoutHorizon": 30, "effective": 8725.0}
    card = model_card(manifest, [evaluation_record(manifest.version, counts=counts)])
    assert "2019-01-01 00:00 UTC (BTCUSD), 2019-01-02 00:00 UTC (ETHUSD)" in card
    assert "1,200 in-sample windows" in card


def test_what_was_learnt_of_each_series_is_listed(tmp_path: Path) -> None:
    series = tuple(
        TrainedSeries(symbol="BTCUSD", interval=interval, from_date=date(2018, 1, 1), to_date=to_date)
        for interval, to_date in (("1m", date(2018, 7, 1)), ("60m", date(2019, 1, 1)))
    )
    card = model_card(_manifest(tmp_path, training=TRAINING.model_copy(update={"series": series})), [])
    assert ["BTCUSD", "1m", "2018-01-01", "2018-07-01"] in _rows(card)
    assert ["BTCUSD", "1h", "2018-01-01", "2019-01-01"] in _rows(card)
    assert "1m and 1h, from" in card


def test_the_latest_period_comes_first(tmp_path: Path) -> None:
    manifest = _manifest(tmp_path)
    may, july = evaluation_record(manifest.version), evaluation_record(manifest.version, **{"from": "2019-07-01", "to": "2019-08-01"})
    card = model_card(manifest, [may, july])
    assert model_card(manifest, [july, may]) == card
    assert card.index("2019-07-01 up to 2019-08-01") < card.index("2019-05-01 up to 2019-07-01")


def test_metrics_of_another_format_are_left_out(tmp_path: Path) -> None:
    scores = {name: {"r2": 0.2} for name in OUTPUT_NAMES} | {"endChangePct": {"r2": 0.01, "directionRightPct": 52.2}}
    validation = {"from": "2019-03-01", "to": "2019-05-01", "frames": 8373, "model": scores, "baselines": {"trainingMean": scores}}
    card = model_card(_manifest(tmp_path, metrics={"validation": validation, "auc": 0.7}), [])
    for title in ("**this model**", "training mean"):
        assert [title, "0.200", "0.200", "0.010", "52.2 %"] in _rows(card)
    assert "auc" not in card


def test_compiled_forms_without_measurement_conditions_are_listed(tmp_path: Path) -> None:
    card = model_card(compiled_bundle(tmp_path / "bundle", BF16, F32).manifest, [])
    assert ["bf16", "avx512_bf16 or amx_bf16", *["1.00000, 0.00 %"] * 3, "1,000"] in _rows(card)


def test_a_stride_is_an_ordinal(tmp_path: Path) -> None:
    manifest = _manifest(tmp_path)
    for stride, text in ((1, "every window"), (2, "2nd window"), (11, "11th window"), (23, "23rd window")):
        assert f"{text}\n" in model_card(manifest, [evaluation_record(manifest.version, stride=stride)])


def test_names_cannot_break_a_table(tmp_path: Path) -> None:
    layer = LayerSummary(name="a|b\n| c", kind="Dense", output_shape=(3,), parameters=0, multiply_adds=0)
    card = model_card(_manifest(tmp_path, architecture=(layer,)), [])
    assert r"| a\|b \| c | Dense | 3 |  |  |" in card.splitlines()


def test_splits_have_scores_by_interval_and_outputs_their_calibration(tmp_path: Path) -> None:
    def scores(r2: float) -> dict[str, Any]:
        return {
            "frames": 900,
            "model": {name: {"r2": r2} for name in OUTPUT_NAMES},
            "baselines": {"constantTimesRange": {"maxRisePct": {"r2": 0.1}}},
        }

    split = {"from": "2019-03-01", "to": "2019-05-01", **scores(0.2), "intervals": {"1m": scores(0.3), "1h": scores(-0.1)}}
    calibration = OutputCalibration(factor=0.87, mean=0.1, slope=0.87, slope_interval=(0.8, 0.9)).model_dump(mode="json", by_alias=True)
    card = model_card(_manifest(tmp_path, metrics={"validation": split, "calibration": {"maxRisePct": calibration}}), [])
    assert ["1m", "900", *["0.300"] * 3, "0.100", "–", "–"] in _rows(card)
    assert ["1h", "900", *["-0.100"] * 3, "0.100", "–", "–"] in _rows(card)
    assert "- max rise: multiplied by 0.87" in card
    assert "\n\n\n" not in card


def test_evaluations_of_one_period_are_listed_by_interval_and_by_coin(tmp_path: Path) -> None:
    manifest = _manifest(tmp_path)

    def output(r2: float) -> dict[str, Any]:
        return {"r2": r2, "r2Interval": [r2 - 0.1, r2 + 0.1], "slope": 0.98, "slopeInterval": [0.9, 1.1], "interceptPct": -0.012}

    trees = {name: {"r2": 0.1, "modelErrorReductionPct": 3.2, "modelErrorReductionIntervalPct": [2.2, 4.1]} for name in OUTPUT_NAMES}
    coins = {
        symbol: {"frames": 500, "outputs": {name: output(r2) for name in OUTPUT_NAMES}, "baselines": {"gradientBoosting": trees}}
        for symbol, r2 in (("BTCUSDT", 0.2), ("ETHUSDT", -0.3))
    }
    baselines = {"gradientBoosting": {"outputs": trees}}
    hours = evaluation_record(manifest.version, interval="1h", isTrainedInterval=True, byCoin=coins, baselines=baselines)
    minutes = evaluation_record(manifest.version, interval="30m", isTrainedInterval=False)
    card = model_card(manifest, [hours, minutes])
    rows = _rows(card)
    (short,) = [at for at, row in enumerate(rows) if row[:2] == ["30m (not trained)", "max rise"]]
    (long,) = [at for at, row in enumerate(rows) if row[:2] == ["1h", "max rise"]]
    assert short < long
    assert rows[long][-1] == "-3.2 % [-4.1, -2.2]"
    assert ["BTCUSDT", "max rise", "500", "0.200 [0.100, 0.300]", "0.98 [0.90, 1.10]", "-0.012", "-3.2 % [-4.1, -2.2]", "0.100"] in rows
    assert [
        "ETHUSDT",
        "end change",
        "500",
        "-0.300 [-0.400, -0.200]",
        "0.98 [0.90, 1.10]",
        "-0.012",
        "-3.2 % [-4.1, -2.2]",
        "0.100",
    ] in rows
    assert "\n\n\n" not in card
    for table in card.split("\n\n"):
        assert len({line.count("|") for line in table.splitlines() if line.startswith("|")}) <= 1, table
