"""What people see of a run, made of a run directory alone.

`summary` is the verdict in the terminal, `page` the whole of it in a browser. Tables of pandas (`frames`) stand behind
the scripts in reports/: `delivery` what became of the events, `breaker` what every breaker did, `health` what the
target said of its health; `script` is their one `main`, `forms` how a table is
written: text, Markdown, JSON or CSV.

Behind the page: `recording` reads, `bins`, `spans` and `lanes` make numbers of it, `figures`, `rows`, `dots` and
`theme` draw them, `legend`, `sentence`, `sections` and `wording` put them in words, `embed` and `document` make one
file of it, as of every page; `picture` is a still one.

Several targets beside each other: `cells` reads comparisons, `measures` says what is shown of each run, `compared`
holds it trial by trial, `compared_forms` and `compared_page` tell it, `compared_script` is the main of the script.
"""
