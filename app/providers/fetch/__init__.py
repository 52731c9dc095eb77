"""HTTP requests to addresses that end users or app files name, to public addresses only."""
