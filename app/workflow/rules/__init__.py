"""What node configs say: comparisons, assignments, bodies, forms, filters."""
