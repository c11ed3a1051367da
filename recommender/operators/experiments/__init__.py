"""The operator's pages of experiments: their figures, and what can be done with them."""
