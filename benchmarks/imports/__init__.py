"""What imports make of files, and how fast."""
