"""Array types of candle columns."""

import numpy as np
from numpy.typing import NDArray

Times = NDArray[np.int64]
"""Milliseconds since 1970, UTC."""
Values = NDArray[np.float64]
"""Prices, volumes, or percentages."""
