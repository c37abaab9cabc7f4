"""A PostgreSQL server for the embedded Aurora, with what Aurora's own extensions are asked for here."""
