"""Downloads, and the numbers behind every chart of the studio."""
