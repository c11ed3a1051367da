"""Personal data: export, privacy page, deletion."""
