"""How a listener comes in: what allauth is told otherwise, the API's log-in, emails about it."""
