"""The life of a model: fitted, measured, stored, loaded, served and deleted."""
