"""What Prometheus reads from `/metrics`."""

from prometheus_client.openmetrics import parser as openmetrics_parser
from prometheus_client.parser import text_string_to_metric_families

OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


class ScrapedMetrics:
    """The samples of a scrape, in either format."""

    def __init__(self, text: str, *, is_openmetrics: bool = False) -> None:
        parse = openmetrics_parser.text_string_to_metric_families if is_openmetrics else text_string_to_metric_families
        self.families = {family.name: family for family in parse(text)}
        self.samples = [sample for family in self.families.values() for sample in family.samples]

    def value(self, name: str, **labels: str) -> float:
        """The sum over the samples of that name that have these labels."""
        return sum(sample.value for sample in self.samples if sample.name == name and labels.items() <= sample.labels.items())

    def label_values(self, name: str, label: str) -> set[str]:
        """The values of a label of a metric."""
        return {sample.labels[label] for sample in self.samples if sample.name == name}
