import pytest

from handler.drain import Drain
from handler.message_batch import OutOfTime


def test_raises_after_the_grace_period(clock):
    drain = Drain(80)
    drain.check()
    assert drain.start()
    clock[0] += 79
    drain.check()
    assert not drain.start(is_failure=True), "a second start does not extend the grace period"
    assert (drain.remaining_s, drain.is_failure) == (1, False)
    clock[0] += 2
    with pytest.raises(OutOfTime):
        drain.check()


def test_expire_ends_the_grace_period(clock):
    drain = Drain(80)
    assert (drain.wait(0), drain.start(), drain.wait(0)) == (False, True, True)
    drain.expire()
    with pytest.raises(OutOfTime):
        drain.check()
