"""Candles as people have them: files, API responses and data frames of every source, recognised by their content.

A file goes through the modules in this order: `container` (compression, encodings), `csv_table`, `json_table` or `arrow_files` (cells in
columns), `recognition` with the table in `catalogue` (what each column means), `times`, `cleaning` and `confirmation` (what the data must
show). `reader` calls them.
"""
