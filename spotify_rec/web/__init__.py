"""What every page of the site passes through or is built with."""
