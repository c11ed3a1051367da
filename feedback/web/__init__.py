"""What the pages, forms, calls and administration of several rooms share."""
