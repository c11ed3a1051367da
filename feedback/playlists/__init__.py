"""Songs that a listener put in an order."""
