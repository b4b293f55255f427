"""Reports of a run, built from its run directory alone.

`terminal` prints verdicts, `page` writes report.html, `ci` writes JUnit files and GitHub annotations, and `tables` are
the tables behind the scripts in reports/.

The page: `recording` reads the files, `extent`, `bins`, `spans` and `tracks` compute the tracks, `figures`, `rows`,
`anomalies` and `theme` draw them with `bokeh_models`, `header`, `legend`, `sentence` and `sections` provide the text,
and `embed` and `document` combine all into one file; `picture` is a still image.
"""
