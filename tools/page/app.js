// The page: what is selected, found and folded; pointer and keys.
"use strict";

class App {
  constructor(model) {
    this.model = model;
    this.tree = new Tree(model);
    this.colours = new Colours(model, this.tree);
    this.view = new View(document.getElementById("graph"), this.colours);
    this.panels = new Panels(this);
    this.charts = [];
    this.selected = null;
    this.found = null;
    this.current = -1;
    document.querySelector("main").classList.toggle("no-plan", !model.plan);
    if (model.plan) this.charts = [new MemoryMap(document.getElementById("memory"), this),
                                   new Timeline(document.getElementById("timeline"), this)];
    else this.explainMissingPlan();
    this.writeHeader();
    this.nameOtherTheme();
    this.fold();
    this.panels.show(null);
    this.listen();
    new ResizeObserver(() => {
      if (this.firstView && this.view.fitted) this.fold();
      else if (this.view.fitted) this.view.fit();
      this.view.draw(); // at once: a stretched picture would be seen until the next frame
      for (const chart of this.charts) chart.draw();
    }).observe(this.view.canvas);
  }

  writeHeader() {
    const { nodes, plan } = this.model;
    const names = this.model.outputs.slice(0, 3).map((o) => o.name).filter((n) => !/^\d+$/.test(n));
    document.title = `Oxbow: ${names.join(", ") || "graph"}, ${nodes.length} nodes`;
    document.getElementById("summary").textContent = `${formatCount(nodes.length)} nodes` +
      (plan ? `, ${formatCount(plan.steps.length)} ${plan.steps.length === 1 ? "step" : "steps"}, peak ${formatBytes(plan.arena_bytes)}` : "");
    document.getElementById("colours").innerHTML = this.colours.ways.map((w, i) =>
      `<button data-by="${w.by}" ${w.missing ? "disabled" : ""} ` +
      `title="${w.missing || `Colour by ${w.by} (${i + 1})`}">${w.title}</button>`).join("");
    this.showColours();
  }

  explainMissingPlan() {
    const how = (title, what) => `<b>${title}</b><span>A graph alone does not say ${what}. Dump it with its plan: ` +
      `<code>oxbow dump ... --plan --format html</code></span>`;
    document.getElementById("memory-title").innerHTML = how("Memory", "where values live");
    document.getElementById("timeline-title").innerHTML = how("Timeline", "what runs when");
  }

  layOut() {
    const scene = layOut(this.model, this.tree);
    this.view.scene = scene;
    this.colours.rescale(scene.boxes);
    this.showColours();
    this.mark();
    this.redraw();
  }

  redraw() {
    this.view.redraw();
    for (const chart of this.charts) chart.draw();
  }

  select(item) {
    this.selected = this.view.selected = item;
    this.mark();
    this.panels.show(item);
    this.redraw();
  }

  // Selects an item wherever it is: unfolds what hides it and moves there.
  goTo(item) {
    if (this.tree.reveal(item)) {
      this.firstView = false;
      this.layOut();
    }
    this.select(item);
    this.view.show(item);
  }

  // What is found, and what belongs to the selection in the other pass.
  mark() {
    this.view.found = new Set((this.found ?? []).map((n) => n.box));
    this.view.linked = new Set(this.selected ? this.linked(this.selected).map((n) => n.box) : []);
    this.view.linked.delete(this.selected?.box);
  }

  // The nodes of the other pass that belong to a node, or to those within a group.
  linked(item) {
    const nodes = item.isGroup ? [...item.nodes()] : [item];
    return nodes.flatMap((n) => (n.for === undefined ? n.backward : [n.for])).map((id) => this.model.nodes[id]);
  }

  toggle(group) {
    if (!group?.isGroup || group.kind === "root") return;
    const before = { left: group.left, top: group.top };
    group.open = !group.open;
    this.firstView = false;
    this.layOut();
    this.view.pan((before.left - group.left) * this.view.zoom, (before.top - group.top) * this.view.zoom);
    this.select(group);
  }

  unfold() {
    this.tree.unfoldOneLevel();
    this.firstView = false;
    this.layOut();
    this.view.fit();
  }
  // The first view: as many boxes as a window can show legibly.
  fold() {
    for (const boxes of [46, 36, 26, 16]) {
      this.tree.foldTo(boxes);
      this.layOut();
      this.view.fit();
      if (this.view.zoom >= 0.62) break;
    }
    this.firstView = true;
  }

  colourBy(by) {
    if (this.colours.ways.find((w) => w.by === by)?.missing) return;
    this.colours.by = by;
    this.colours.rescale(this.view.scene.boxes);
    this.showColours();
    this.redraw();
  }

  showColours() {
    for (const button of document.querySelectorAll("#colours button"))
      button.setAttribute("aria-pressed", button.dataset.by === this.colours.by);
    document.getElementById("legend").innerHTML = this.colours.legend();
  }

  setTheme(theme) {
    document.documentElement.dataset.theme = theme;
    this.nameOtherTheme();
    this.colours.readTheme();
    this.showColours();
    this.panels.show(this.selected);
    this.redraw();
  }
  nameOtherTheme() {
    document.getElementById("theme").textContent = document.documentElement.dataset.theme === "dark" ? "Light" : "Dark";
  }
  switchTheme() {
    this.setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark");
  }

  search(query) {
    this.found = query.trim() ? this.model.search(query) : null;
    this.current = -1;
    this.mark();
    this.panels.showResults(this.found, this.current);
    this.view.redraw();
  }
  next(by) {
    if (!this.found?.length) return;
    const first = this.current < 0 && by < 0 ? 0 : this.current;
    this.current = (first + by + this.found.length) % this.found.length;
    this.goTo(this.found[this.current]);
    this.panels.showResults(this.found, this.current);
  }

  // From a node to the first of what it reads or of its readers; within a row to the next box.
  follow(direction) {
    const item = this.selected;
    if (!item) return this.select(this.view.scene.boxes[0] ?? null);
    if (direction === "left" || direction === "right") return this.beside(item.box, direction === "left" ? -1 : 1);
    const nodes = item.isGroup ? [...item.nodes()] : [item];
    const near = nodes.flatMap((n) => (direction === "up" ? n.inputs : n.readers).map((i) => this.model.nodes[i.node]));
    const box = near.map((n) => n.box).find((b) => b !== item.box && !(item.open && inside(b, item)));
    if (box) this.goTo(box);
  }
  beside(box, by) {
    const middle = box.top + box.h / 2;
    const row = this.view.scene.boxes.filter((b) => b.top <= middle && b.top + b.h >= middle)
      .sort((a, b) => a.left - b.left);
    const next = row[row.indexOf(box) + by];
    if (next) this.goTo(next);
  }
  // From forward to backward and back; from a group to the group as deep that holds most of what belongs to it.
  across() {
    if (!this.selected) return;
    const nodes = this.linked(this.selected);
    if (!this.selected.isGroup) return nodes.length && this.goTo(nodes[0]);
    const depth = this.tree.depth(this.selected), counts = new Map();
    for (const node of nodes) {
      let at = node;
      while (this.tree.depth(at) > depth) at = at.parent;
      if (at !== this.selected) counts.set(at, (counts.get(at) ?? 0) + 1);
    }
    const [most] = [...counts].reduce((a, b) => (b[1] > a[1] ? b : a), [null, 0]);
    if (most) this.goTo(most);
  }

  hover(item, event) {
    const tip = document.getElementById("tip");
    const box = item && event.target === this.view.canvas ? item : null;
    if (this.view.hovered !== box) {
      this.view.hovered = box;
      this.view.redraw();
    }
    tip.hidden = !item;
    if (!item) return;
    const lines = item.isGroup ? [item.title, `${formatCount(item.count)} nodes, ${formatBytes(item.bytes)} of results`]
                               : [item.title, `${item.op}  ${item.full_name}`, item.subtitle, item.place];
    if (item.time) lines.push(`${formatTime(item.time)} ${this.model.timed}`);
    tip.textContent = lines.filter(Boolean).join("\n");
    const stage = document.getElementById("stage").getBoundingClientRect();
    const x = event.clientX - stage.left, y = event.clientY - stage.top;
    tip.style.left = `${Math.max(4, Math.min(x + 14, stage.width - tip.offsetWidth - 8))}px`;
    const above = y + 18 + tip.offsetHeight > stage.height;
    tip.style.top = `${above ? Math.min(y, stage.height) - tip.offsetHeight - 10 : y + 18}px`;
  }
}
