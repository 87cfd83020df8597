// The panel at the side: what is selected, or the whole; and what a search found.
"use strict";

class Panels {
  constructor(app) {
    this.app = app;
    this.model = app.model;
    this.details = document.getElementById("details");
    this.results = document.getElementById("results");
    document.getElementById("side").addEventListener("click", (event) => {
      const button = event.target.closest("button[data-node], button[data-group]");
      if (!button) return;
      if (button.dataset.node !== undefined) app.goTo(this.model.nodes[button.dataset.node]);
      else app.goTo(this.scopes[button.dataset.group]);
    });
  }

  show(item) {
    this.scopes = [];
    this.details.innerHTML = !item ? this.overview() : item.isGroup ? this.group(item) : this.node(item);
    document.getElementById("side").scrollTop = 0;
  }

  showResults(found, current) {
    this.results.hidden = !found;
    if (!found) return;
    const most = 200;
    const rows = found.slice(0, most).map((n) => this.link(n, n.subtitle || n.op, { current: n === found[current] }));
    const more = found.length > most ? `<p class="dim">and ${formatCount(found.length - most)} more</p>` : "";
    const title = found.length === 1 ? "1 node" : `${formatCount(found.length)} nodes`;
    this.results.innerHTML = `<h2>${found.length ? title : "Nothing found"}</h2>` + (found.length
      ? `<p class="dim">Enter or n: next, Shift: back, Esc: end</p>${list(rows, "found")}${more}`
      : `<p class="dim">Words are looked for in names, ops, types and file:line; all must match. ` +
        `<code>op:product</code> <code>name:dense</code> <code>shape:512</code> <code>line:mlp.cpp:12</code></p>`);
    this.results.querySelector(".current")?.scrollIntoView({ block: "nearest" });
  }

  // By the user's names, of one result or of all. Where there is too little room, the scope gives way: its end is what
  // tells nodes apart.
  link(node, note = "", { current = false, output } = {}) {
    const names = output === undefined ? node.names.flat() : node.names[output];
    const name = names.length > 1 ? node.called(names) : names[0] ?? node.full_name;
    const cut = names.length > 1 ? 0 : name.lastIndexOf("/") + 1;
    return `<button data-node="${node.id}"${current ? ' class="current"' : ""} title="${escapeHtml(node.full_name)}">` +
      `<span class="name"><span>${escapeHtml(name.slice(0, cut))}</span>` +
      `<b>${escapeHtml(name.slice(cut))}</b></span><span class="mono">${escapeHtml(note)}</span></button>`;
  }

  groupLink(group, note = "") {
    const index = this.scopes.push(group) - 1;
    return `<button data-group="${index}"><span>${escapeHtml(group.title)}</span><span>${escapeHtml(note)}</span></button>`;
  }

  where(item) {
    const way = [];
    for (let g = item.parent; g && g.kind !== "root"; g = g.parent) way.unshift(g.title);
    return `<p class="dim">${escapeHtml(way.join(" › "))}</p>`;
  }

  pill(role) {
    return `<span class="pill" style="background:${this.app.colours.theme[role]}">${role}</span>`;
  }

  node(n) {
    const facts = [["Source", n.place && `<code>${escapeHtml(n.place)}</code>`]];
    if (this.model.plan && n.steps.length) {
      const total = this.model.plan.steps.reduce((sum, s) => sum + s.ns, 0);
      const share = total ? ` (${((100 * n.time) / total).toFixed(1)} %)` : "";
      facts.push([`Time, ${this.model.timed}`, formatTime(n.time) + share],
                 [n.steps.length > 1 ? "Steps" : "Step", n.steps.join(", ") + (n.critical ? ", on the critical path" : "")],
                 ["Parts", this.model.plan.steps[n.steps[0]].parts]);
    }
    if (n.outputNames.length) facts.push(["Output of the graph", escapeHtml(n.outputNames.join(", "))]);
    if (n.made.length) facts.push(["Made of", escapeHtml(n.made.join(", "))]);
    const attributes = Object.entries(n.attributes).filter(([key]) => key !== "name")
      .map(([key, v]) => [escapeHtml(key), `<code>${escapeHtml(shortened(v))}</code>`]);
    return this.where(n) + `<h2>${escapeHtml(n.title)}</h2><p class="mono dim">${escapeHtml(n.full_name)}</p>` +
      `<p>${this.pill(n.role)}</p>` + factList(facts) +
      section(lit("reads", "Reads"), list(n.inputs.map((i) => {
        const from = this.model.nodes[i.node];
        return this.link(from, i.shape_only ? "shape only" : from.outputs[i.output].type);
      }))) +
      n.outputs.map((o, i) => this.value(n, o, i)).join("") +
      section(n.phase === "forward" ? "Its backward pass" : "",
              list(n.backward.map((b) => this.link(this.model.nodes[b], this.model.nodes[b].op)))) +
      (n.for !== undefined ? section("Gradient of", list([this.link(this.model.nodes[n.for])])) : "") +
      section("Attributes", factList(attributes));
  }

  value(n, output, index) {
    const v = n.values[index];
    const facts = [["Type", `<code>${escapeHtml(output.type)}</code>`], ["Bytes", formatBytes(output.bytes)]];
    if (v) {
      const fates = { leaf: `${v.home}, outside the arena`, saved: "saved for a later phase",
                      overwritten: "overwritten in place", dropped: "dropped after its last reader" };
      facts.push(["Fate", fates[v.fate] ?? v.fate]);
      if (v.saved && v.fate !== "saved") facts.push(["Saved", "read by a later phase"]);
      if (v.offset !== undefined) facts.push(["Arena", `${formatCount(v.offset)} + ${formatCount(v.bytes)}`]);
      if (v.first !== undefined) facts.push(["Alive", `step ${v.first} to ${v.last ?? v.first}`]);
    }
    const others = [];
    const other = (title, at) => {
      if (at === undefined) return;
      const v = this.model.plan.values[at];
      others.push(this.link(this.model.nodes[v.node], title, v));
    };
    other("alias of", v?.alias_of);
    other("overwrites", v?.overwrites);
    other("overwritten by", v?.overwritten_by);
    const readers = n.readers.filter((r) => r.output === index).map((r) => this.model.nodes[r.node]);
    const title = n.outputs.length > 1
      ? `Result ${index} ${escapeHtml(n.called(n.names[index]))}` : "Result";
    return section(title, factList(facts) + list(others)) +
      section(readers.length ? lit("read", "Read by") : "Read by nobody", list(readers.map((r) => this.link(r, r.op))) || " ");
  }

  group(g) {
    const nodes = [...g.nodes()], ops = new Map();
    for (const n of nodes) ops.set(n.op, (ops.get(n.op) ?? 0) + 1);
    const most = [...ops].sort((a, b) => b[1] - a[1]).slice(0, 10).map(([op, count]) => [escapeHtml(op), count]);
    const facts = [["Nodes", formatCount(g.count)], ["Bytes of results", formatBytes(g.bytes)]];
    if (this.model.plan) facts.push([`Time, ${this.model.timed}`, formatTime(g.time)]);
    if (g.repeats) facts.push(["Equal blocks", g.repeats]);
    const inside = g.children.slice(0, 60).map((c) => c.isGroup ? this.groupLink(c, `${formatCount(c.count)} nodes`)
                                                               : this.link(c, c.op));
    return this.where(g) + `<h2>${escapeHtml(g.title)}</h2><p class="dim">Enter or a double click ` +
      `${g.open ? "folds" : "unfolds"} it.</p>` + factList(facts) + section("Ops", factList(most)) +
      section(lit("reads", "Reads"), this.boxes(g, "to", "from")) +
      section(lit("read", "Read by"), this.boxes(g, "from", "to")) + section("Inside", list(inside));
  }

  // The boxes at the other ends of a folded group's edges.
  boxes(group, here, there) {
    const boxes = this.app.view.scene.edges.filter((e) => e[here] === group).map((e) => e[there]);
    const elsewhere = (box) => (phaseOf(box) === phaseOf(group) ? "" : `${phaseOf(box).title}, `);
    return list(boxes.slice(0, 60).map((b) => (b.isGroup ? this.groupLink(b, elsewhere(b) + b.small) : this.link(b, b.op))));
  }

  overview() {
    const { nodes, plan } = this.model;
    const facts = [["Nodes", formatCount(nodes.length)],
                   ...this.model.phases.map((p) => [p, formatCount(nodes.filter((n) => n.phase === p).length)])];
    const variables = nodes.filter((n) => n.op === "variable");
    facts.push(["Variables", `${variables.length}, ${formatBytes(variables.reduce((s, n) => s + n.bytes, 0))}`]);
    let out = `<h2>The whole graph</h2><p class="dim">Click a box to see what it reads, who reads it and where it ` +
      `lives; a double click folds or unfolds. <kbd>?</kbd> lists the keys.</p>` + section("Graph", factList(facts));
    if (plan) {
      out += section("Plan", factList([
        ["Threads", plan.threads], ["Steps", formatCount(plan.steps.length)],
        ["A run, measured", plan.run_ns && formatTime(plan.run_ns)],
        [this.model.timed === "measured" ? "All threads together, measured" : "Time on one thread, estimated",
         formatTime(plan.steps.reduce((sum, s) => sum + s.ns, 0))],
        [`Critical path, ${this.model.longest.timed}`, formatTime(this.model.longest.ns)],
        ["Peak of the arena", formatBytes(plan.arena_bytes)],
        ["= lower bound", formatBytes(plan.lower_bound)], ["+ gap", formatBytes(plan.gap)],
      ]));
      const slow = nodes.filter((n) => n.time > 0).sort((a, b) => b.time - a.time).slice(0, 6);
      out += section(`Slowest, ${this.model.timed}`, list(slow.map((n) => this.link(n, formatTime(n.time)))));
      const held = plan.live.flatMap((b) => plan.blocks[b].values.slice(0, 1).map((v) => [plan.blocks[b], plan.values[v]]))
        .sort((a, b) => b[0].bytes - a[0].bytes).slice(0, 6);
      out += section(`Alive at the peak, step ${plan.peak_step}`,
                     list(held.map(([block, v]) => this.link(nodes[v.node], formatBytes(block.bytes), v))));
    } else {
      const large = [...nodes].sort((a, b) => b.bytes - a.bytes).slice(0, 6);
      out += section("Largest results", list(large.map((n) => this.link(n, formatBytes(n.bytes)))));
    }
    return out + section("Outputs", list(this.model.outputs.slice(0, 12).map((o) =>
      this.link(nodes[o.node], nodes[o.node].names[o.output].includes(o.name) ? nodes[o.node].outputs[o.output].type : o.name, o))));
  }
}

function factList(facts) {
  const rows = facts.filter(([, v]) => v !== "" && v !== undefined);
  return rows.length ? `<dl>${rows.map(([k, v]) => `<dt>${k}</dt><dd>${v}</dd>`).join("")}</dl>` : "";
}

function phaseOf(item) {
  while (item.kind !== "phase") item = item.parent;
  return item;
}

// A title with the colour that the selection's edges of this kind have in the picture.
function lit(kind, title) {
  return `<i class="line ${kind}"></i>${title}`;
}

function section(title, body) {
  return title && body ? `<h3>${title}</h3>${body}` : "";
}

function list(rows, kind = "") {
  return rows.length ? `<ul class="links ${kind}">${rows.map((r) => `<li>${r}</li>`).join("")}</ul>` : "";
}

function shortened(value) {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > 300 ? text.slice(0, 300) + "…" : text;
}
