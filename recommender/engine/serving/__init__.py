"""From ranked candidates to a page: exploring, variety, rules, reasons."""
