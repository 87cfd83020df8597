# The site of tools/docs, made by Sphinx: see `build` beside this file.
import os
import re

root = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../.."))
with open(os.path.join(root, "CMakeLists.txt")) as f:
    version = re.search(r"project\(\w+\s+VERSION\s+([\d.]+)", f.read()).group(1)

project, author = "Oxbow", "the authors of Oxbow"
copyright = author
release = version
extensions = ["myst_parser"]
myst_heading_anchors = 3  # as GitHub makes them: pages link to them
html_theme = "furo"
html_title = f"Oxbow {version}"
html_static_path, html_css_files = ["static"], ["wide.css"]
html_show_sphinx = False
html_copy_source = False
pygments_style, pygments_dark_style = "default", "monokai"
nitpicky = True
