"""A day of an exchange, replayed faster than time, to a watcher that is disturbed on purpose."""
