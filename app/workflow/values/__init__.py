"""Values of variables: their types, files, selectors and templates."""
