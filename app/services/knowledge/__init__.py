"""Search datasets: cut documents into segments and search terms, read metadata conditions, rank what is found."""
