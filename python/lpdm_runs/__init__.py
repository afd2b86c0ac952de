"""Reads, compares and draws the runs of lpdm: what `lpdm plot` and `lpdm report` are made of.

    runs.py         run folders as numbers          results.py     small files that keep them
    selection.py    which runs a path means         groups.py      runs that differ by seed only
    curves.py       smoothing, the estimator        statistics.py  intervals, IQM, profiles
    paper.py        the paper's table               comparison.py  rows of the report
    drawing_*.py    pictures                        page.py        all of them as one page
    plot.py, report.py    the commands
"""
