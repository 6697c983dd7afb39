"""The fingerprint that every model's manifest carries: it may change only together with `spec.VERSION`."""

from collections.abc import Callable

import numpy as np
import pytest

from image_render import digest
from image_render.reference_renderer import render_frame
from image_render.render import Frames, render_frames
from image_render.spec import STANDARD, FrameSpec
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


def with_channels_swapped(windows: Columns, spec: FrameSpec) -> Frames:
    return render_frames(windows, spec)[..., [1, 0, 2]]


def with_rows_upside_down(windows: Columns, spec: FrameSpec) -> Frames:
    return render_frames(windows, spec)[:, :, ::-1]


def with_time_reversed(windows: Columns, spec: FrameSpec) -> Frames:
    return render_frames(windows, spec)[:, ::-1]


def with_one_pixel_changed(windows: Columns, spec: FrameSpec) -> Frames:
    frames = render_frames(windows, spec)
    frames[-1, -1, -1, -1] ^= 1
    return frames


def with_flat_windows_a_row_lower(windows: Columns, spec: FrameSpec) -> Frames:
    frames = render_frames(windows, spec)
    flat = windows.high.max(axis=1) == windows.low.min(axis=1)
    frames[flat] = np.roll(frames[flat], -1, axis=2)
    return frames


def with_volume_where_there_is_none(windows: Columns, spec: FrameSpec) -> Frames:
    frames = render_frames(windows, spec)
    frames[windows.volume.max(axis=1) == 0, :, 0, 2] = 1
    return frames


@pytest.mark.parametrize(
    "render",
    [
        with_channels_swapped,
        with_rows_upside_down,
        with_time_reversed,
        with_one_pixel_changed,
        with_flat_windows_a_row_lower,
        with_volume_where_there_is_none,
    ],
)
def test_another_rendering_has_another_digest(render: Callable[[Columns, FrameSpec], Frames], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digest, "render_frames", render)
    assert fresh_digest() != PINNED
