"""Use cases as plain functions: they decide, write rows and publish. The only code that commits."""
