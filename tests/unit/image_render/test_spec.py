import pytest

from image_render.spec import BODY, STANDARD, VOLUME, WICK, FrameSpec


def test_the_standard_frame_has_200_candles_150_rows_and_3_channels() -> None:
    assert STANDARD.shape == (200, 150, 3)
    assert (BODY, WICK, VOLUME) == (0, 1, 2)


@pytest.mark.parametrize(("price_rows", "flat_row"), [(2, 0), (3, 1), (5, 2), (150, 74)])
def test_a_flat_window_lies_in_the_middle_row(price_rows: int, flat_row: int) -> None:
    assert FrameSpec(1, price_rows).flat_row == flat_row


@pytest.mark.parametrize(("window_candles", "price_rows"), [(0, 150), (-1, 150), (200, 1), (200, 0)])
def test_rejects_a_frame_without_extent(window_candles: int, price_rows: int) -> None:
    with pytest.raises(ValueError, match=f"{window_candles}.*{price_rows}"):
        FrameSpec(window_candles, price_rows)
