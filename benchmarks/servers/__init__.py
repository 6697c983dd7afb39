"""HTTP servers for the same model: `coinfarm serve`, and what a user would write with FastAPI or BentoML."""
