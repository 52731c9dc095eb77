"""The routes of the namespace `web`: one file for each first URL segment, or for a group of them."""
