"""Reports: one self-contained page from a run's stored records."""

from reverie.report.page import write_report

__all__ = ["write_report"]
