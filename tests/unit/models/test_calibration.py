import pytest

from coinfarm.models.calibration import OutputCalibration, output_calibrations


def test_reads_the_calibrations_of_a_manifest() -> None:
    stored = OutputCalibration(factor=0.8, mean=0.1, slope=0.8, slope_interval=(0.7, 0.9))
    document = {"calibration": {"endChangePct": stored.model_dump(mode="json", by_alias=True)}}
    assert output_calibrations(document) == {"end change": stored}


@pytest.mark.parametrize("metrics", [{}, {"calibration": "isotonic"}, {"calibration": {"endChangePct": {}}}])
def test_ignores_what_others_call_calibration(metrics: dict[str, object]) -> None:
    assert output_calibrations(metrics) == {}


def test_says_what_happened_to_an_output() -> None:
    shrunk = OutputCalibration(factor=0.8, mean=0.0, slope=0.8, slope_interval=(0.7, 0.9))
    unknown = OutputCalibration(factor=0.0, mean=0.0, slope=0.1, slope_interval=(-0.1, 0.3))
    short = OutputCalibration(factor=1.0, mean=0.0, slope=0.3)
    assert len({each.text for each in (shrunk, unknown, short)}) == 3
    assert "[0.70, 0.90]" in shrunk.text
    assert "[−0.10, 0.30]" in unknown.text
