"""Why a song was recommended, in words and figures."""
