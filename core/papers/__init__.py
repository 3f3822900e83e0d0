"""The papers' tables by name, and a row's runs here.

Data only; `compare` reads the runs, `command` is the shell's verb.
"""

from core.papers import clusters, contrastive
from core.papers.table import Table

TABLES: dict[str, Table] = {
    table.name: table for file in (contrastive, clusters) for table in file.TABLES
}
