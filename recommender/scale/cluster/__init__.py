"""Matrix factorisation on a Dask cluster, over Parquet files that every worker reads."""

from recommender.scale.cluster.als import ClusterError, factorise_on_dask
from recommender.scale.cluster.engine import DaskEngine
from recommender.scale.cluster.parquet import write_interactions

__all__ = ["ClusterError", "DaskEngine", "factorise_on_dask", "write_interactions"]
