"""The web servers that Longwave runs on, made fit for media."""
