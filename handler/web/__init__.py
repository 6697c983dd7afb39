"""The page at `/` of the server, and what only a server can give it: an exchange's candles, and live predictions."""
