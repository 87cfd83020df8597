// What colours mean: role, dtype, time or bytes; and the colours of the light and the dark theme, from the style sheet.
"use strict";

class Colours {
  constructor(model, tree) {
    this.model = model;
    this.tree = tree;
    this.by = "role";
    this.readTheme();
  }

  readTheme() {
    const style = getComputedStyle(document.documentElement);
    const names = ["back", "surface", "raised", "text", "dim", "line", "accent", "edge", "frame", "mark", "ramp0",
                   "ramp1", "ramp2", ...roles];
    this.theme = Object.fromEntries(names.map((n) => [n, style.getPropertyValue(`--${n}`).trim()]));
    this.theme.inner = mix(this.theme.frame, this.theme.raised, 0.55);
    this.cache = new Map();
  }

  get ways() {
    return [
      { by: "role", title: "Role" },
      { by: "time", title: "Time", missing: this.model.plan ? "" : "Time needs a plan: oxbow dump ... --plan" },
      { by: "bytes", title: "Bytes" },
      { by: "dtype", title: "Dtype" },
    ];
  }

  // The scales' ends: in the graph the largest among what is shown, so that folded groups and single nodes can be
  // compared; in the charts, which show single nodes, the largest of these.
  rescale(boxes) {
    const most = (items) => items.reduce((m, i) => Math.max(m, i[this.by]), 1e-9);
    this.largest = this.scaled ? most(boxes) : 1;
    this.largestNode = this.scaled ? most(this.model.nodes) : 1;
    this.cache.clear();
  }
  get scaled() {
    return this.by === "time" || this.by === "bytes";
  }

  // { solid, fill, border, text, dim; bar and ink for the charts } of an item.
  of(item) {
    return this.scaledTo(this.largest, item);
  }
  ofBar(node) {
    return this.scaledTo(this.largestNode, node);
  }
  scaledTo(largest, item) {
    const key = this.scaled ? Math.round(48 * Math.sqrt(Math.min(1, item[this.by] / largest))) : item[this.by];
    let found = this.cache.get(key);
    if (!found) {
      found = this.scaled ? this.ramp(key / 48) : this.tinted(this.category(item[this.by]));
      found.bar = mix(this.theme.surface, found.solid, 0.72);
      found.ink = luminance(found.bar) > 0.3 ? "#10141b" : "#ffffff";
      this.cache.set(key, found);
    }
    return found;
  }

  category(value) {
    if (this.by === "role") return this.theme[value] ?? this.theme.constant;
    const order = ["forward", "backward", "update", "variable", "input", "mark", "constant"];
    return this.theme[order[this.model.dtypes.indexOf(value) % order.length]] ?? this.theme.constant;
  }

  tinted(solid) {
    const { surface, text, dim } = this.theme;
    return { solid, fill: mix(surface, solid, 0.13), border: mix(surface, solid, 0.6), text, dim };
  }

  ramp(t) {
    const { ramp0, ramp1, ramp2 } = this.theme;
    const solid = t < 0.5 ? mix(ramp0, ramp1, t * 2) : mix(ramp1, ramp2, t * 2 - 1);
    const dark = luminance(solid) < 0.32;
    const [ink, dim] = dark ? ["#ffffff", "#f0f0f0"] : ["#14181f", "#333a46"];
    return { solid, fill: solid, border: mix(solid, this.theme.edge, 0.6), text: ink, dim };
  }

  legend() {
    const swatch = (colour, text) => `<span><i style="background:${colour}"></i>${escapeHtml(text)}</span>`;
    const edges = `<span><i class="line"></i>value</span>` +
      (this.model.phases.length > 1 ? `<span><i class="line cross"></i>across phases</span>` : "") +
      (this.model.outputs.length ? `<span><i class="output"></i>output</span>` : "") +
      (this.model.plan ? `<span><i class="line critical"></i>critical path</span>` : "");
    if (this.by === "role") {
      const used = roles.filter((r) => this.model.nodes.some((n) => n.role === r));
      return used.map((r) => swatch(this.theme[r], r)).join("") + edges;
    }
    if (this.by === "dtype") return this.model.dtypes.map((d) => swatch(this.category(d), d)).join("") + edges;
    const [what, format] = this.by === "time" ? [`${this.model.timed} time`, formatTime] : ["bytes of results", formatBytes];
    const charts = this.model.plan && this.largestNode < this.largest ? `, in the charts ${format(this.largestNode)}` : "";
    return `<span>${what}</span><span>0 <i class="ramp"></i> ${format(this.largest)}${charts}</span>` +
      `<span class="dim">square-root scale</span>` + edges;
  }
}

function rgb(colour) {
  if (colour.startsWith("#")) return [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16));
  return colour.match(/\d+/g).slice(0, 3).map(Number);
}

function mix(a, b, t) {
  const [p, q] = [rgb(a), rgb(b)];
  return `rgb(${p.map((v, i) => Math.round(v + (q[i] - v) * t)).join(",")})`;
}

function luminance(colour) {
  const [r, g, b] = rgb(colour).map((v) => (v / 255) ** 2.2);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function escapeHtml(text) {
  return String(text).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}
