"""Experiments: listeners served in two or three ways at once, compared while they run."""
