"""The rules that node configurations follow: comparisons, assignments, HTTP bodies, form shapes, filters."""
