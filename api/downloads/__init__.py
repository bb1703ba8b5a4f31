"""Downloads one by one, as programs see them."""
