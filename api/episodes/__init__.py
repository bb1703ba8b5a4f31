"""Episodes as programs see and change them: texts, publishing, audio."""
