"""HTTP connections to servers that the operator names."""
