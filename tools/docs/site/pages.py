#!/usr/bin/env python3
"""Gathers what the site is made of: pages.py ROOT FOLDER.

The pages and pictures of tools/docs, the site's own first page, and a page with the text of each file elsewhere that a
page links to, such as an example's source.
"""

import os
import re
import shutil
import sys

ELSEWHERE = re.compile(r"\]\((\.\./[\w./-]+)\)")
LANGUAGES = {".cpp": "cpp", ".h": "cpp", ".c": "c", ".py": "python"}


def page_of(path):
    """The name of the page that shows a file."""
    return "source/" + os.path.basename(path).replace(".", "_") + ".md"


def main():
    root, folder = sys.argv[1:]
    docs = os.path.join(root, "tools/docs")
    shutil.copy(os.path.join(docs, "site/index.md"), folder)
    os.mkdir(os.path.join(folder, "source"))
    for name in os.listdir(docs):
        path = os.path.join(docs, name)
        if name.endswith((".svg", ".png")):
            shutil.copy(path, folder)
        if not name.endswith(".md"):
            continue
        with open(path) as f:
            text = f.read()
        for link in set(ELSEWHERE.findall(text)):
            with open(os.path.join(docs, link)) as f:
                source = f.read()
            shown = os.path.relpath(os.path.join(docs, link), root)
            language = LANGUAGES.get(os.path.splitext(link)[1], "")
            with open(os.path.join(folder, page_of(link)), "w") as f:
                f.write(f"---\norphan: true\n---\n# `{shown}`\n\n```{language}\n{source}```\n")
        with open(os.path.join(folder, name), "w") as f:
            f.write(ELSEWHERE.sub(lambda link: f"]({page_of(link[1])})", text))


if __name__ == "__main__":
    main()
