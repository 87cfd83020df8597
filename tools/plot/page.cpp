// A plot as a page: the picture, its numbers, and a script that shows those under the pointer.
#include "plot/parts.h"

namespace oxbow::tools {
namespace {

// A name as a string of JSON within a script: printable, and "<" cannot end the script.
std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (char c : dots::printable(text)) {
    if (c == '"' || c == '\\')
      out += std::string("\\") + c;
    else if (c == '<' || static_cast<unsigned char>(c) < 32)
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    else
      out += c;
  }
  return out + "\"";
}

std::string numbers(const std::vector<double>& v) {
  std::string out = "[";
  for (double x : v) out += (out.size() > 1 ? "," : "") + (std::isfinite(x) ? fmt::format("{:.6g}", x) : "null");
  return out + "]";
}

std::string axis(const Axis& a) {
  return fmt::format("{{\"low\":{:.10g},\"high\":{:.10g},\"from\":{},\"to\":{},\"log\":{}}}", a.low, a.high, a.from,
                     a.to, a.log_scale);
}

constexpr const char* script = R"js(
const svg = document.querySelector("svg"), tip = document.getElementById("tip"), ns = svg.namespaceURI;
const line = svg.appendChild(document.createElementNS(ns, "path"));
line.setAttribute("class", "m");
const scaled = (a, v) => a.log ? Math.log10(v) : v;
const pixel = (a, v) => a.from + (scaled(a, v) - a.low) / (a.high - a.low) * (a.to - a.from);
svg.addEventListener("mousemove", e => {
  const p = new DOMPoint(e.clientX, e.clientY).matrixTransform(svg.getScreenCTM().inverse());
  const panel = plot.panels.find(q => p.y >= q.y.to && p.y <= q.y.from);
  if (!panel || p.x < plot.x.from || p.x > plot.x.to) return hide();
  let rows = "", at = null;
  for (const s of panel.series) {
    const ends = [s.x[0], s.x.at(-1)].map(v => pixel(plot.x, v));
    if (!(p.x > ends[0] - 9 && p.x < ends[1] + 9)) continue;
    let best = -1, near = Infinity;
    s.x.forEach((v, i) => {
      const d = Math.abs(pixel(plot.x, v) - p.x);
      if (s.y[i] !== null && d < near) near = d, best = i;
    });
    if (best < 0) continue;
    if (at === null) at = s.x[best];
    const row = document.createElement("div");
    row.textContent = s.name + (s.faint ? " (unsmoothed)" : "") + ": " + s.y[best].toPrecision(4);
    row.insertAdjacentHTML("afterbegin", `<span class="c${s.colour}">■</span> `);
    rows += row.outerHTML;
  }
  if (at === null) return hide();
  const x = pixel(plot.x, at);
  line.setAttribute("d", `M${x} ${plot.panels[0].y.to}V${plot.panels.at(-1).y.from}`);
  tip.innerHTML = "<b></b>" + rows;
  tip.firstChild.textContent = plot.label + " " + Number(at.toPrecision(6));
  tip.hidden = false;
  tip.style.left = Math.min(e.pageX + 14, innerWidth - tip.offsetWidth - 8) + "px";
  tip.style.top = e.pageY + 14 + "px";
});
svg.addEventListener("mouseleave", hide);
function hide() { tip.hidden = true; line.removeAttribute("d"); }
)js";

}  // namespace

bool is_page(std::string_view path) { return path.ends_with(".html") || path.ends_with(".htm"); }

std::string page_of(const std::string& title, const std::string& picture, const std::string& behind) {
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
      "content=\"width=device-width\">\n<meta name=\"color-scheme\" content=\"light dark\">\n<title>{}</title>\n"
      "<style>body{{margin:1em;background:#fff}}body>svg{{max-width:100%;height:auto}}#tip{{position:absolute;"
      "font:12px sans-serif;padding:6px 8px;background:#fff;color:#333;border:1px solid #999;border-radius:4px;"
      "pointer-events:none}}@media(prefers-color-scheme:dark){{body{{background:#1b1b1b}}#tip{{background:#2b2b2b;"
      "color:#ddd}}}}</style>\n{}{}</html>\n",
      dots::marked_up(title), picture, behind);
}

std::string page(const Plot& plot) {
  const Layout l = lay_out(plot);
  std::string data = fmt::format("const plot = {{\"label\":{},\"x\":{},\"panels\":[", quoted(plot.x_label), axis(l.x));
  for (std::size_t i = 0; i < plot.panels.size(); ++i) {
    data += fmt::format("{}{{\"y\":{},\"series\":[", i > 0 ? "," : "", axis(l.y[i]));
    for (const Series& all : plot.panels[i].series) {
      const Series s = thinned(all, l.x);
      const bool beside = s.faint && !l.key(s.name).faint;  // of a smoothed one, by the same name
      data += fmt::format("{}\n{{\"name\":{},\"colour\":{},\"faint\":{},\"x\":{},\"y\":{}}}",
                          &all == &plot.panels[i].series[0] ? "" : ",", quoted(s.name), l.key(s.name).colour, beside,
                          numbers(s.x), numbers(s.y));
    }
    data += "]}";
  }
  data += "]};";
  return page_of(description(plot), svg(plot),
                 fmt::format("<div id=\"tip\" hidden></div>\n<script>\n{}\n{}</script>\n", data, script));
}

}  // namespace oxbow::tools
