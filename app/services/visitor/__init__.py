"""What end users ask for: each module holds the use cases of one family of routes."""
