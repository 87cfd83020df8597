// The plan's two charts: the arena (offset by step) and the lanes (threads by time, as measured or as estimated). Both
// select and mark nodes as the graph does; the wheel zooms their time, dragging moves it.
"use strict";

class Chart {
  constructor(canvas, app) {
    this.canvas = canvas;
    this.app = app;
    this.bars = []; // { from, to, low, high, node, thin } in the chart's own units
    this.from = 0;
    this.zoom = 1;
    this.margin = { left: 62, right: 10, top: 8, bottom: 20 };
    this.listen();
  }

  listen() {
    let drag = null, moved = false;
    this.canvas.addEventListener("pointerdown", (e) => {
      drag = { x: e.offsetX, from: this.from };
      moved = false;
      this.canvas.setPointerCapture(e.pointerId);
    });
    this.canvas.addEventListener("pointermove", (e) => {
      if (drag) {
        moved ||= Math.abs(e.offsetX - drag.x) > 3;
        this.look(drag.from - ((e.offsetX - drag.x) / this.plotWidth()) * this.extent / this.zoom, this.zoom);
      }
      this.app.hover(this.at(e.offsetX, e.offsetY)?.node ?? null, e);
    });
    this.canvas.addEventListener("pointerup", (e) => {
      const bar = this.at(e.offsetX, e.offsetY);
      if (drag && !moved && bar) this.app.goTo(bar.node);
      drag = null;
    });
    this.canvas.addEventListener("pointerleave", () => this.app.hover(null));
    this.canvas.addEventListener("wheel", (e) => {
      e.preventDefault();
      const t = (e.offsetX - this.margin.left) / this.plotWidth();
      const zoom = Math.min(1000, Math.max(1, this.zoom * Math.exp(-e.deltaY * 0.002)));
      this.look(this.from + t * this.extent * (1 / this.zoom - 1 / zoom), zoom);
    }, { passive: false });
    this.canvas.addEventListener("dblclick", () => this.look(0, 1));
  }

  look(from, zoom) {
    this.zoom = zoom;
    this.from = Math.max(0, Math.min(this.extent * (1 - 1 / zoom), from));
    this.draw();
  }

  plotWidth() {
    return this.canvas.getBoundingClientRect().width - this.margin.left - this.margin.right;
  }

  // Chart units to pixels.
  px(t) {
    return this.margin.left + ((t - this.from) / this.extent) * this.zoom * this.plot.width;
  }
  py(v) {
    return this.margin.top + (1 - v / this.top) * this.plot.height;
  }

  at(x, y) {
    if (!this.plot) return null;
    const near = this.bars.findLast((b) => x >= this.px(b.from) - 1 && x <= this.px(b.to) + 1 &&
                                           y <= this.py(b.low) + 1 && y >= this.py(b.high) - 1);
    return near ?? null;
  }

  draw() {
    const { context: c, width, height } = sharpen(this.canvas);
    if (width < 120 || height < 50) return;
    const m = this.margin, { theme } = this.app.colours, selected = this.app.selected;
    this.plot = { width: width - m.left - m.right, height: height - m.top - m.bottom };
    c.save();
    c.beginPath();
    c.rect(m.left, 0, this.plot.width, height - m.bottom + 1);
    c.clip();
    const own = (node) => selected && (node === selected || (selected.isGroup && inside(node, selected)));
    const border = this.app.colours.scaled ? theme.edge : theme.surface;
    for (const bar of this.bars) {
      const x = this.px(bar.from), w = Math.max(0.8, this.px(bar.to) - x);
      if (x > width || x + w < m.left) continue;
      const y = this.py(bar.high), h = Math.max(0.8, this.py(bar.low) - y), colour = this.app.colours.ofBar(bar.node);
      c.globalAlpha = selected && !own(bar.node) ? 0.4 : 1;
      c.fillStyle = colour.bar;
      c.fillRect(x, y, w, h);
      if (w > 3 && h > 3) {
        c.strokeStyle = border;
        c.lineWidth = 1;
        c.strokeRect(x + 0.5, y + 0.5, w - 1, h - 1);
      }
      if (bar.node.critical && bar.lane) {
        c.fillStyle = theme.mark;
        c.fillRect(x, y + h - 3, w, 2);
      }
      const seen = Math.max(x, m.left), room = Math.min(x + w, m.left + this.plot.width) - seen;
      if (room > 46 && h > 12) {
        c.fillStyle = colour.ink;
        c.font = `11px ${sans}`;
        c.textBaseline = "middle";
        const name = bar.value ? bar.node.titleOf(bar.value.output) : bar.node.title;
        const fits = Math.floor((room - 8) / 6.2);
        c.fillText(name.length > fits ? name.slice(0, Math.max(1, fits - 1)) + "…" : name, seen + 4, y + h / 2 + 0.5);
      }
    }
    c.globalAlpha = 1;
    c.strokeStyle = theme.mark;
    c.lineWidth = 2;
    for (const bar of this.bars)
      if (own(bar.node)) {
        const x = this.px(bar.from), y = this.py(bar.high);
        c.strokeRect(x, y, Math.max(2, this.px(bar.to) - x), Math.max(2, this.py(bar.low) - y));
      }
    this.drawMarks(c, theme);
    c.restore();
    this.drawAxes(c, theme, width, height);
  }

  drawAxes(c, theme, width, height) {
    const m = this.margin;
    c.font = `11px ${sans}`;
    c.fillStyle = theme.dim;
    c.strokeStyle = theme.line;
    c.lineWidth = 1;
    c.strokeRect(m.left - 0.5, m.top - 0.5, this.plot.width + 1, this.plot.height + 1);
    c.textBaseline = "middle";
    c.textAlign = "right";
    for (const [v, label] of this.rungs()) c.fillText(label, m.left - 7, this.py(v));
    c.textBaseline = "top";
    const length = this.extent / this.zoom;
    const step = niceStep((length * 90) / this.plot.width, this.whole);
    for (let t = Math.ceil(this.from / step) * step; t <= this.from + length * 1.0001; t += step) {
      const x = this.px(t);
      c.textAlign = x > width - 40 ? "right" : x < m.left + 20 ? "left" : "center";
      c.fillText(this.label(t), x, height - m.bottom + 5);
    }
    c.textAlign = "left";
  }

  drawMarks() {}
}

// Every value of the arena, from the step that writes it to the last that needs it.
class MemoryMap extends Chart {
  constructor(canvas, app) {
    super(canvas, app);
    const { plan, nodes } = app.model;
    this.whole = true;
    this.extent = Math.max(1, plan.steps.length);
    this.top = Math.max(1, plan.arena_bytes);
    for (const v of plan.values) {
      if (v.home !== "arena" || v.fate === "alias" || v.offset === undefined) continue;
      const kept = v.block !== undefined && plan.blocks[v.block].kept && v.overwritten_by === undefined;
      const last = kept ? plan.steps.length : (v.last ?? v.first) + (v.overwritten_by === undefined ? 1 : 0);
      this.bars.push({ from: v.first, to: Math.max(last, v.first + 0.5), low: v.offset, high: v.offset + v.bytes,
                       node: nodes[v.node], value: v });
    }
    document.getElementById("memory-title").innerHTML =
      `<b>Memory</b><span>peak ${formatBytes(plan.arena_bytes)} at step ${formatCount(plan.peak_step)}, ` +
      `${plan.gap > 0 ? `${formatBytes(plan.gap)} above ` : ""}the lower bound</span>`;
  }
  rungs() {
    return [0, 0.5, 1].map((t) => [t * this.top, formatBytes(t * this.top)]);
  }
  label(step) {
    return step === 0 ? "step 0" : formatCount(step);
  }
  drawMarks(c, theme) {
    const { plan } = this.app.model;
    if (plan.peak_step === undefined || plan.peak_step < 0) return;
    const x = this.px(plan.peak_step + 0.5);
    c.strokeStyle = theme.text;
    c.lineWidth = 1;
    c.setLineDash([3, 3]);
    c.beginPath();
    c.moveTo(x, this.margin.top);
    c.lineTo(x, this.margin.top + this.plot.height);
    c.stroke();
    c.setLineDash([]);
  }
}

// What each thread did in the measured run; or what the plan expects: the groups' shares on their lanes, where a
// share's steps divide its time by their costs.
class Timeline extends Chart {
  constructor(canvas, app) {
    super(canvas, app);
    const { plan, nodes, longest } = app.model, mixed = longest.timed !== (plan.run ? "measured" : "estimated");
    this.top = plan.threads;
    this.extent = 1;
    if (plan.run) this.measured(plan, nodes);
    else this.estimated(plan, nodes);
    document.getElementById("timeline-title").innerHTML =
      `<b>Timeline</b><span>${plan.run ? "measured" : "estimated"}, ` +
      `${plan.threads} ${plan.threads === 1 ? "thread" : "threads"}: ` +
      `${formatTime(plan.run_ns ?? this.extent)}; critical path${mixed ? `, ${longest.timed}` : ""}: ` +
      `${formatTime(longest.ns)}</span>`;
  }
  bar(lane, from, to, node) {
    const high = this.top - lane;
    this.bars.push({ from, to, low: high - 0.9, high: high - 0.1, node, lane: true });
    this.extent = Math.max(this.extent, to);
  }
  measured(plan, nodes) {
    for (const e of plan.run) {
      const { node } = plan.steps[e.step];
      if (node >= 0) this.bar(e.lane, e.begin_ns, e.end_ns, nodes[node]);
    }
  }
  estimated(plan, nodes) {
    for (const group of plan.groups) {
      const steps = plan.steps.slice(group.first, group.last);
      const cost = steps.reduce((sum, s) => sum + s.ns, 0);
      for (const share of group.shares) {
        const length = share.finish_ns - share.start_ns;
        let at = share.start_ns;
        for (const step of steps) {
          const end = at + (cost ? (length * step.ns) / cost : length / steps.length);
          if (step.node >= 0) this.bar(share.lane, at, end, nodes[step.node]);
          at = end;
        }
      }
    }
  }
  rungs() {
    const every = Math.ceil(this.top / 8);
    return Array.from({ length: this.top }, (_, lane) => [this.top - lane - 0.5, `lane ${lane}`])
      .filter((_, lane) => lane % every === 0);
  }
  label(ns) {
    return formatTime(ns);
  }
}

function inside(node, group) {
  let g = node.parent;
  while (g && g !== group) g = g.parent;
  return g === group;
}

function niceStep(least, whole) {
  const power = 10 ** Math.floor(Math.log10(Math.max(least, 1e-9)));
  const step = [1, 2, 5, 10].map((f) => f * power).find((s) => s >= least);
  return whole ? Math.max(1, Math.round(step)) : step;
}
