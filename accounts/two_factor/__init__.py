"""Two-factor authentication: allauth's, with secrets sealed and forms of our own; and who has to have it."""
