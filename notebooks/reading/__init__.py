"""What the notebooks read and draw: queries, figures, charts and words, all without marimo.

Queries name tables without a dataset; `Database` finds which dataset the file has.
"""
