"""Shows as programs see and change them."""
