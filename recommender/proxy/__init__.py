"""The music server through this site, at ``/rest/``: players log in there, and mixes and plays are the listener's."""
