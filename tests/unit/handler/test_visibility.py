import threading

from coinfarm.errors import Unavailable
from handler.visibility import VisibilityExtender
from tests.support.fake_queue import FakeQueue, received


def test_extends_added_messages_until_they_are_removed_or_released():
    queue = FakeQueue()
    extender = VisibilityExtender(queue, 60)
    first, second = received("first"), received("second")
    extender.add([first, second])
    extender.remove([first])
    extender.extend_all()
    assert queue.timeouts == {second.receipt: 60}
    extender.release_all()
    assert queue.timeouts == {second.receipt: 0}


def test_keeps_messages_while_the_queue_is_unavailable_and_forgets_lost_ones():
    queue = FakeQueue()
    extender = VisibilityExtender(queue, 60)
    extender.add([received("mine")])
    queue.error = Unavailable("the queue cannot be reached")
    extender.extend_all()
    queue.error = None
    extender.extend_all()
    assert queue.timeouts == {"receipt of mine": 60}
    queue.change_visibility = lambda receipts, visibility_timeout_s: dict.fromkeys(receipts, "ReceiptHandleIsInvalid")
    extender.extend_all()
    assert len(extender) == 0


def test_no_message_is_removed_during_an_extension():
    """Otherwise a released message would be hidden again although no worker processes it."""
    queue, is_extending, may_finish = FakeQueue(), threading.Event(), threading.Event()
    extender = VisibilityExtender(queue, 60)
    extender.add([received("one")])

    def change_visibility(receipts, visibility_timeout_s):
        is_extending.set()
        assert may_finish.wait(60)
        return {}

    queue.change_visibility = change_visibility
    extending = threading.Thread(target=extender.extend_all)
    extending.start()
    assert is_extending.wait(60)
    removing = threading.Thread(target=extender.remove, args=[[received("one")]])
    removing.start()
    removing.join(0.05)
    assert removing.is_alive()
    may_finish.set()
    removing.join(60)
    extending.join(60)
    assert len(extender) == 0
