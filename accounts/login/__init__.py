"""Log-in: changes to allauth's defaults, the API's log-in, and notification e-mails."""
