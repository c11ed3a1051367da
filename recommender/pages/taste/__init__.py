"""The page that shows a listener's taste."""
