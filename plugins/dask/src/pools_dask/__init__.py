"""The dask pool: jobs run on the workers of a Dask cluster."""
