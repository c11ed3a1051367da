"""What ``manage.py doctor`` looks at: each examination returns a finding that says what is the case, and what to do."""

from spotify_rec.doctor.examinations import examine
from spotify_rec.doctor.findings import Finding, Level

__all__ = ["Finding", "Level", "examine"]
