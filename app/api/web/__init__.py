"""The web namespace: one file per first URL segment, or family of them."""
