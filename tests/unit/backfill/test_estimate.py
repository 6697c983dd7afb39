"""The time and cost of a backfill on each compute target."""

import pytest

from coinfarm.backfill.estimate import ComputeLimits, Speed, estimate_cost
from coinfarm.backfill.prices import INSTANCE_USD_PER_H, LAMBDA_USD_PER_GB_S, SPOT_PRICE_RATIO

ESTIMATE = estimate_cost(
    1_000_000, 695, 0, 2, Speed(2_000.0, 2, "measured"), ComputeLimits(lambda_functions=10, lambda_memory_mb=3_538, instances=30)
)


def test_speed_of_lambda_is_proportional_to_its_cores() -> None:
    target = ESTIMATE.target("lambda")
    assert target.windows_per_s == pytest.approx(2_000.0), "3,538 MB are two vCPUs"
    assert target.seconds == pytest.approx(50.0)
    gb_s_usd = 500 * 3_538 / 1024 * LAMBDA_USD_PER_GB_S
    # 70 invocations; 695 messages with 0.3 SQS calls each, and their reads and writes
    assert target.usd == pytest.approx(gb_s_usd + 70 * 2e-7 + 695 * (0.3 * 4e-7 + 3 * 4e-7 + 1.1 * 5e-6))


def test_unmeasured_gpu_speed_is_marked_as_assumed() -> None:
    target = ESTIMATE.target("gpu")
    assert target.windows_per_s == 29.0
    assert "ASSUMED" in target.basis
    busy_h = 1_000_000 / 29 / 3600
    assert target.usd == pytest.approx(busy_h * INSTANCE_USD_PER_H["g4dn.xlarge"], rel=0.01)
    assert ESTIMATE.target("gpu-spot").usd == pytest.approx(busy_h * INSTANCE_USD_PER_H["g4dn.xlarge"] * SPOT_PRICE_RATIO, rel=0.01)


def test_gpu_speed_may_be_unknown_or_given() -> None:
    unknown = estimate_cost(1_000, 1, 0, 2, Speed(2_000.0, 2, ""), ComputeLimits(instance_type="g6.xlarge")).target("gpu")
    assert (unknown.windows_per_s, unknown.seconds, unknown.usd) == (None, None, None)
    given = estimate_cost(360_000, 250, 0, 2, Speed(2_000.0, 2, ""), ComputeLimits(instances=10, gpu_windows_per_s=1_000)).target("gpu")
    assert given.seconds == pytest.approx(36.0)
    assert "ASSUMED" not in given.basis


@pytest.mark.parametrize(("messages", "functions", "instances"), [(1, 1, 1), (15, 2, 15), (100, 10, 30), (1_000, 10, 30)])
def test_workers_are_limited_by_the_number_of_messages(messages: int, functions: int, instances: int) -> None:
    estimate = estimate_cost(1_440 * messages, messages, 0, 2, Speed(2_000.0, 2, ""), ComputeLimits())
    assert (estimate.target("lambda").workers, estimate.target("gpu").workers) == (functions, instances)
