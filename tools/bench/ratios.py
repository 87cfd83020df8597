"""Ratios by net and number of threads as an SVG picture, in the look of tools/plot: a row a net, a dot a number of threads."""

import math
from xml.sax.saxutils import escape

WIDTH, LEFT, RIGHT, ROW = 720, 110, 24, 20
# Okabe and Ito's colours, as in tools/plot/parts.h.
STYLE = ("svg{background:#fff}text{font:12px sans-serif;fill:#333}.t{font-size:15px;font-weight:600}.g{stroke:#ddd}"
         ".f{stroke:#999;stroke-width:2}.c0{fill:#0072b2}.c1{fill:#d55e00}.c2{fill:#009e73}.c3{fill:#cc79a7}"
         "@media(prefers-color-scheme:dark){svg{background:#1b1b1b}text{fill:#ccc}.g{stroke:#3a3a3a}.f{stroke:#777}"
         ".c0{fill:#3d9be9}.c1{fill:#f0803c}.c2{fill:#1fbd91}.c3{fill:#d98fb7}}")


def panel(title, ratios, threads, top):
    """The panel's elements, and where it ends."""
    nets = list(dict.fromkeys(key.rsplit(" ", 1)[0] for key in ratios))
    values = [v for v in ratios.values() if v > 0]
    low, high = math.floor(math.log10(min(values + [0.5]))), math.log10(max(values + [1.5])) + 0.1

    def at(v):
        return LEFT + (math.log10(v) - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    bottom = top + 34 + ROW * len(nets)
    out = [f'<text class="t" x="{LEFT}" y="{top + 14}">{escape(title)}</text>']
    for exponent in range(low, math.ceil(high)):
        for m in (1, 2, 5):
            v = m * 10.0**exponent
            if low <= math.log10(v) <= high:
                look = "f" if v == 1 else "g"
                out.append(f'<path class="{look}" d="M{at(v):.1f} {top + 24}V{bottom}"/>'
                           f'<text x="{at(v):.1f}" y="{bottom + 15}" text-anchor="middle">{v:g}</text>')
    for i, net in enumerate(nets):
        y = top + 24 + ROW * (i + 0.75)
        out.append(f'<text x="{LEFT - 10}" y="{y + 4:.1f}" text-anchor="end">{escape(net)}</text>')
        for k, n in enumerate(threads):
            v = ratios.get(f"{net} {n}", 0)
            if v > 0:
                out.append(f'<circle class="c{k}" cx="{at(v):.1f}" cy="{y:.1f}" r="4.5">'
                           f"<title>{escape(net)}, {n} threads: {v:.3f}</title></circle>")
    return out, bottom + 26


def picture(panels):
    """`panels`: pairs of a title and ratios by "net threads"."""
    threads = sorted({key.rsplit(" ", 1)[1] for _, ratios in panels for key in ratios}, key=int)
    body, y = [], 34
    for k, n in enumerate(threads):
        x = LEFT + 110 * k
        body.append(f'<circle class="c{k}" cx="{x + 5}" cy="14" r="4.5"/>'
                    f'<text x="{x + 16}" y="18">{n} thread{"" if n == "1" else "s"}</text>')
    for title, ratios in panels:
        if ratios:
            elements, y = panel(title, ratios, threads, y)
            body += elements
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y:.0f}" width="{WIDTH}" height="{y:.0f}">\n'
            f"<style>{STYLE}</style>\n" + "\n".join(body) + "\n</svg>\n")
