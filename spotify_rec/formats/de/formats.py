"""German dates as the site's own words have them: 29. Nov. 2026, 14:05."""

DATE_FORMAT = "j. N Y"
DATETIME_FORMAT = "j. N Y, H:i"
YEAR_MONTH_FORMAT = "F Y"
MONTH_DAY_FORMAT = "j. N"
TIME_FORMAT = "H:i"
