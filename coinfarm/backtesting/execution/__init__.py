"""From proposed orders to trades: sizes, fills, costs and limits on positions."""
