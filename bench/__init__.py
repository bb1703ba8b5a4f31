"""What Longwave's hot paths do in a second, beside named peers measured in the same run."""
