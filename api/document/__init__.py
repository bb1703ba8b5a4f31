"""The OpenAPI document as a whole: what no single view can say of itself."""
