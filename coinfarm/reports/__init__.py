"""Reports: one self-contained HTML page each, that needs no network and no script."""
