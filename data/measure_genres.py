"""Measure the figures of `demo_figures.py` on a table in the "Spotify Tracks" layout and print them as Python.

    .venv/bin/python data/measure_genres.py TABLE.csv > data/demo_figures.py

Only statistics leave the table: per genre a mean and a standard deviation of each variable (on the scale of `SCALES`),
pooled over genres their correlations, the share of variance that lies between artists, and how often keys occur.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

GENRES = (
    *("ambient", "classical", "piano", "jazz", "blues", "soul", "funk", "r-n-b", "disco", "hip-hop", "trip-hop"),
    *("techno", "deep-house", "drum-and-bass", "synth-pop", "pop", "indie-pop", "psych-rock", "alt-rock", "punk"),
    *("metal", "folk", "singer-songwriter", "bluegrass", "country", "reggae", "ska", "afrobeat", "samba", "tango"),
)
SHARES = ("danceability", "energy", "speechiness", "acousticness", "instrumentalness", "liveness", "valence")
VARIABLES = (*SHARES, "loudness", "tempo", "duration_ms", "popularity")
HEADER = '''"""Figures measured on a real table by `measure_genres.py`: statistics only, no row of it.

Means and spreads are in the order of `VARIABLES` and on these scales: logit for what lies in 0..1 (instrumentalness
from 1e-6, all others from 1e-3) and for popularity / 100 (from 0.05); -log(3 - dB) for loudness; log for tempo (BPM)
and for duration (ms).
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class GenreFigures:
    """One genre: ``means`` and ``spreads`` have the order of ``VARIABLES``; the rest are shares of its songs."""

    means: tuple[float, ...]
    spreads: tuple[float, ...]
    major: float
    three_four: float
    five_four: float
    explicit: float

'''


def logit(values: "pd.Series[float]", *, low: float = 1e-3) -> "pd.Series[float]":
    """Return log(x / (1 - x)) of ``values`` kept within ``low`` .. 0.99."""
    clipped = values.clip(low, 0.99)
    return pd.Series(np.log(clipped / (1 - clipped)), index=values.index)


def scaled(table: pd.DataFrame) -> pd.DataFrame:
    """Return the variables on the scales that the figures are given in; an unknown tempo is a gap."""
    columns = {name: logit(table[name], low=1e-6 if name == "instrumentalness" else 1e-3) for name in SHARES}
    columns["loudness"] = -np.log(3 - table["loudness"].clip(-40, 1))
    columns["tempo"] = np.log(table["tempo"].where(table["tempo"] > 0))
    columns["duration_ms"] = np.log(table["duration_ms"].clip(60_000, 900_000))
    columns["popularity"] = logit(table["popularity"] / 100, low=0.05)
    return pd.DataFrame(columns)[list(VARIABLES)]


def artist_shares(standard: pd.DataFrame, genre: "pd.Series[str]", artist: "pd.Series[str]") -> "pd.Series[float]":
    """Return per variable the share of variance between artists of one genre (one-way random effects, Fisher)."""
    groups = standard.groupby([genre, artist])
    sizes = groups.size()
    artist_means = groups.mean()[sizes >= 2]
    counts = sizes[sizes >= 2].to_numpy(dtype=float)
    within = (groups.var()[sizes >= 2].mul(counts - 1, axis=0)).sum() / (counts - 1).sum()
    typical = (counts.sum() - (counts**2).sum() / counts.sum()) / (len(counts) - 1)
    centred = artist_means - np.average(artist_means.to_numpy(), axis=0, weights=counts)
    between = (centred**2).mul(counts, axis=0).sum() / (len(counts) - 1)
    component = (between - within) / typical
    return pd.Series(component / (component + within)).clip(0.0, 0.95)


def rounded(values: npt.ArrayLike) -> str:
    """Return the numbers as a tuple's source, two decimals each."""
    return "(" + ", ".join(f"{value + 0.0:.2f}" for value in np.round(np.asarray(values, dtype=float), 2)) + ")"


def measure(path: Path) -> str:
    """Return the source of `demo_figures.py`, measured on the table at ``path``."""
    table = pd.read_csv(path)
    table = table[table["track_genre"].isin(GENRES) & table["artists"].notna()].drop_duplicates(
        ["artists", "track_name", "track_genre"]
    )
    values, genre = scaled(table), table["track_genre"]
    by_genre = values.groupby(genre)
    means, spreads = by_genre.mean(), by_genre.std()
    standard = (values - by_genre.transform("mean")) / by_genre.transform("std")
    shares = artist_shares(standard, genre, table["artists"].str.split(";").str[0])
    lines = [HEADER, f"VARIABLES = {VARIABLES!r}", f"ARTIST_SHARES = {rounded(shares)}", "CORRELATIONS = ("]
    lines += [f"    {rounded(row)}," for row in standard.corr().to_numpy()]
    keys = pd.crosstab(table["mode"], table["key"], normalize="index")
    lines += [")", "# Share of each pitch class (C = 0) in minor and in major.", "KEY_SHARES = ("]
    lines += [f"    {rounded(keys.loc[mode])}," for mode in (0, 1)] + [")", "GENRES: dict[str, GenreFigures] = {"]
    for name in GENRES:
        rows = table[genre == name]
        rest = (rows["mode"].mean(), *((rows["time_signature"] == beats).mean() for beats in (3, 5)))
        numbers = ", ".join(f"{value:.2f}" for value in (*rest, rows["explicit"].mean()))
        lines.append(
            f'    "{name}": GenreFigures({rounded(means.loc[name])}, {rounded(spreads.loc[name])}, {numbers}),'
        )
    return "\n".join([*lines, "}", ""])


def main() -> None:
    """Print the figures of the table named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", type=Path)
    sys.stdout.write(measure(parser.parse_args().table))


if __name__ == "__main__":
    main()
