"""What operators ask for: publishing apps, members, datasets, records of runs, health."""
