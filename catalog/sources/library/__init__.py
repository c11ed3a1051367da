"""Songs that a music server or a folder has, as songs of the catalogue."""
