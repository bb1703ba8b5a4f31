"""The OpenAPI document as a whole."""
