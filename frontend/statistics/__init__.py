"""The statistics of a show or an episode: what a page chooses, draws and hands out."""
