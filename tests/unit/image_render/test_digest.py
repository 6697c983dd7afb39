"""The fingerprint that every model's manifest carries: it may change only together with `spec.VERSION`."""

from collections.abc import Callable

import numpy as np
import pytest

from image_render import digest
from image_render.reference_renderer import render_frame
from image_render.render import Frames, render_frames
from image_render.spec import STANDARD, VOLUME, FrameSpec
from image_render.windows import Columns

PINNED = "842c82979f4330495bf50f78a27da41e284cf757939190799b485326ca16f559"


def fresh_digest(spec: FrameSpec = STANDARD) -> str:
    """The digest, computed again rather than taken from the cache."""
    return digest.frame_digest.__wrapped__(spec)


def test_the_standard_frame_is_rendered_as_for_every_published_model() -> None:
    assert digest.frame_digest() == fresh_digest() == PINNED


@pytest.mark.parametrize("spec", [FrameSpec(199, 150), FrameSpec(200, 149), FrameSpec(150, 200)], ids=str)
def test_another_geometry_has_another_digest(spec: FrameSpec) -> None:
    assert fresh_digest(spec) != PINNED


def test_another_version_of_the_same_geometry_has_another_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digest, "VERSION", 2)
    assert fresh_digest() != PINNED


def render_with_the_oracle(windows: Columns, spec: FrameSpec) -> Frames:
    return np.stack([render_frame(*(column.tolist() for column in window), spec) for window in zip(*windows, strict=True)])


def test_the_oracle_has_the_same_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digest, "render_frames", render_with_the_oracle)
    assert fresh_digest() == PINNED


CHANGES: dict[str, Callable[[Frames, Columns], Frames]] = {
    "channels swapped": lambda frames, _: frames[..., [1, 0, 2]],
    "rows upside down": lambda frames, _: frames[:, :, ::-1],
    "time reversed": lambda frames, _: frames[:, ::-1],
    "last pixel changed": lambda frames, _: frames ^ (np.arange(frames.size).reshape(frames.shape) == frames.size - 1),
    "flat windows a row lower": lambda frames, seen: np.where(
        of_windows(np.ptp(seen.close, axis=1) == 0), np.roll(frames, -1, axis=2), frames
    ),
    "volume where there is none": lambda frames, seen: frames | of_windows(seen.volume.max(axis=1) == 0) * VOLUME_IN_ROW_0,
}
VOLUME_IN_ROW_0 = ((np.arange(150)[:, None] == 0) & (np.arange(3) == VOLUME)).astype(np.uint8)


def of_windows(chosen: np.ndarray) -> np.ndarray:
    return chosen[:, None, None, None]


@pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))
def test_another_rendering_has_another_digest(change: Callable[[Frames, Columns], Frames], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digest, "render_frames", lambda windows, spec: change(render_frames(windows, spec), windows))
    assert fresh_digest() != PINNED
