"""What the server offers beside the API: a store of live predictions, and an exchange."""

from coinfarm.serving.settings import EnvironmentSettings


class WebSettings(EnvironmentSettings):
    """Each is off if it is not set."""

    live_store: str | None = None
    """The store that `coinfarm watch` writes: a folder or an `s3://` URI."""
    exchange: str | None = None
    """The exchange whose candles the page shows, by its ccxt name."""
    exchange_url: str | None = None
    """The base URL of a server that answers in place of the exchange."""
