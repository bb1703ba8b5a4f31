"""What Longwave is measured against."""
