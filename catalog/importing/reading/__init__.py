"""Reading a catalogue file into checked rows. Needs no database."""
