"""The life cycle of a model: fit, measure, store, load, serve, delete."""
