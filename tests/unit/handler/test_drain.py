import pytest

from handler.drain import Drain
from handler.message_batch import OutOfTime


def test_raises_after_the_grace_period(clock):
    drain = Drain(80)
    drain.check()
    assert drain.start()
    clock[0] += 79
    drain.check()
    clock[0] += 2
    with pytest.raises(OutOfTime):
        drain.check()


def test_a_second_start_does_not_extend_the_grace_period(clock):
    drain = Drain(80)
    assert drain.start()
    clock[0] += 60
    assert not drain.start(is_failure=True)
    assert drain.remaining_s == 20
    assert not drain.is_failure


def test_expire_ends_the_grace_period(clock):
    drain = Drain(80)
    drain.start()
    drain.expire()
    with pytest.raises(OutOfTime):
        drain.check()
