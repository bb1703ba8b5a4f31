"""Events told to other people's servers: signed, sent until they arrive, and written down."""
