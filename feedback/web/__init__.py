"""Code shared by the pages, forms, calls and admin of several sub-packages."""
