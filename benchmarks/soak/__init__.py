"""What must hold for long: a server under load whose model is swapped, and a backfill whose workers are killed. `make soak`."""
