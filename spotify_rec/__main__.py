"""``python -m spotify_rec``: the command ``earworm``, where its script is not on the path."""

import sys

from spotify_rec.command_line import main

sys.argv[0] = "earworm"
main()
