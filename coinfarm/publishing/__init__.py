"""Before a model is published: is it loaded, run and compared with what happened, and are older formats converted."""
