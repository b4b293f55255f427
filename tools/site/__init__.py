"""The documentation site: `make site` builds it into `site/`, from the Markdown of the repository as it stands.

- `pages`: the pages of the site: the docs, and a page for each file that they link to
- `nav`: the navigation, read from docs/README.md
- `build`: the generator in an environment of its own, in strict mode
- `mkdocs.yml`, `requirements.in`, `requirements.lock`: its settings, and the exact versions of its packages
"""
