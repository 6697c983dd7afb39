import pytest

from handler.idle_timer import IdleTimer


@pytest.mark.usefixtures("clock")
def test_measures_from_the_first_start_until_reset():
    idle_timer = IdleTimer()
    assert idle_timer.idle_s == 0
    idle_timer.start(980)
    idle_timer.start(999)
    assert idle_timer.idle_s == 20
    idle_timer.reset()
    assert idle_timer.idle_s == 0
