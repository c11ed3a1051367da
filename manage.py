#!/usr/bin/env python
"""The one entry point of a checkout; installed, it is the command ``earworm``."""

from spotify_rec.command_line import main

if __name__ == "__main__":
    main()
