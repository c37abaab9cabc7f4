"""What is in each column of a table, and how columns relate: in passes whose results add up."""
