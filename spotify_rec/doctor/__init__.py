"""The checks of ``manage.py doctor``: each returns a finding with the state and advice."""

from spotify_rec.doctor.examinations import examine
from spotify_rec.doctor.findings import Finding, Level

__all__ = ["Finding", "Level", "examine"]
