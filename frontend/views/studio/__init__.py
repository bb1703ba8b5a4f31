"""The studio's pages about shows, episodes and the trash."""
