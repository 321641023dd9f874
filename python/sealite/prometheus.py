"""A vault's counters for prometheus_client.

    >>> import prometheus_client, sealite.prometheus
    >>> vault = sealite.Vault.in_memory()
    >>> registry = prometheus_client.CollectorRegistry()           # or prometheus_client.REGISTRY
    >>> registry.register(sealite.prometheus.VaultCollector(vault))
    >>> vault.count("orders_total")
    >>> b"orders_total{worker=" in prometheus_client.generate_latest(registry)
    True

The counters are those of this handle in this process. Under several workers each tells its own: the label `worker` (the
process id) keeps them apart, and `sum without (worker) (...)` is the whole application. Multi-process mode's files are for
metrics that prometheus_client keeps; a collector is asked in the worker that answers the scrape.
"""

import os
from collections.abc import Iterator, Mapping

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from . import Vault

__all__ = ["VaultCollector"]


class VaultCollector(Collector):
    """Collects `Vault.metrics()`. `names` gives metrics other names, as in
    `Metrics.prometheus`."""

    def __init__(self, vault: Vault, names: Mapping[str, str] | None = None, *, worker_label: bool = True) -> None:
        self._vault = vault
        self._names = dict(names or {})
        self._worker_label = worker_label

    def collect(self) -> Iterator[Metric]:
        # Asked at each scrape: the process may have been forked since.
        worker = {"worker": str(os.getpid())} if self._worker_label else {}
        for family in text_string_to_metric_families(self._vault.metrics().prometheus(self._names)):
            family.samples = [sample._replace(labels={**sample.labels, **worker}) for sample in family.samples]
            yield family

    def __repr__(self) -> str:
        return "<VaultCollector>"
